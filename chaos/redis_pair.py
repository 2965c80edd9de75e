"""A Redis primary with its AOF and a replica that can lag, be promoted, and change places."""

import asyncio
import os
import signal
import time
from typing import Any

import redis
from eco2_devservers import RedisServer, TcpProxy

from chaos.waiting import StageFailed, came_true

LAG_S = 0.6
# Redis answers a WAIT after 1 s without a copy, and the service goes on without: that is no longer a lag.
_LAG_MAX_S = 0.9
_IN_STEP_WITHIN_S = 30.0
_TRIES = 30


class RedisPair:
    """Two servers; `fronts` are the proxies of all clients and follow the primary."""

    def __init__(self) -> None:
        self.primary = RedisServer(appendonly="always")
        self.replica = RedisServer(appendonly="always")
        self.copying = TcpProxy(self.primary.port)
        self.fronts: list[TcpProxy] = []

    def start(self) -> None:
        """Start both; the replica gets in step by itself."""
        self.primary.start()
        self.replica.start()
        self.copying.start()
        self._follow(self.replica)

    def close(self) -> None:
        """End both and remove what they hold."""
        # The replica first, or it reconnects while the proxy closes.
        self.replica.close()
        self.copying.close()
        self.primary.close()

    def new_front(self) -> TcpProxy:
        """One more way to the primary."""
        front = TcpProxy(self.primary.port).start()
        self.fronts.append(front)
        return front

    async def fail_over(self) -> float:
        """Kill the primary while its replica lags, promote that, and point all clients to it.

        Returns the moment of the kill. The old primary is left dead; `rejoin` brings it back as a replica.
        Raises StageFailed.
        """
        for _ in range(_TRIES):
            if await self._kill_while_lagging():
                break
        else:
            raise StageFailed(f"this machine is too slow for a lag of {LAG_S} s")
        killed_at = time.monotonic()
        await asyncio.to_thread(self.primary.kill)
        await asyncio.to_thread(self._promote)
        return killed_at

    async def _kill_while_lagging(self) -> bool:
        await self.in_step()
        began = time.monotonic()
        await asyncio.to_thread(self.copying.block)
        await asyncio.sleep(LAG_S)
        if time.monotonic() - began > _LAG_MAX_S:
            # This machine is too slow just now.
            await asyncio.to_thread(self.copying.unblock)
            return False
        os.kill(self.primary.pid, signal.SIGKILL)
        return True

    def _promote(self) -> None:
        # What is still on its way is lost with the primary.
        self.copying.cut()
        self._tell(self.replica, "REPLICAOF", "NO", "ONE")
        self.primary, self.replica = self.replica, self.primary
        for front in self.fronts:
            front.target_port = self.primary.port
            front.cut()
        self.copying.target_port = self.primary.port
        self.copying.unblock()

    async def rejoin(self) -> None:
        """Bring the other server back as a replica of the primary."""
        await asyncio.to_thread(self.replica.start)
        await asyncio.to_thread(self._follow, self.replica)

    async def in_step(self) -> None:
        """Wait until the replica has all that the primary has by now; raises StageFailed."""
        primary = await asyncio.to_thread(self._replication, self.primary)
        goal = primary["master_repl_offset"]
        if not await came_true(lambda: asyncio.to_thread(self._has_come_to, goal), _IN_STEP_WITHIN_S):
            raise StageFailed("the Redis replica does not get in step")

    def _follow(self, replica: RedisServer) -> None:
        self._tell(replica, "REPLICAOF", "127.0.0.1", str(self.copying.port))

    def _has_come_to(self, goal: int) -> bool:
        replica = self._replication(self.replica)
        return replica.get("master_link_status") == "up" and replica["slave_repl_offset"] >= goal

    def _replication(self, server: RedisServer) -> dict[str, Any]:
        with redis.Redis(port=server.port) as admin:
            return admin.info("replication")

    def _tell(self, server: RedisServer, *command: str) -> None:
        with redis.Redis(port=server.port) as admin:
            admin.execute_command(*command)

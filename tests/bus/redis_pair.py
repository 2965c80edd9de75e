"""A master of Redis with a replica, and proxies that let either be cut off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import redis
from eco2_bus.redis_streams import log_key
from eco2_devservers import RedisServer, TcpProxy

from tests.bus.worlds import eventually


@dataclass
class Pair:
    """A master and its replica; clients and the replica each reach the master through a proxy."""

    master: RedisServer
    replica: RedisServer
    to_clients: TcpProxy
    to_replica: TcpProxy

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.to_clients.port}/0"

    def replica_length(self, job_id: str) -> int:
        with redis.Redis(port=self.replica.port) as admin:
            return int(admin.xlen(log_key(job_id)))

    def stop_copying(self) -> None:
        self.to_replica.block()

    async def fail_over(self) -> None:
        """The master dies, the replica is promoted as it is, and the clients' name points to it."""
        await asyncio.to_thread(self.master.kill)
        with redis.Redis(port=self.replica.port) as admin:
            admin.replicaof("NO", "ONE")
        self.to_clients.target_port = self.replica.port


@asynccontextmanager
async def redis_pair() -> AsyncIterator[Pair]:
    """Both running, the replica up to date."""
    with (
        RedisServer() as master,
        RedisServer(replica_of=master) as replica,
        TcpProxy(master.port) as to_clients,
        TcpProxy(master.port) as to_replica,
    ):
        with redis.Redis(port=replica.port) as admin:
            admin.replicaof("127.0.0.1", to_replica.port)
            await eventually(lambda: admin.info("replication").get("master_link_status") == "up")
        yield Pair(master, replica, to_clients, to_replica)
        # Before the proxies: a replica that reconnects while they close leaves a socket behind.
        replica.stop()

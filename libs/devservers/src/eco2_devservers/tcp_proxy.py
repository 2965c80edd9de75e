"""A TCP proxy whose faults are set by hand: cut, partition, delay, a reply that breaks off."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from typing import Self

from eco2_devservers.ports import free_port
from eco2_devservers.tcp_link import Weather, run_link


class TcpProxy:
    """Forwards loopback connections on `port` to `target_port`, from a thread of its own.

    `bytes_to_server` and `bytes_to_client` count what has been forwarded.
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = free_port()
        self.bytes_to_server = 0
        self.bytes_to_client = 0
        self._replies_left: int | None = None
        self._weather = Weather()
        self._links: set[asyncio.Task[None]] = set()
        self._runner: asyncio.Runner | None = None

    @property
    def delay_s(self) -> float:
        """How much later each byte arrives, in both directions; what is on its way keeps its time."""
        return self._weather.delay_s

    @delay_s.setter
    def delay_s(self, delay_s: float) -> None:
        self._weather.delay_s = delay_s

    @property
    def connections(self) -> int:
        """How many client connections are open now."""
        return len(self._links)

    def start(self) -> Self:
        """Listen; each client gets its own connection to the target."""
        if self._runner is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
            self._listener.setblocking(False)
            # Named, so that an event loop policy of the program's (uvloop) does not reach in here.
            self._runner = asyncio.Runner(loop_factory=asyncio.SelectorEventLoop)
            self._loop = self._runner.get_loop()
            self._thread = threading.Thread(
                target=self._serve, args=(self._runner,), name="tcp-proxy", daemon=True
            )
            self._thread.start()
        return self

    def close(self) -> None:
        """Reset every connection and stop listening."""
        if self._runner is not None:
            self._call(self._end())
            self._thread.join(timeout=5)
            self._runner = None

    def cut(self) -> None:
        """Reset every open connection; new ones are served."""
        self._call(self._cut())

    def block(self) -> None:
        """Partition: connections stay open, but none is accepted and nothing is forwarded."""
        self._call(self._set_passing(False))

    def unblock(self) -> None:
        """End the partition; what was sent meanwhile arrives."""
        self._call(self._set_passing(True))

    def limit_replies(self, n_bytes: int) -> None:
        """Forward only `n_bytes` more of the server's replies, on all connections together, then cut once."""
        self._call(self._limit(n_bytes))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, action: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result(timeout=5)

    def _serve(self, runner: asyncio.Runner) -> None:
        with runner, self._listener:
            self._accepting = self._loop.create_task(self._accept())
            runner.run(self._until_ended())

    async def _until_ended(self) -> None:
        await asyncio.wait([self._accepting])

    async def _accept(self) -> None:
        while True:
            await self._weather.passes.wait()
            client, _ = await self._loop.sock_accept(self._listener)
            link = run_link(client, self.target_port, self._weather, self._forward_up, self._forward_down)
            task = self._loop.create_task(link)
            self._links.add(task)
            task.add_done_callback(self._links.discard)
            # A link that is cut before its first step would never close its sockets.
            await asyncio.sleep(0)

    async def _end(self) -> None:
        await self._cut()
        self._accepting.cancel()

    async def _cut(self) -> None:
        self._cancel_links()
        if self._links:
            await asyncio.wait(self._links)

    async def _set_passing(self, passes: bool) -> None:
        if passes:
            self._weather.passes.set()
        else:
            self._weather.passes.clear()

    async def _limit(self, n_bytes: int) -> None:
        self._replies_left = n_bytes

    def _cancel_links(self) -> None:
        for link in self._links:
            link.cancel()

    async def _forward_up(self, server: socket.socket, chunk: bytes) -> None:
        self.bytes_to_server += len(chunk)
        await self._loop.sock_sendall(server, chunk)

    async def _forward_down(self, client: socket.socket, chunk: bytes) -> None:
        is_last = False
        if self._replies_left is not None:
            chunk = chunk[: self._replies_left]
            self._replies_left -= len(chunk)
            is_last = self._replies_left == 0
        self.bytes_to_client += len(chunk)
        await self._loop.sock_sendall(client, chunk)
        if is_last:
            if self._replies_left is not None:
                self._replies_left = None
                self._cancel_links()
            # At once: a later chunk behind the missing bytes is what no network does.
            raise ConnectionResetError

"""One client's connection through the proxy: two sockets and a pump in each direction."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

_CHUNK = 65_536
# What may be on its way in one direction before the sender is held back.
_CHUNKS_ON_THE_WAY = 64
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Forward = Callable[[socket.socket, bytes], Awaitable[None]]


class Weather:
    """The conditions on all links of one proxy: how late bytes are, and whether anything passes."""

    def __init__(self) -> None:
        self.delay_s = 0.0
        self.passes = asyncio.Event()
        self.passes.set()


async def run_link(
    client: socket.socket, target_port: int, weather: Weather, up: Forward, down: Forward
) -> None:
    """Forward both ways until both sides have finished; anything else, a cancel included, resets both.

    `up` and `down` pass each chunk on to the server and to the client.
    """
    server = socket.socket()
    server.setblocking(False)
    is_orderly = False
    try:
        await asyncio.get_running_loop().sock_connect(server, ("127.0.0.1", target_port))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.TaskGroup() as pumps:
            pumps.create_task(_pump(client, server, weather, up))
            pumps.create_task(_pump(server, client, weather, down))
        is_orderly = True
    except* OSError:
        pass  # one side broke off; the other learns it below
    finally:
        for end in (client, server):
            if not is_orderly:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            end.close()


async def _pump(source: socket.socket, target: socket.socket, weather: Weather, forward: Forward) -> None:
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS_ON_THE_WAY)
    async with asyncio.TaskGroup() as ends:
        ends.create_task(_take_in(source, on_the_way, weather))
        ends.create_task(_give_out(target, on_the_way, weather, forward))


async def _take_in(
    source: socket.socket, on_the_way: asyncio.Queue[tuple[float, bytes]], weather: Weather
) -> None:
    loop = asyncio.get_running_loop()
    chunk = b"?"
    while chunk:
        await weather.passes.wait()
        chunk = await loop.sock_recv(source, _CHUNK)
        await on_the_way.put((loop.time() + weather.delay_s, chunk))


async def _give_out(
    target: socket.socket, on_the_way: asyncio.Queue[tuple[float, bytes]], weather: Weather, forward: Forward
) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, chunk = await on_the_way.get()
        if (late := due - loop.time()) > 0:
            await asyncio.sleep(late)
        await weather.passes.wait()
        if not chunk:
            target.shutdown(socket.SHUT_WR)
            return
        await forward(target, chunk)

"""A server that speaks just enough RESP to misbehave on purpose."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import hiredis

Answer = Callable[[list[bytes]], bytes | None]
"""Takes a command and gives the reply's bytes; None closes the connection."""

OK = b"+OK\r\n"


def usual(command: list[bytes]) -> bytes:
    return b"+PONG\r\n" if command[0] == b"PING" else OK


@contextlib.asynccontextmanager
async def fake_redis(answer: Answer) -> AsyncIterator[str]:
    """Serves `answer` and gives the URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = hiredis.Reader()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                requests.feed(data)
                while (command := requests.gets()) is not False:
                    reply = answer(command)
                    if reply is None:
                        writer.transport.abort()
                        return
                    writer.write(reply)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    finally:
        server.close()

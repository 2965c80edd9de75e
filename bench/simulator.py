"""A model server that speaks the OpenAI API and costs as little CPU as possible; it swallows spans as well.

Each token says which one it is and when it was due: `17:83921034455120|`, in nanoseconds of CLOCK_MONOTONIC,
which all processes of a machine share. So a reader knows loss, doubles, order and delay from the text alone.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass
from typing import cast

import orjson
import uvloop

from bench import model_replies
from bench.pace import Pace

DEFAULT_PACE = Pace(tokens=20, first_token_ms=0, token_ms=0)
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True)
class Request:
    """One HTTP request, its body whole."""

    path: bytes
    body: bytes


class TokenStream:
    """One answer on its way: every token at its absolute deadline, each in a socket write of its own."""

    def __init__(self, connection: "Connection", pace: Pace, frame: model_replies.ChunkFrame) -> None:
        self._connection = connection
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._frame = frame
        self._sent = 0
        self._first_due = time.monotonic_ns() + pace.first_token_ms * 1_000_000
        self._timer: asyncio.Handle | None = None
        self._paused = False

    def start(self) -> None:
        """Send the headers and set the clock of the first token."""
        self._connection.write(model_replies.STREAM_HEAD)
        self._wait_until(self._first_due)

    def stop(self) -> None:
        """Say no more: the reader has gone, or all is said."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def pause(self) -> None:
        """Hold back while the socket is full, as a real server does."""
        self._paused = True

    def resume(self) -> None:
        """Go on where the full socket stopped it."""
        self._paused = False
        self._tick()

    def _due(self) -> int:
        if self._pace.token_ms or not self._sent:
            return self._first_due + self._sent * self._pace.token_ms * 1_000_000
        return time.monotonic_ns()

    def _wait_until(self, due_ns: int) -> None:
        ahead_ns = due_ns - time.monotonic_ns()
        if ahead_ns <= 0:
            self._timer = self._loop.call_soon(self._tick)
        else:
            # The loop's timers tick in milliseconds and may ring early: `_tick` looks at the clock again.
            self._timer = self._loop.call_later(max(0.001, ahead_ns / 1e9), self._tick)

    def _tick(self) -> None:
        if self._paused or self._sent == self._pace.tokens:
            return
        due = self._due()
        if due <= time.monotonic_ns():
            self._connection.write(self._frame.token(self._sent, due))
            self._sent += 1
        if self._sent < self._pace.tokens:
            self._wait_until(self._due())
        else:
            self._connection.write(self._frame.end(self._sent) + _LAST_CHUNK)
            self._connection.answered()


class Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection: requests are answered one after the other."""

    def __init__(self) -> None:
        self._buffer = b""
        self._stream: TokenStream | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        # uvloop's transports are not subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the answer: a cancelled model call costs nothing more."""
        if self._stream is not None:
            self._stream.stop()

    def pause_writing(self) -> None:
        """Pass the full socket on to the answer."""
        if self._stream is not None:
            self._stream.pause()

    def resume_writing(self) -> None:
        """Pass the emptied socket on to the answer."""
        if self._stream is not None:
            self._stream.resume()

    def data_received(self, data: bytes) -> None:
        """Gather bytes until a request is whole."""
        self._buffer += data
        self._answer_next()

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self._transport is not None
        self._transport.write(data)

    def answered(self) -> None:
        """Turn to the next request on this connection."""
        self._stream = None
        self._answer_next()

    def _answer_next(self) -> None:
        while self._stream is None and (request := self._take_request()):
            self._answer(request)

    def _take_request(self) -> Request | None:
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        head = self._buffer[:head_end]
        body_end = head_end + 4 + _content_length(head)
        if len(self._buffer) < body_end:
            return None
        body = self._buffer[head_end + 4 : body_end]
        self._buffer = self._buffer[body_end:]
        return Request(path=head.split(b" ", 2)[1], body=body)

    def _answer(self, request: Request) -> None:
        if request.path.endswith(b"/chat/completions"):
            self._answer_chat(orjson.loads(request.body), request.body)
        elif request.path.endswith(b"/embeddings"):
            self.write(model_replies.embeddings(orjson.loads(request.body)))
        elif request.path == b"/v1/traces":
            self.write(model_replies.SPANS_TAKEN)
        else:
            self.write(model_replies.NOT_FOUND)

    def _answer_chat(self, call: dict, body: bytes) -> None:
        if "response_format" in call:
            self.write(model_replies.structured(call))
        elif not call.get("stream"):
            self.write(model_replies.completion(call, "네, 알겠습니다."))
        else:
            usage = bool((call.get("stream_options") or {}).get("include_usage"))
            self._stream = self.stream_of(call["model"], body, usage)
            self._stream.start()

    def stream_of(self, model: str, body: bytes, with_usage: bool) -> TokenStream:
        """The stream that answers a call with this body."""
        pace = Pace.find(model.encode()) or Pace.find(body) or DEFAULT_PACE
        return TokenStream(self, pace, model_replies.ChunkFrame(model, with_usage))


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def serve(host: str, port: int, connection: type[Connection] = Connection) -> asyncio.Server:
    """Listen on `host`; port 0 lets the system choose one."""
    # Hundreds of streams open in the same instant.
    return await asyncio.get_running_loop().create_server(connection, host, port, backlog=2048)


async def _serve_for_ever(host: str, port: int) -> None:
    server = await serve(host, port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve until told to stop; the first line printed is the port."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    uvloop.run(_serve_for_ever(arguments.host, arguments.port))


if __name__ == "__main__":
    main()

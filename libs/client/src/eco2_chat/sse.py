"""Server-sent events from bytes, as the HTML standard reads them; an event that is cut off is none."""

import codecs
import re
from dataclasses import dataclass

from eco2_chat.errors import NotOurStream

_LINE = re.compile(r"\r\n|\n|\r")
EVENT_MAX_CHARS = 16 * 1024 * 1024
RETRY_MAX_MS = 60_000


@dataclass(frozen=True, slots=True)
class Block:
    """One event of the stream."""

    event: str
    data: str
    id: str | None


class SseReader:
    """Takes bytes as they come and gives whole events."""

    def __init__(self) -> None:
        self.retry_ms: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._text = ""
        self._event = ""
        self._data: list[str] = []
        self._id: str | None = None

    def feed(self, chunk: bytes) -> list[Block]:
        """The events that these bytes complete; raises NotOurStream."""
        self._text += self._decoder.decode(chunk)
        # A carriage return at the end may be half of a line's end.
        held = "\r" if self._text.endswith("\r") else ""
        *lines, rest = _LINE.split(self._text[: len(self._text) - len(held)])
        self._text = rest + held
        if len(self._text) + sum(map(len, self._data)) > EVENT_MAX_CHARS:
            raise NotOurStream
        return [block for line in lines if (block := self._line(line)) is not None]

    def _line(self, line: str) -> Block | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._event = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = min(int(value), RETRY_MAX_MS)
        return None

    def _dispatch(self) -> Block | None:
        event, data, id = self._event, self._data, self._id
        self._event, self._data, self._id = "", [], None
        return Block(event or "message", "\n".join(data), id) if data else None

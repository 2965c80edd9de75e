"""A job's log as the chunks of a streamed chat completion."""

from typing import Any

import orjson
from eco2_bus.events import Ended, Image, LogEntry, Problem

from chat_api.facade import SSE_DONE, sse
from chat_api.openai_api.answer import BROKEN_OFF, CANCELLED, RESTARTED, Envelope, finish_of
from chat_api.openai_api.errors import error_object


class Chunks:
    """Tells one stream. Text that was shown cannot be taken back: an attempt begun anew is an error then."""

    def __init__(self, envelope: Envelope, *, includes_usage: bool) -> None:
        self._envelope = envelope
        self._includes_usage = includes_usage
        self._images: list[Image] = []
        self._has_text = False
        self.has_ended = False
        before, _, after = envelope.chunk({"content": "%"}).partition(b'"%"')
        self._before, self._after = b"data: " + before, after + b"\n\n"

    def begin(self) -> bytes:
        """The chunk with the role, and with what is needed to cancel or to come back."""
        delta = {"role": "assistant", "content": ""}
        return sse(self._envelope.chunk(delta, eco2=self._envelope.vendor()))

    def tell(self, entry: LogEntry) -> bytes:
        """The chunks that an entry makes."""
        match entry.event:
            case "token":
                return self._text(entry.json()["text"])
            case "image":
                self._images.append(Image(**entry.json()))
            case "reset":
                self._images.clear()
                return self._error(RESTARTED) if self._has_text else b""
            case "input_required":
                return self._text(entry.json()["message"]) + self._end()
            case "done":
                return self._done(Ended(**entry.json()))
            case "error":
                return self._error(Problem(**entry.json()))
            case "cancelled":
                return self._error(CANCELLED)
            case _:
                pass
        return b""

    def broken_off(self) -> bytes:
        """An error: a stream that merely stopped would pass for a whole answer."""
        return self._error(BROKEN_OFF)

    def _text(self, text: str) -> bytes:
        self._has_text = True
        return self._before + orjson.dumps(text) + self._after

    def _done(self, ended: Ended) -> bytes:
        appendix = self._envelope.appendix(self._images, ended)
        return (self._text(appendix) if appendix else b"") + self._end(ended)

    def _end(self, ended: Ended | None = None) -> bytes:
        self.has_ended = True
        more: dict[str, Any] = {"eco2": self._envelope.vendor(ended)}
        last = sse(self._envelope.chunk({}, finish_of(ended), **more))
        if self._includes_usage and ended is not None:
            last += sse(self._envelope.usage_chunk(ended))
        return last + SSE_DONE

    def _error(self, problem: Problem) -> bytes:
        self.has_ended = True
        return sse(orjson.dumps({"error": error_object(problem)}))

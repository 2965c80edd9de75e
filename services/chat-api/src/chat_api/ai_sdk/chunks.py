"""A job's log as the chunks of a UI message, which the AI SDK's client puts together again."""

from typing import Any

import orjson
from eco2_bus.events import (
    START,
    Ended,
    EntryId,
    Image,
    InputRequired,
    LogEntry,
    Problem,
    Source,
    Stage,
)

from chat_api.facade import SSE_DONE, sse

RESTARTED = "The answer began anew. Resume the stream to see it."
BROKEN_OFF = "The stream ends here, the answer goes on. Resume the stream to see it."


class UiChunks:
    """Tells one message, whose id is the job's.

    Text cannot be taken back in a stream, but a resumed stream rebuilds the message: an attempt that begins
    anew ends the stream with an error, and a resumed one holds back what is there up to the entry `past`,
    so as to leave out what was reset.
    """

    def __init__(self, job_id: str, session_id: str, base_url: str, *, past: EntryId = START) -> None:
        self._job_id = job_id
        self._session_id = session_id
        self._base_url = base_url
        self._past = past
        self._held = b""
        self._parts = 0
        self._is_open = False
        self._has_content = False
        self.has_ended = False

    def begin(self) -> bytes:
        """The message's id and what is needed to cancel it."""
        ids = {"job_id": self._job_id, "session_id": self._session_id}
        return _chunk("start", messageId=self._job_id, messageMetadata=ids)

    def tell(self, entry: LogEntry) -> bytes:
        """The chunks that an entry makes."""
        if entry.id > self._past:
            return self._told(entry)
        if entry.event == "reset":
            self._held, self._is_open, self._has_content = b"", False, False
        self._held += self._told(entry)
        return self._held if entry.id == self._past else b""

    def broken_off(self) -> bytes:
        """An error, so that the client knows that there is more."""
        return self._broken(BROKEN_OFF)

    def _told(self, entry: LogEntry) -> bytes:
        match entry.event:
            case "token":
                return self._token(entry.json()["text"])
            case "stage":
                stage = Stage(**entry.json())
                data = stage.model_dump(exclude_none=True)
                return _chunk("data-stage", id=stage.node, data=data, transient=True)
            case "sources":
                return self._content([_source(n, Source(**one)) for n, one in enumerate(entry.json(), 1)])
            case "image":
                return self._content([self._image(Image(**entry.json()))])
            case "input_required":
                return self._input_required(InputRequired(**entry.json()))
            case "reset":
                return self._broken(RESTARTED) if self._has_content else b""
            case "done":
                return self._done(Ended(**entry.json()))
            case "cancelled":
                self.has_ended = True
                return self._close() + _chunk("abort", reason="cancelled") + SSE_DONE
            case "error":
                return self._broken(Problem(**entry.json()).detail)
            case _:
                return b""

    def _token(self, text: str) -> bytes:
        opened = b"" if self._is_open else self._open()
        return opened + _chunk("text-delta", id=f"text-{self._parts}", delta=text)

    def _open(self) -> bytes:
        self._is_open = self._has_content = True
        self._parts += 1
        return _chunk("text-start", id=f"text-{self._parts}")

    def _close(self) -> bytes:
        if not self._is_open:
            return b""
        self._is_open = False
        return _chunk("text-end", id=f"text-{self._parts}")

    def _content(self, chunks: list[bytes]) -> bytes:
        self._has_content = True
        return b"".join(chunks)

    def _image(self, image: Image) -> bytes:
        named = {"eco2": {"alt": image.alt}}
        url = f"{self._base_url}{image.url}"
        return _chunk("file", url=url, mediaType="image/*", providerMetadata=named)

    def _input_required(self, wanted: InputRequired) -> bytes:
        data = {**wanted.model_dump(), "input_url": f"/api/v1/chat/{self._job_id}/input"}
        return self._content([_chunk("data-input-required", id="input", data=data)])

    def _done(self, ended: Ended) -> bytes:
        self.has_ended = True
        told = ended.model_dump(exclude={"answer", "finish_reason", "sources"})
        metadata = {"job_id": self._job_id, "session_id": self._session_id, **told}
        return (
            self._close()
            + _chunk("finish", finishReason=ended.finish_reason, messageMetadata=metadata)
            + SSE_DONE
        )

    def _broken(self, text: str) -> bytes:
        self.has_ended = True
        return self._close() + _chunk("error", errorText=text) + SSE_DONE


def _source(number: int, source: Source) -> bytes:
    known = {"eco2": source.model_dump(exclude_none=True)}
    if source.url is not None:
        return _chunk(
            "source-url", sourceId=str(number), url=source.url, title=source.document, providerMetadata=known
        )
    return _chunk(
        "source-document",
        sourceId=str(number),
        mediaType="text/plain",
        title=source.document,
        providerMetadata=known,
    )


def _chunk(kind: str, **fields: Any) -> bytes:
    return sse(orjson.dumps({"type": kind, **fields}))

"""chat-worker as a later version may be: it reads jobs of schema 2, and says what nobody knows yet."""

import sys

import orjson
from chat_worker.__main__ import main
from eco2_bus.job import ChatJob
from eco2_bus.writer import LogWriter

_from_body, _end = ChatJob.from_body, LogWriter.end


def newer(job: ChatJob) -> bytes:
    """The body of a job as a later chat-api would publish it: another number, another shape."""
    fields = orjson.loads(job.to_body())
    parts = [{"text": fields.pop("message")}]
    return orjson.dumps({**fields, "schema": 2, "parts": parts, "mood": "good"})


def _read(body: bytes) -> ChatJob:
    fields = orjson.loads(body)
    if fields["schema"] == 2:
        fields |= {"schema": 1, "message": fields.pop("parts")[0]["text"]}
    return _from_body(orjson.dumps(fields))


async def _say_more(self: LogWriter, event: str, data: bytes) -> None:
    self.event("confetti", b'{"colour":"green"}')
    await _end(self, event, orjson.dumps({**orjson.loads(data), "mood": "good"}))


if __name__ == "__main__":
    ChatJob.from_body = _read  # type: ignore[method-assign,assignment]
    LogWriter.end = _say_more  # type: ignore[method-assign]
    sys.exit(main())

"""An answer, put together from its events."""

from dataclasses import dataclass

from eco2_chat.errors import AnswerFailed
from eco2_chat.events import Cancelled, Done, Event, Failed, Gap, Queued, Reset, Source, Token, Usage


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question."""

    text: str
    job_id: str
    session_id: str
    sources: tuple[Source, ...]
    usage: Usage
    is_cancelled: bool
    sample_data: bool
    trace_id: str


class Listener:
    """Hears every event of a job, and has its text exactly once."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._queued: Queued | None = None
        self._end: Done | Cancelled | Failed | None = None

    @property
    def text(self) -> str:
        """What a reader should see now."""
        return "".join(self._pieces)

    def hear(self, event: Event) -> None:
        """Takes one event."""
        match event:
            case Token(text):
                self._pieces.append(text)
            case Reset() | Gap():
                self._pieces.clear()
            case Queued():
                self._queued = event
            case Done() | Failed():
                self._end = event
            case _:
                pass

    def answer(self) -> Answer:
        """What it came to; raises AnswerFailed."""
        assert self._end is not None, "the events have not come to their end"
        queued, end = self._queued or Queued("", ""), self._end
        if isinstance(end, Failed):
            raise AnswerFailed(queued.job_id, end.code, end.detail)
        return Answer(
            text=end.answer,
            job_id=queued.job_id,
            session_id=queued.session_id,
            sources=end.sources,
            usage=end.usage,
            is_cancelled=isinstance(end, Cancelled),
            sample_data=end.sample_data,
            trace_id=end.trace_id,
        )

"""What was asked, what was accepted, and what every viewer saw of it."""

import time
from dataclasses import dataclass, field
from typing import Any

from chaos.question import Question

TERMINAL = ("done", "error", "cancelled")


@dataclass
class View:
    """All that one viewer of one job was shown, in the order in which it came."""

    name: str
    events: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])
    """Id, event and data; what a `gap` took back is not among them."""
    taken_back: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])
    gaps: list[float] = field(default_factory=list[float])
    """When each came, in monotonic seconds."""
    is_expired: bool = False
    """True when the events were gone and only the stored answer was left (410)."""

    def see(self, event_id: str, event: str, data: Any) -> None:
        """Take down one event."""
        if event == "gap":
            self.gaps.append(time.monotonic())
            self.taken_back += self.events
            self.events = []
        else:
            self.events.append((event_id, event, data))

    @property
    def last_id(self) -> str | None:
        """Where the viewer goes on when it comes back."""
        return self.events[-1][0] if self.events else None

    @property
    def end(self) -> str:
        """The name of the terminal event, or nothing."""
        return self.events[-1][1] if self.events and self.events[-1][1] in TERMINAL else ""

    @property
    def has_ended(self) -> bool:
        """True once there is nothing more to come."""
        return self.is_expired or bool(self.end)

    @property
    def texts(self) -> list[str]:
        """The answer's text of every attempt; the last one is what the viewer is left with."""
        texts = [""]
        for _, event, data in self.events:
            if event == "reset":
                texts.append("")
            elif event == "token":
                texts[-1] += data["text"]
        return texts


@dataclass
class Asked:
    """One question with all that became of it."""

    question: Question
    key: str
    session_id: str | None = None
    job_ids: list[str] = field(default_factory=list[str])
    """What each `202` named; all of them are to be the same."""
    accepted_at: float = 0.0
    ended_at: float = 0.0
    """When the first viewer saw the end, in monotonic seconds."""
    is_cancel_asked: bool = False
    views: list[View] = field(default_factory=list[View])
    status: dict[str, Any] = field(default_factory=dict[str, Any])
    """The answer of the status call in the end."""
    is_dead_letter: bool = False
    """True when the job's message was found in the dead-letter queue."""

    @property
    def is_accepted(self) -> bool:
        """True once it was answered with `202`."""
        return bool(self.job_ids)

    @property
    def job_id(self) -> str:
        """The job; there is one only for what was accepted."""
        return self.job_ids[0]

    @property
    def state(self) -> str:
        """How the job stands by the status call; empty before it was made."""
        return self.status.get("status", "")

    def new_view(self, name: str) -> View:
        """The page of one more viewer."""
        view = View(name)
        self.views.append(view)
        return view


class Ledger:
    """Every question of a run, and when entries may have been lost with a failover."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.failovers: list[float] = []
        self.replies: dict[str, int] = {}
        """How often each call was answered in each way, for information."""

    @property
    def accepted(self) -> list[Asked]:
        """What was answered with `202`, and so has to end."""
        return [job for job in self.asked if job.is_accepted]

    def open(self, question: Question, session_id: str | None) -> Asked:
        """The page of a question that is about to be asked."""
        # The tag is used once in a run, so it makes a good key.
        job = Asked(question, key=question.tag, session_id=session_id)
        self.asked.append(job)
        return job

    def under_way(self) -> list[Asked]:
        """What was accepted and has not ended, as far as its viewers know."""
        return [job for job in self.accepted if not job.ended_at]

    def count(self, reply: str) -> None:
        """Count an answer of the API's."""
        self.replies[reply] = self.replies.get(reply, 0) + 1

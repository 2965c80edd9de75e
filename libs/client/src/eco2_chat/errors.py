"""What can go wrong, each with what the caller needs to act."""

from collections.abc import Mapping
from typing import Any


class Eco2Error(Exception):
    """Anything that this package raises of its own."""


class ApiError(Eco2Error):
    """The API refused; `code` is for programs, `detail` for people."""

    def __init__(self, status: int, code: str, detail: str, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{code} (HTTP {status}): {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.problem = problem


class ConnectionLost(Eco2Error):
    """The API could not be reached for longer than the client's patience.

    The job goes on: `events(job_id, after=last_event_id)` takes it up again.
    """

    def __init__(self, job_id: str | None, last_event_id: str | None) -> None:
        known = f"; job {job_id} goes on, its last event here was {last_event_id}" if job_id else ""
        super().__init__(f"no connection{known}")
        self.job_id = job_id
        self.last_event_id = last_event_id


class AnswerFailed(Eco2Error):
    """The question was taken and could not be answered; `code` and `detail` say why."""

    def __init__(self, job_id: str, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.job_id = job_id
        self.code = code
        self.detail = detail


class NotOurStream(Eco2Error):
    """What came is no event stream of this API: something in between changed it, or it is another server."""

"""A job's log as one whole chat completion."""

from typing import Any

from eco2_bus.events import START, Ended, Image, LogEntry, Problem
from eco2_bus.log import LogGone

from chat_api import errors
from chat_api.auth.lasting import CredentialEnded, while_valid
from chat_api.auth.links import Links
from chat_api.deps import Services
from chat_api.errors import ApiProblem
from chat_api.openai_api.answer import BROKEN_OFF, CANCELLED, Envelope


async def complete(services: Services, links: Links, envelope: Envelope) -> dict[str, Any]:
    """Follows a job to its end, or to a question to the user; raises ApiProblem."""
    completion = _Completion(envelope)
    try:
        log = services.log.follow(envelope.queued.job_id, START)
        async for entries in while_valid(links.caller, log):
            for entry in links.entries(entries):
                if (whole := completion.hear(entry)) is not None:
                    return whole
    except LogGone:
        raise _raised(BROKEN_OFF) from None
    except CredentialEnded:
        raise errors.credential_expired() from None
    raise _raised(BROKEN_OFF)


class _Completion:
    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._text: list[str] = []
        self._images: list[Image] = []

    def hear(self, entry: LogEntry) -> dict[str, Any] | None:
        match entry.event:
            case "token":
                self._text.append(entry.json()["text"])
            case "image":
                self._images.append(Image(**entry.json()))
            case "reset":
                self._text.clear()
                self._images.clear()
            case "input_required":
                return self._envelope.whole("".join([*self._text, entry.json()["message"]]), None)
            case "done":
                ended = Ended(**entry.json())
                text = ended.answer + self._envelope.appendix(self._images, ended)
                return self._envelope.whole(text, ended)
            case "error":
                raise _raised(Problem(**entry.json()))
            case "cancelled":
                raise _raised(CANCELLED)
            case _:
                pass
        return None


def _raised(problem: Problem) -> ApiProblem:
    # Asked again, the same question would begin a second job: no client should do that by itself.
    headers = {"x-should-retry": "false"}
    return ApiProblem(problem.status, problem.code, problem.title, problem.detail, headers=headers)

"""What the façades for other protocols share: asking in their caller's name, and retelling a job's log."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Protocol

from eco2_bus.events import START, LogEntry, Queued
from eco2_bus.log import LogGone, LogUnavailable
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from chat_api.auth.lasting import CredentialEnded, while_valid
from chat_api.auth.links import Links
from chat_api.deps import Services
from chat_api.job_events import JobEvents
from chat_api.limits.submits import Admission
from chat_api.requests import ChatRequest, upload_of
from chat_api.submission import Question, submit_once

PICTURE_ONLY = "이 사진에 있는 것은 어떻게 버려요?"
"""What is asked when a picture comes without a word."""


class Teller(Protocol):
    """One viewer's protocol: turns entries of the log into bytes for the socket."""

    has_ended: bool
    """Nothing more is to be told, though the log may go on."""

    def begin(self) -> bytes:
        """What is sent at once."""
        ...

    def tell(self, entry: LogEntry) -> bytes:
        """The entry in the protocol's words, or nothing."""
        ...

    def broken_off(self) -> bytes:
        """The log cannot be followed to its end here."""
        ...


async def ask(
    services: Services, caller: str, admission: Admission, fields: Mapping[str, Any], key: str | None
) -> Queued:
    """Submits a question as `POST /api/v1/chat` does; raises RequestValidationError and what that raises."""
    try:
        body = ChatRequest.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    return await submit_once(services, Question(body, caller, await upload_of(body), admission), key)


def retell(
    services: Services,
    links: Links,
    job_id: str,
    teller: Teller,
    headers: Mapping[str, str],
) -> JobEvents:
    """The response that streams a job in another protocol; a viewer that leaves changes nothing."""
    return JobEvents(_told(services, links, job_id, teller), services.settings, headers=headers)


async def _told(services: Services, links: Links, job_id: str, teller: Teller) -> AsyncGenerator[bytes]:
    yield teller.begin()
    try:
        async for entries in while_valid(links.caller, services.log.follow(job_id, START)):
            if told := b"".join(_until_ended(teller, links.entries(entries))):
                yield told
            if teller.has_ended:
                return
    except (LogGone, LogUnavailable, CredentialEnded):
        pass
    # No end in the log: it was erased, the credential has ended, or this process is leaving.
    yield teller.broken_off()


def _until_ended(teller: Teller, entries: Sequence[LogEntry]) -> list[bytes]:
    told: list[bytes] = []
    for entry in entries:
        told.append(teller.tell(entry))
        if teller.has_ended:
            break
    return told


def sse(data: bytes) -> bytes:
    """A server-sent event that is nothing but its data."""
    return b"data: %b\n\n" % data


SSE_DONE = sse(b"[DONE]")

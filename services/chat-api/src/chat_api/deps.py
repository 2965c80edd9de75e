"""What the endpoints need, put together once per process."""

from dataclasses import dataclass, field
from typing import Annotated, cast

from eco2_bus.dead_letters import DeadLetters
from eco2_bus.log import EventLog
from eco2_bus.pictures import Pictures
from eco2_bus.queue import JobQueue
from eco2_history import TurnStore
from eco2_telemetry.setup import Telemetry
from fastapi import Depends, Path, Query, Request

from chat_api.auth.access import Access
from chat_api.auth.caller import Caller
from chat_api.auth.links import Links
from chat_api.auth.tickets import events_scope, picture_scope
from chat_api.claims import Claims
from chat_api.limits.stores import LimitStores, in_memory
from chat_api.settings import ApiSettings


@dataclass(frozen=True)
class Services:
    """The outside world of chat-api."""

    settings: ApiSettings
    queue: JobQueue
    log: EventLog
    claims: Claims
    telemetry: Telemetry
    turns: TurnStore
    pictures: Pictures
    dead_letters: DeadLetters
    messaging_system: str = "rabbitmq"
    limits: LimitStores = field(default_factory=in_memory)


def turn_store(settings: ApiSettings) -> TurnStore:
    """The turns that the settings name; raises ValueError for a database of another kind."""
    return TurnStore(settings.database_url.get_secret_value(), upgrades=settings.database_auto_upgrade)


async def _services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


Deps = Annotated[Services, Depends(_services)]


async def _access(request: Request) -> Access:
    return cast(Access, request.app.state.access)


_Access = Annotated[Access, Depends(_access)]
_Ticket = Annotated[str | None, Query(description="Stands for the credential, at this address only")]


async def caller(request: Request, access: _Access) -> Caller:
    """Who is calling; raises `401`, and KeysUnavailable. Everybody is the same without authentication."""
    known = cast(Caller | None, getattr(request.state, "caller", None))
    return known or await access.caller(request.headers.getlist("authorization"))


Calling = Annotated[Caller, Depends(caller)]


async def owner(who: Calling) -> str:
    """Whose the request's jobs, sessions and pictures are."""
    return who.owner


Owner = Annotated[str, Depends(owner)]


async def _links(who: Calling, access: _Access) -> Links:
    return Links(who, access.tickets)


Addresses = Annotated[Links, Depends(_links)]
"""Addresses for the caller."""


async def _events_reader(
    request: Request, access: _Access, job_id: Annotated[str, Path()], ticket: _Ticket = None
) -> Links:
    shown = request.headers.getlist("authorization")
    return Links(await access.reader(shown, ticket, events_scope(job_id)), access.tickets)


EventsReader = Annotated[Links, Depends(_events_reader)]
"""As `Addresses`, of whoever may read a job's events: a ticket does."""


async def _picture_reader(
    request: Request, access: _Access, picture_id: Annotated[str, Path()], ticket: _Ticket = None
) -> Caller:
    shown = request.headers.getlist("authorization")
    return await access.reader(shown, ticket, picture_scope(picture_id))


PictureReader = Annotated[Caller, Depends(_picture_reader)]
"""Who may see a picture: a ticket does."""

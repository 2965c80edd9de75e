"""What the endpoints need, put together once per process."""

from dataclasses import dataclass
from typing import Annotated, cast

from eco2_bus.dead_letters import DeadLetters
from eco2_bus.log import EventLog
from eco2_bus.pictures import Pictures
from eco2_bus.queue import JobQueue
from eco2_history import TurnStore
from eco2_telemetry.setup import Telemetry
from fastapi import Depends, Request

from chat_api.auth.caller import ANONYMOUS, Caller
from chat_api.claims import Claims
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


def turn_store(settings: ApiSettings) -> TurnStore:
    """The turns that the settings name; raises ValueError for a database of another kind."""
    return TurnStore(settings.database_url.get_secret_value(), upgrades=settings.database_auto_upgrade)


async def _services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


Deps = Annotated[Services, Depends(_services)]


async def caller(_request: Request) -> Caller:
    """Who is calling; everybody is the same without authentication."""
    return ANONYMOUS


Calling = Annotated[Caller, Depends(caller)]


async def owner(who: Calling) -> str:
    """Whose the request's jobs, sessions and pictures are."""
    return who.owner


Owner = Annotated[str, Depends(owner)]

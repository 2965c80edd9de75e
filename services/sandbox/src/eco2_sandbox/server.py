"""The state one running sandbox keeps, handed to the routes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

from eco2_sandbox.behaviour import Controls
from eco2_sandbox.pace import Pace, Profile
from eco2_sandbox.settings import Settings
from eco2_sandbox.traffic import Traffic
from eco2_sandbox.vendors.behaviour import VendorControls

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


@dataclass
class Server:
    """Settings, the behaviour in force, the clock, and the traffic seen."""

    settings: Settings
    now: Clock = utc_now
    controls: Controls = field(init=False)
    pace: Pace = field(init=False)
    vendors: VendorControls = field(default_factory=VendorControls)
    traffic: Traffic = field(default_factory=Traffic)

    def __post_init__(self) -> None:
        self.controls = Controls(self.settings.behaviour())
        self.pace = Pace(Profile(name=self.settings.profile, seed=self.settings.profile_seed))


def _server(request: Request) -> Server:
    return request.app.state.server


ServerDep = Annotated[Server, Depends(_server)]

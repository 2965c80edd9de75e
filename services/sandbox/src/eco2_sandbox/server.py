"""The state one running sandbox keeps, handed to the routes."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from eco2_sandbox.behaviour import Controls
from eco2_sandbox.settings import Settings
from eco2_sandbox.traffic import Traffic


@dataclass
class Server:
    """Settings, the behaviour in force, and the traffic seen."""

    settings: Settings
    controls: Controls = field(init=False)
    traffic: Traffic = field(default_factory=Traffic)

    def __post_init__(self) -> None:
        self.controls = Controls(self.settings.behaviour())


def _server(request: Request) -> Server:
    return request.app.state.server


ServerDep = Annotated[Server, Depends(_server)]

"""The control door: tests and load runs change the stand-ins here and read what they saw."""

from fastapi import APIRouter

from eco2_sandbox.behaviour import Behaviour
from eco2_sandbox.server import ServerDep

router = APIRouter(prefix="/sandbox", tags=["sandbox"])


@router.get("/behaviour")
async def show_behaviour(server: ServerDep) -> Behaviour:
    """Return the behaviour in force."""
    return server.controls.current


@router.put("/behaviour")
async def replace_behaviour(wanted: Behaviour, server: ServerDep) -> Behaviour:
    """Put a behaviour in force; fields left out are as in the settings."""
    return server.controls.replace(wanted)


@router.delete("/behaviour")
async def reset_behaviour(server: ServerDep) -> Behaviour:
    """Return to the behaviour of the settings."""
    return server.controls.reset()


@router.get("/requests")
async def count_requests(server: ServerDep) -> dict[str, dict[str, int]]:
    """Return how many requests of each kind came, are open now, and how the others ended."""
    return server.traffic.counts()

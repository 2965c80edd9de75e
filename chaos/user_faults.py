"""Users that are a burden: slow, in doubt, impatient, and one whose question no model survives."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chaos.crowd import new_tag
from chaos.question import Question
from chaos.scene import Scene


@asynccontextmanager
async def slow_readers(scene: Scene) -> AsyncGenerator[None]:
    """Long answers for viewers that hardly read."""
    for _ in range(2):
        question = Question(new_tag(scene.chance), words=400, word_ms=3, padding=600)
        scene.crowd.ask_aside(question, slow_for_s=8)
    yield


@asynccontextmanager
async def cancel_storm(scene: Scene) -> AsyncGenerator[None]:
    """Most of what is under way is cancelled, twice and at once."""
    await scene.crowd.cancel_storm(0.7)
    yield
    await scene.crowd.cancel_storm(0.3)


@asynccontextmanager
async def poison(scene: Scene) -> AsyncGenerator[None]:
    """Questions on which the model breaks off every time."""
    for _ in range(2):
        scene.crowd.ask_aside(Question(new_tag(scene.chance), words=50, kind="poison"))
    yield


@asynccontextmanager
async def duplicates(scene: Scene) -> AsyncGenerator[None]:
    """One question, asked four times at once under one key, at both APIs."""
    for _ in range(3):
        scene.crowd.ask_aside(Question(new_tag(scene.chance), words=120), copies=4)
    yield

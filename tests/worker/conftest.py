from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from chat_worker import consumer, patience

from tests.worker.world import World


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed attempt is retried at once; in earnest later ones wait for seconds."""
    for module in (consumer, patience):
        monkeypatch.setattr(module, "random", SimpleNamespace(uniform=lambda *_: 0.001))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A running worker."""
    async with World() as world:
        yield world

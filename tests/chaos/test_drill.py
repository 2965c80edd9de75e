"""The time of a run is the time for faults."""

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chaos import drill
from chaos.faults import Fault, Happened
from chaos.scene import Scene
from chaos.schedule import faults_for

WARM_UP_S = 45


class Clock:
    """Time that passes with what the drill does, and with nothing else."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def came_true(self, *_: Any) -> bool:
        """The first jobs of this machine end late, and every later one at once."""
        self.now += WARM_UP_S if self.now == 1_000 else 0
        return True

    async def let_happen(self, fault: Fault, scene: Scene) -> Happened:
        self.now += fault.takes_s
        return Happened(fault, self.now)


async def test_a_slow_warm_up_takes_no_time_from_the_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(drill, "time", clock)
    monkeypatch.setattr(drill, "asyncio", SimpleNamespace(sleep=clock.sleep))
    monkeypatch.setattr(drill, "came_true", clock.came_true)
    monkeypatch.setattr(drill, "let_happen", clock.let_happen)
    run = drill.Drill(1, 1, Path(), None)

    nothing: Any = None
    await run._break(Scene(nothing, nothing, random.Random(1)))

    assert {one.fault.name for one in run.happened} == {fault.name for fault in faults_for(1)}
    assert clock.now >= 1_000 + WARM_UP_S + 60

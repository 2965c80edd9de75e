"""Every fault comes, in a seeded order, in the time there is."""

import random

import pytest

from chaos.faults import FAULTS, Fault
from chaos.schedule import OVERTIME_S, faults_for, faults_in_order


class Clock:
    """Time that passes only with the faults that come."""

    def __init__(self, minutes: float, slowness: float = 1) -> None:
        self.left_s = minutes * 60
        self._slowness = slowness

    def run(self, minutes: float, seed: int, *, has_previous: bool = True) -> list[Fault]:
        came: list[Fault] = []
        chance = random.Random(seed)
        for fault in faults_in_order(minutes, chance, lambda: self.left_s, has_previous=has_previous):
            came.append(fault)
            self.left_s -= fault.takes_s * self._slowness
        return came


@pytest.mark.parametrize("seed", range(5))
def test_five_minutes_have_every_fault_and_end_in_time(seed: int) -> None:
    clock = Clock(5)
    assert {fault.name for fault in clock.run(5, seed)} == {fault.name for fault in FAULTS}
    assert clock.left_s >= 0


@pytest.mark.parametrize("seed", range(5))
def test_a_slow_machine_has_every_fault_a_little_later(seed: int) -> None:
    came = Clock(5, slowness=1.6).run(5, seed)
    assert [fault.name for fault in FAULTS if fault not in came] == []


@pytest.mark.parametrize("seed", range(5))
def test_one_minute_has_every_brief_fault(seed: int) -> None:
    came = Clock(1).run(1, seed)
    assert {fault.name for fault in came} == {fault.name for fault in FAULTS if fault.is_brief}


def test_the_faults_that_a_short_run_must_have_are_brief() -> None:
    brief = " ".join(fault.name for fault in faults_for(1))
    for part in ("worker kill", "API kill", "SIGSTOP", "RabbitMQ", "Redis kill", "failover", "partition"):
        assert part in brief
    for part in ("cancel storm", "poison", "duplicate"):
        assert part in brief


def test_without_an_earlier_commit_a_rolling_restart_to_it_does_not_come() -> None:
    clock = Clock(5)
    came = {fault.name for fault in clock.run(5, 1, has_previous=False)}
    assert {fault.name for fault in faults_for(5)} - came == {"rolling restart, previous commit"}


def test_a_seed_tells_the_order_and_another_one_another() -> None:
    assert Clock(5).run(5, 1) == Clock(5).run(5, 1) != Clock(5).run(5, 2)


def test_no_fault_begins_when_time_is_up() -> None:
    clock = Clock(5)
    order = faults_in_order(5, random.Random(1), lambda: clock.left_s)
    next(order)
    clock.left_s = -OVERTIME_S
    assert list(order) == []

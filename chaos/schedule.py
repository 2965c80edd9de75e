"""Which fault comes when: in a seeded order, each at least once where there is time for all."""

import random
from collections.abc import Callable, Iterator

from chaos.faults import FAULTS, Fault

BRIEF_UNTIL_MINUTES = 5.0
"""A shorter run has the brief faults only."""
OVERTIME_S = 60.0
"""What a long run may take longer on a slow machine, so that it has every fault."""


def faults_for(minutes: float) -> list[Fault]:
    """What a run of this length is to have, each at least once."""
    return [fault for fault in FAULTS if fault.is_brief or minutes >= BRIEF_UNTIL_MINUTES]


def faults_in_order(
    minutes: float, chance: random.Random, left_s: Callable[[], float], *, has_previous: bool = True
) -> Iterator[Fault]:
    """Every fault once, shuffled, then any that fit into what is left of the time (`left_s`, in seconds).

    Without the sources of an earlier revision (`has_previous`) those that need them do not come.
    """
    wanted = [fault for fault in faults_for(minutes) if has_previous or not fault.needs_previous]
    first = list(wanted)
    chance.shuffle(first)
    overtime_s = OVERTIME_S if minutes >= BRIEF_UNTIL_MINUTES else 0.0
    for fault in first:
        if left_s() + overtime_s <= 0:
            return
        yield fault
    while fitting := [fault for fault in wanted if fault.takes_s <= left_s()]:
        yield chance.choice(fitting)

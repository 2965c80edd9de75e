"""What a fault may reach for, and what a fault is to be."""

import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from chaos.crowd import Crowd
from chaos.stage import Stage


@dataclass(frozen=True)
class Scene:
    """What a fault may reach for."""

    stage: Stage
    crowd: Crowd
    chance: random.Random


Begin = Callable[[Scene], AbstractAsyncContextManager[None]]
"""A fault as a context: it begins, lasts as long as the block, and ends."""

"""How long, and how often, a client tries again."""

import random
from dataclasses import dataclass

JUMP_MAX = 16


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in seconds. `total_s` is how long nothing may get through; what comes through begins it anew."""

    total_s: float = 120.0
    first_s: float = 0.25
    longest_s: float = 10.0
    connect_s: float = 10.0
    silence_s: float = 40.0
    """A stream that says nothing for so long, heartbeats included, is taken for dead."""

    def delay_s(self, failures: int, at_least_s: float = 0.0) -> float:
        """Full jitter, so that clients that were cut together do not come back together."""
        ceiling = min(self.longest_s, self.first_s * 2 ** min(failures, JUMP_MAX))
        return max(at_least_s, random.uniform(0, ceiling))

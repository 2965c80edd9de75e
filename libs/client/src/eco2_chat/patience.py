"""How long, and how often, a client tries again."""

import random
from dataclasses import dataclass

JUMP_MAX = 16


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in seconds."""

    stream_s: float = 120.0
    """How long nothing of a stream may get through; what comes through begins it anew."""
    call_s: float = 30.0
    """How long any other call is tried."""
    first_s: float = 0.25
    longest_s: float = 10.0
    connect_s: float = 10.0
    silence_s: float = 40.0
    """A stream that says nothing for so long, heartbeats included, is taken for dead."""

    def delay_s(self, failures: int, at_least_s: float = 0.0) -> float:
        """Full jitter, so that clients that were cut together do not come back together."""
        ceiling = min(self.longest_s, self.first_s * 2 ** min(failures, JUMP_MAX))
        return max(at_least_s, random.uniform(0, ceiling))

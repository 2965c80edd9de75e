"""How long things take: named profiles of latencies, the same delays in every run with one seed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from statistics import NormalDist
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from eco2_sandbox.behaviour import Behaviour
from eco2_sandbox.vendors.behaviour import Vendor

Step = Vendor | Literal["structured", "grounded_answer", "general_answer", "embeddings"]
ProfileName = Literal["instant", "service-levels"]

_Z95, _Z99 = NormalDist().inv_cdf(0.95), NormalDist().inv_cdf(0.99)
_LONGEST_SHARE_OF_P99 = 1.5
# A model thinks for a while, then writes.
_FIRST_TOKEN_SHARE = 0.3


@dataclass(frozen=True)
class Latency:
    """A spread of delays by its quantiles, log-normal between them; without p99 as p50 and p95 go on."""

    p50_ms: float
    p95_ms: float
    p99_ms: float | None = None

    def at(self, share: float) -> float:
        """Return the delay that this share of all requests does not exceed, in milliseconds."""
        z = NormalDist().inv_cdf(min(max(share, 1e-6), 1 - 1e-6))
        slope = math.log(self.p95_ms / self.p50_ms) / _Z95
        p99 = self.p99_ms or self.p50_ms * math.exp(slope * _Z99)
        if z <= _Z95:
            return self.p50_ms * math.exp(slope * z)
        tail = math.log(p99 / self.p95_ms) / (_Z99 - _Z95)
        return min(self.p95_ms * math.exp(tail * (z - _Z95)), p99 * _LONGEST_SHARE_OF_P99)


# Telemetry specification, section 6. The whole answer less intent (and search) is left for the last call;
# the ends of a range "under load" are p50 and p95, as the rows of waste and general show.
_LIKE_LOCATION = Latency(200, 500)
_SERVICE_LEVELS: Mapping[Step, Latency] = {
    "structured": Latency(100, 300, 500),
    "embeddings": Latency(500, 1_000, 2_000),
    "grounded_answer": Latency(1_400, 3_700, 7_500),
    "general_answer": Latency(900, 2_700, 4_500),
    "kakao": _LIKE_LOCATION,
    "boxes": Latency(500, 1_000),
    "keco": Latency(500, 1_000),
    "mois": Latency(1_000, 3_000),
    "fees": Latency(1_000, 3_000),
    "tavily": Latency(1_000, 2_000),
    # Not in the specification: weather is asked for like a place, prices are slow, drawing takes 10 to 60 s.
    "kma": _LIKE_LOCATION,
    "prices": Latency(2_000, 20_000),
    "images": Latency(20_000, 60_000),
}
PROFILES: Mapping[ProfileName, Mapping[Step, Latency]] = {"instant": {}, "service-levels": _SERVICE_LEVELS}


class Profile(BaseModel):
    """A named profile; `scale` makes all of it quicker or slower."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ProfileName = "instant"
    seed: int = 1
    scale: float = Field(default=1, gt=0, le=10)


class Pace:
    """Delays of the profile in force: the n-th request of a kind takes as long in every run."""

    def __init__(self, start: Profile) -> None:
        self._start = start
        self.profile = self.replace(start)

    def replace(self, profile: Profile) -> Profile:
        """Put a profile in force and begin its row of delays anew."""
        self.profile = profile
        self._dice: dict[Step, Random] = {}
        return profile

    def reset(self) -> Profile:
        """Return to the profile of the settings."""
        return self.replace(self._start)

    def delay_ms(self, step: Step) -> float:
        """Return how long the next request of this kind takes."""
        latency = PROFILES[self.profile.name].get(step)
        if latency is None:
            return 0.0
        dice = self._dice.setdefault(step, Random(f"{self.profile.seed}:{step}"))
        return latency.at(dice.random()) * self.profile.scale

    def whole(self, behaviour: Behaviour, step: Step) -> Behaviour:
        """Return the behaviour with the profile's time for a reply that comes in one piece."""
        if self.profile.name == "instant":
            return behaviour
        return behaviour.model_copy(update={"first_token_ms": self.delay_ms(step), "token_ms": 0.0})

    def streamed(self, behaviour: Behaviour, step: Step, tokens: int) -> Behaviour:
        """Return the behaviour with the profile's time spread over the tokens of a stream."""
        if self.profile.name == "instant":
            return behaviour
        whole_ms = self.delay_ms(step)
        rest_ms = whole_ms * (1 - _FIRST_TOKEN_SHARE)
        pace = {"first_token_ms": whole_ms * _FIRST_TOKEN_SHARE, "token_ms": rest_ms / max(1, tokens)}
        return behaviour.model_copy(update=pace)

"""The loads of a run."""

from dataclasses import dataclass

from bench.pace import Pace

TOKENS = 200


@dataclass(frozen=True)
class Scenario:
    """A load: that many streams at a pace, side by side or one after the other."""

    name: str
    title: str
    streams: int
    pace: Pace
    is_one_by_one: bool = False


SCENARIOS = (
    Scenario("no-delay-50", "no delay, 50 streams", 50, Pace(TOKENS)),
    Scenario("paced-50", "50 x 50 tok/s", 50, Pace(TOKENS, 0, 20)),
    Scenario("paced-200", "200 x 50 tok/s", 200, Pace(TOKENS, 0, 20)),
    Scenario("first-token", "1 stream, first token", 40, Pace(5, 0, 20), is_one_by_one=True),
)
IDLE = "idle"
WARM_UP = Pace(tokens=20, token_ms=5)
COUNTING = Scenario("counting", "connections", 200, Pace(100, 0, 20))

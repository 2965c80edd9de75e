"""How often a user, and an address, may ask: over each world, across replicas, and when Redis is away."""

import asyncio
import json
import re
from typing import Any, cast

import pytest
from chat_api import redis_claims
from chat_api.errors import ApiProblem
from chat_api.limits.rates import Rate, ask
from chat_api.limits.stores import in_redis
from chat_api.limits.submits import SubmitLimits
from eco2_devservers import RabbitServer, RedisServer
from limits import parse
from pydantic import ValidationError

from tests.api import documented
from tests.api.services import MemoryWorld, RealWorld, World, new_id, settings, settle
from tests.api.serving import QUESTION, STREAM, Api, api_over
from tests.api.test_submit_refused import cut_off_world
from tests.api.viewer import Viewer

ITEM = re.compile(r'"(\w+)";r=(\d+);t=(\d+)')


def left_of(headers: Any) -> dict[str, int]:
    """What is left of each limit, by the `RateLimit` field."""
    return {name: int(left) for name, left, _ in ITEM.findall(headers["ratelimit"])}


async def test_a_question_too_many_is_refused_and_begins_no_job(world: World) -> None:
    async with api_over(world, limit_submits_per_user="2/hour") as api:
        for left in (1, 0):
            taken = await api.post()
            assert taken.status_code == 202
            assert left_of(taken.headers) == {"user": left}
            assert taken.headers["ratelimit-policy"] == '"user";q=2;w=3600'

        refused = await api.post()

        problem = documented.problem_of(429, dict(refused.headers), refused.content)
        assert problem["code"] == "rate_limited"
        assert left_of(refused.headers) == {"user": 0}
        assert refused.headers["ratelimit-policy"] == '"user";q=2;w=3600'
        assert len(await world.waiting_jobs()) == 2


async def test_the_next_question_is_let_in_at_the_time_that_is_told(world: World) -> None:
    async with api_over(world, limit_submits_per_user="1/2 seconds") as api:
        answer = await api.post()
        async with asyncio.timeout(20):
            while answer.status_code == 202:
                answer = await api.post()
        assert answer.status_code == 429
        await asyncio.sleep(int(answer.headers["retry-after"]))
        assert (await api.post()).status_code == 202


async def test_every_replica_counts_for_all(real_world: RealWorld) -> None:
    one, other = (api_over(real_world, limit_submits_per_user="2/hour") for _ in range(2))
    async with one as first, other as second:
        assert (await first.post()).status_code == 202
        assert left_of((await second.post()).headers) == {"user": 0}
        assert {(await api.post()).status_code for api in (first, second)} == {429}


async def test_no_more_than_the_limit_gets_in_at_once(world: World) -> None:
    async with api_over(world, limit_submits_per_user="5/hour") as api:
        answers = await asyncio.gather(*(api.post() for _ in range(12)))

    assert sorted(answer.status_code for answer in answers) == [202] * 5 + [429] * 7


async def test_users_and_addresses_are_limited_each_for_themselves(world: World) -> None:
    services = world.services(limit_submits_per_user="2/hour", limit_submits_per_address="3/hour")
    limits = SubmitLimits(services.settings, services.limits, services.log)

    async def is_let_in(owner: str, address: str) -> bool:
        try:
            await limits.enter(owner, address, new_id())
        except ApiProblem as error:
            return error.code != "rate_limited"
        return True

    assert [await is_let_in("kim", "203.0.113.1") for _ in range(9)] == [True, True] + [False] * 7
    # Those were refused for their user's sake: whoever shares the address has what is left of it.
    assert [await is_let_in("lee", "203.0.113.1") for _ in range(9)] == [True] + [False] * 8
    # And those for the address's sake: the user may go on elsewhere.
    assert [await is_let_in("lee", "203.0.113.2") for _ in range(2)] == [True, False]
    # A peer without an address, such as a Unix socket's, is limited by its user alone.
    assert [await is_let_in("park", "") for _ in range(3)] == [True, True, False]
    await services.claims.close()


async def test_a_repeated_request_is_answered_again_and_not_counted(world: World) -> None:
    async with api_over(world, limit_submits_per_user="1/hour") as api:
        first = await api.post(idempotency_key="key-1")
        again = await api.post(idempotency_key="key-1")

        assert (first.status_code, again.status_code) == (202, 202)
        assert again.json() == first.json()
        assert "ratelimit" not in again.headers
        refused = await api.post(idempotency_key="key-2")
        assert refused.status_code == 429
        # The refusal is no answer to be kept.
        assert (await api.post(idempotency_key="key-2")).json()["code"] == "rate_limited"


async def test_a_stream_tells_what_is_left_as_well(world: World) -> None:
    async with api_over(world, limit_submits_per_user="2/hour", limit_submits_per_address="9/hour") as api:
        body = json.dumps({"message": QUESTION}).encode()
        headers = {**STREAM, "Content-Type": "application/json"}
        asking = Viewer.open(api.url, "/api/v1/chat", headers=headers, method="POST", body=body)
        async with await asking as viewer:
            assert viewer.status == 200
            assert left_of(viewer.headers) == {"user": 1, "address": 8}


async def test_without_a_limit_nothing_is_said_and_nothing_is_kept(real_world: RealWorld) -> None:
    async with api_over(real_world) as api:
        answer = await api.post()

    assert "ratelimit" not in answer.headers
    assert not [key for key in sorted(real_world.keys()) if "limit" in key]


async def test_limits_are_visible_to_scripts_of_other_origins(world: World) -> None:
    async with api_over(world, cors_origins=["https://app.example"], limit_submits_per_user="1/hour") as api:
        answer = await api.post(origin="https://app.example")

    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= exposed


async def test_a_counters_name_tells_nobody_who_is_counted(real_world: RealWorld) -> None:
    changes = {"limit_submits_per_user": "9/hour", "limit_submits_per_address": "9/hour"}
    async with api_over(real_world, **changes, limit_live_jobs_per_user=3) as api:
        assert (await api.post()).status_code == 202

    kept = [key for key in sorted(real_world.keys()) if key.startswith("chat:limit:")]
    assert len(kept) == 3
    assert not [key for key in kept if "anonymous" in key or "127.0.0.1" in key]
    assert all(real_world.admin.ttl(key) > 0 for key in kept)


class HeldLink:
    """A connection to Redis whose replies all wait for the test."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.replies = asyncio.Event()

    async def execute(self, *command: Any) -> Any:
        self.sent.append(command[0])
        await self.replies.wait()
        _, _, keys, *rest = command
        if keys == 1:
            # A place is free.
            return []
        is_look = len(rest) == keys + 1
        return [None, -2, b"1", 7_000_000] if is_look else 1


async def test_all_that_is_asked_for_a_question_leaves_before_the_first_reply() -> None:
    link = HeldLink()
    chosen = settings(
        limit_submits_per_user="90/hour", limit_submits_per_address="90/hour", limit_live_jobs_per_user=5
    )
    limits = SubmitLimits(chosen, in_redis(cast(Any, link)), MemoryWorld().log)
    entering = asyncio.create_task(limits.enter("kim", "203.0.113.1", new_id()))
    await settle()

    assert link.sent == ["EVALSHA"] * 5
    link.replies.set()
    assert [standing.remaining for standing in await entering] == [89, 89]
    assert len(link.sent) == 5


async def test_nothing_is_asked_for_a_limit_that_is_off() -> None:
    link = HeldLink()
    limits = SubmitLimits(settings(), in_redis(cast(Any, link)), MemoryWorld().log)

    assert await limits.enter("kim", "203.0.113.1", new_id()) == []
    await limits.leave("kim", new_id())
    assert link.sent == []


@pytest.mark.parametrize("trouble", ["down", "silent", "silent after a while"])
async def test_a_question_is_refused_while_its_limits_cannot_be_counted(
    rabbit: RabbitServer, redis_server: RedisServer, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_claims, "REPLY_TIMEOUT_S", 0.5)
    async with (
        cut_off_world(rabbit, redis_server, "redis") as (world, proxy),
        api_over(world, limit_submits_per_user="9/hour", limit_live_jobs_per_user=9) as api,
    ):
        if trouble == "silent after a while":
            await api.new_job()
        await world.waiting_jobs()
        (proxy.close if trouble == "down" else proxy.block)()
        refused = await api.post()

        problem = documented.problem_of(503, dict(refused.headers), refused.content)
        assert problem["code"] == "unavailable"
        assert await world.waiting_jobs() == []
        (proxy.start if trouble == "down" else proxy.unblock)()
        await until_taken(api)


async def until_taken(api: Api) -> None:
    """Redis is back, so a question is taken within moments."""
    async with asyncio.timeout(20):
        answer = await api.post()
        while answer.status_code != 202:
            assert answer.status_code == 503
            await asyncio.sleep(0.05)
            answer = await api.post()


class Windows:
    """A sliding window that stands as the test says."""

    def __init__(self, *window: float) -> None:
        self._window: Any = window

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return False

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        return self._window

    async def give_back(self, key: str, expiry: int) -> None:
        raise AssertionError


@pytest.mark.parametrize(
    ("window", "left", "next_in_s"),
    [
        ((0, 0, 0, 0), 10, 1),
        # Full within this window: nothing fades before it is the one before.
        ((0, 0, 10, 90), 0, 31),
        ((0, 0, 10, 119.999), 0, 60),
        # 20 of 60 s of the window before still count: 3 of its 9; the next fades after 20 - 13.3 s.
        ((9, 20, 7, 80), 0, 1),
        ((9, 19.9, 7, 79.9), 1, 7),
        # Less than one is left of the window before.
        ((9, 5, 10, 65), 0, 6),
    ],
)
async def test_the_next_question_is_let_in_when_enough_has_faded(
    window: tuple[float, ...], left: int, next_in_s: int
) -> None:
    standing = await ask(Windows(*window), Rate("user", parse("10/minute"), "kim"))

    assert (standing.remaining, standing.next_in_s) == (left, next_in_s)


def test_the_document_says_when_to_try_again_and_what_is_left() -> None:
    answers = documented.document()["paths"]["/api/v1/chat"]["post"]["responses"]

    def saying(header: str) -> set[str]:
        return {status for status, answer in answers.items() if header in answer.get("headers", {})}

    assert saying("RateLimit") == saying("RateLimit-Policy") == {"200", "202", "429"}
    assert saying("Retry-After") == {"429", "503"}


@pytest.mark.parametrize("told", ["often", "10", "10/fortnight", "-1/minute"])
def test_a_rate_that_is_none_stops_the_start(told: str) -> None:
    with pytest.raises(ValidationError):
        settings(limit_submits_per_user=told)

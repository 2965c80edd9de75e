"""The issuer's keys: new ones, old ones, and an issuer that is away."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from chat_api.auth.caller import KeysUnavailable
from chat_api.auth.jwks import Jwks, JwksTimes

from tests.api.credentials import Issuer, ec_key, guarded, jwk, known_as, token
from tests.api.services import MemoryWorld, new_id

TIMES = JwksTimes(fresh_s=300, kept_s=3_600, pause_s=10, timeout_s=5)


class Clock:
    """Goes forward when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer().open() as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(issuer: Issuer, clock: Clock) -> AsyncIterator[Jwks]:
    made = Jwks(issuer.url, times=TIMES, now=clock)
    yield made
    await made.close()


async def _fetched(keys: Jwks) -> None:
    """Returns once a fetch behind a request is over."""
    if keys._fetching is not None:
        await asyncio.wait({keys._fetching})


async def test_keys_are_fetched_once_for_all_who_come_at_the_same_time(issuer: Issuer, keys: Jwks) -> None:
    found = await asyncio.gather(*(keys.key("one") for _ in range(50)))

    assert all(key is not None for key in found)
    assert issuer.asked == 1


async def test_a_new_key_is_found_as_soon_as_a_token_names_it(
    issuer: Issuer, keys: Jwks, clock: Clock
) -> None:
    assert await keys.key("one")
    issuer.keys = [jwk("two", ec_key("two"))]
    clock.now_s += TIMES.pause_s

    assert await keys.key("two")
    assert await keys.key("one") is None
    assert issuer.asked == 2


async def test_made_up_key_ids_do_not_flood_the_issuer(issuer: Issuer, keys: Jwks, clock: Clock) -> None:
    for number in range(100):
        assert await keys.key(f"made-up-{number}") is None
    assert issuer.asked == 1
    clock.now_s += TIMES.pause_s
    assert await keys.key("made-up") is None
    assert issuer.asked == 2


async def test_a_key_that_the_issuer_took_back_is_gone_after_a_while(
    issuer: Issuer, keys: Jwks, clock: Clock
) -> None:
    assert await keys.key("one")
    issuer.keys = [jwk("two", ec_key("two"))]
    clock.now_s += TIMES.fresh_s

    # The one that notices is not kept waiting.
    assert await keys.key("one")
    await _fetched(keys)
    assert await keys.key("one") is None


async def test_while_the_issuer_is_away_its_keys_are_trusted_so_long_and_no_longer(
    issuer: Issuer, keys: Jwks, clock: Clock
) -> None:
    assert await keys.key("one")
    issuer.is_down = True
    clock.now_s += TIMES.kept_s - 1
    assert await keys.key("one")
    await _fetched(keys)
    assert await keys.key("one")

    clock.now_s += TIMES.pause_s
    with pytest.raises(KeysUnavailable):
        await keys.key("one")

    issuer.is_down = False
    clock.now_s += TIMES.pause_s
    assert await keys.key("one")


@pytest.mark.parametrize(
    "listed",
    [[], [{"kty": "oct", "k": "AAAA", "kid": "one"}], ["one"], [jwk("two", ec_key("two"), use="enc")]],
    ids=["empty", "secret", "text", "for encryption"],
)
async def test_a_set_without_a_usable_key_replaces_nothing(
    issuer: Issuer, keys: Jwks, clock: Clock, listed: list[object]
) -> None:
    assert await keys.key("one")
    issuer.keys = listed  # type: ignore[assignment]
    clock.now_s += TIMES.fresh_s
    assert await keys.key("one")
    await _fetched(keys)

    kept = await keys.key("one")
    assert kept is not None
    assert kept.algorithm_name == "ES256"


async def test_a_set_without_end_is_not_read(issuer: Issuer, keys: Jwks) -> None:
    issuer.keys = [jwk("one", ec_key("one"), note="x" * 300_000)]

    with pytest.raises(KeysUnavailable):
        await keys.key("one")


async def test_without_the_issuers_keys_nobody_is_told_that_the_token_is_bad(issuer: Issuer) -> None:
    issuer.is_down = True
    async with guarded(MemoryWorld(), **issuer.settings()) as api, known_as(api, token()) as alice:
        response = await alice.status(new_id())

        assert (response.status_code, response.json()["code"]) == (503, "unavailable")
        assert int(response.headers["retry-after"]) > 0
        # Others are served meanwhile.
        assert (await api.client.get("/livez")).status_code == 200

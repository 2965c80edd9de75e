import time
from statistics import quantiles

import httpx
import pytest
from eco2_sandbox.behaviour import Behaviour
from eco2_sandbox.pace import PROFILES, Latency, Pace, Profile

LEVELS = PROFILES["service-levels"]
ASKED = {"model": "m", "messages": [{"role": "user", "content": "안녕"}]}


def drawn(step, count=4000, seed=1):
    pace = Pace(Profile(name="service-levels", seed=seed))
    return [pace.delay_ms(step) for _ in range(count)]


@pytest.mark.parametrize("step", LEVELS)
def test_drawn_delays_have_the_quantiles_of_the_profile(step):
    cuts = quantiles(drawn(step), n=100)
    assert cuts[49] == pytest.approx(LEVELS[step].p50_ms, rel=0.15)
    assert cuts[94] == pytest.approx(LEVELS[step].p95_ms, rel=0.15)
    if LEVELS[step].p99_ms:
        assert cuts[98] == pytest.approx(LEVELS[step].p99_ms, rel=0.25)


def test_the_service_levels_are_those_of_the_telemetry_specification():
    def levels(step):
        return LEVELS[step].p50_ms, LEVELS[step].p95_ms, LEVELS[step].p99_ms

    assert levels("structured") == (100, 300, 500)
    assert levels("embeddings") == (500, 1_000, 2_000)
    whole = [
        sum(parts)
        for parts in zip(*map(levels, ("structured", "embeddings", "grounded_answer")), strict=True)
    ]
    assert whole == [2_000, 5_000, 10_000]
    general = [sum(parts) for parts in zip(*map(levels, ("structured", "general_answer")), strict=True)]
    assert general == [1_000, 3_000, 5_000]


def test_one_seed_gives_the_same_delays_and_another_gives_others():
    assert drawn("kakao", 20) == drawn("kakao", 20)
    assert drawn("kakao", 20) != drawn("kakao", 20, seed=2)


def test_one_kind_of_request_does_not_move_another_s_row():
    pace = Pace(Profile(name="service-levels"))
    mixed = [(pace.delay_ms("kma"), pace.delay_ms("kakao"))[1] for _ in range(20)]
    assert mixed == drawn("kakao", 20)


def test_no_delay_is_endless():
    latency = Latency(100, 300, 500)
    assert latency.at(1.0) <= 750
    assert latency.at(0.0) > 0


def test_a_stream_takes_the_whole_time_for_all_its_tokens():
    paced = Pace(Profile(name="service-levels")).streamed(Behaviour(), "grounded_answer", 100)
    whole_ms = paced.first_token_ms + 100 * paced.token_ms
    assert whole_ms == pytest.approx(drawn("grounded_answer", 1)[0])


def test_without_a_profile_nothing_is_delayed():
    pace = Pace(Profile())
    behaviour = Behaviour(token_ms=3)
    assert pace.delay_ms("prices") == 0
    assert pace.whole(behaviour, "structured") is pace.streamed(behaviour, "structured", 5) is behaviour


def took_ms(send):
    begun = time.monotonic()
    assert send().status_code == 200
    return (time.monotonic() - begun) * 1000


def test_a_profile_slows_the_model_and_the_vendors_until_it_is_reset(vendors):
    def put(**profile):
        vendors.http.put(f"{vendors.url}/sandbox/profile", json=profile).raise_for_status()

    def ask():
        key = {"Authorization": "Bearer any"}
        return vendors.http.post(f"{vendors.url}/v1/chat/completions", json=ASKED, headers=key)

    put(name="service-levels", scale=0.1)
    assert took_ms(ask) >= drawn("general_answer", 1)[0] * 0.1
    assert took_ms(lambda: vendors.portal("mois")) >= drawn("mois", 1)[0] * 0.1
    vendors.behave("mois", latency_ms=0)
    put(name="service-levels", scale=10)
    assert took_ms(lambda: vendors.portal("mois")) < 3_000
    reset = vendors.http.delete(f"{vendors.url}/sandbox/profile").json()
    assert reset == {"name": "instant", "seed": 1, "scale": 1}
    assert ask().status_code == 200


def test_the_environment_chooses_the_profile(serve, monkeypatch):
    monkeypatch.setenv("SANDBOX_PROFILE", "service-levels")
    monkeypatch.setenv("SANDBOX_PROFILE_SEED", "5")
    with serve() as sandbox:
        shown = httpx.get(f"{sandbox.url}/sandbox/profile").json()
    assert (shown["name"], shown["seed"]) == ("service-levels", 5)


@pytest.mark.parametrize("wrong", [{"name": "warp"}, {"scale": 0}, {"speed": 1}])
def test_an_unknown_profile_is_refused(vendors, wrong):
    assert vendors.http.put(f"{vendors.url}/sandbox/profile", json=wrong).status_code == 422

"""What an operator sees of viewers, resumes and refusals, and what counting them costs."""

import asyncio
import timeit
from time import time

import httpx
import pytest
from chat_api.relay_lag import RelayLag
from eco2_history import HistoryUnavailable
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from tests.api.services import MemoryWorld
from tests.api.serving import Api, api_over
from tests.api.worker import Worker, answer

MOST_CALLS = 40
"""What counting a chunk may cost, in empty calls made in the same moment."""


class Figures:
    """The API's `/metrics` as they are now."""

    def __init__(self, api: Api) -> None:
        self._url = f"{api.url}/metrics"

    async def get(self, name: str, **labels: str) -> float:
        async with httpx.AsyncClient(trust_env=False) as client:
            text = (await client.get(self._url)).text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        raise AssertionError(f"no {name} {labels}")

    async def become(self, value: float, name: str, **labels: str) -> None:
        async with asyncio.timeout(10):
            while await self.get(name, **labels) != value:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.fixture
def figures(memory_api: Api) -> Figures:
    return Figures(memory_api)


async def test_open_streams_come_back_to_zero_however_viewers_leave(
    memory_api: Api, figures: Figures
) -> None:
    job_id = await memory_api.new_job()
    stays, leaves = await memory_api.events(job_id), await memory_api.events(job_id)
    await figures.become(2, "chat_api_open_streams")
    await leaves.close()
    await figures.become(1, "chat_api_open_streams")
    await answer(memory_api.log, job_id, "끝")
    await stays.rest()
    await figures.become(0, "chat_api_open_streams")
    await stays.close()


async def test_a_stream_that_breaks_inside_comes_off_the_gauge(
    memory_world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with api_over(memory_world) as api:
        figures, job_id = Figures(api), await api.new_job()
        monkeypatch.setattr(memory_world.log, "follow", lambda *_: 1 / 0)
        async with await api.events(job_id) as viewer:
            await viewer.rest()
        await figures.become(0, "chat_api_open_streams")


async def test_resumes_are_told_apart_by_what_the_viewer_got(memory_api: Api, figures: Figures) -> None:
    job_id = await memory_api.new_job()
    worker = await answer(memory_api.log, job_id, "하나")
    for last_event_id in ("1-1", "7-7", str(worker.writer.last_id)):
        async with await memory_api.events(job_id, last_event_id) as viewer:
            await viewer.rest()
    await memory_api.log.discard(job_id)
    async with await memory_api.events(job_id, "1-1") as viewer:
        assert viewer.status == 410
    for result in ("ok", "gap", "gone"):
        assert await figures.get("chat_api_resumes_total", result=result) == 1
    for kind, status in (("catch_up", "success"), ("catch_up", "error"), ("snapshot", "success")):
        assert await figures.get("chat_stream_recovery_total", type=kind, status=status) == 1
    assert await figures.get("chat_stream_recovery_total", type="snapshot", status="error") == 0


async def test_an_answer_that_cannot_be_looked_up_is_a_failed_resume(
    memory_api: Api, memory_world: MemoryWorld, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await memory_api.new_job()
    await answer(memory_api.log, job_id, "하나")
    await memory_api.log.discard(job_id)

    async def is_down(_job_id: str) -> None:
        raise HistoryUnavailable("down")

    monkeypatch.setattr(memory_world.made.turns, "answer_of", is_down)
    monkeypatch.setattr(memory_world.log, "kept_answer", nothing_kept)
    async with await memory_api.events(job_id, "1-1") as viewer:
        assert viewer.status == 503
    assert await figures.get("chat_stream_recovery_total", type="snapshot", status="error") == 1


async def nothing_kept(_job_id: str) -> None:
    return None


async def test_only_what_was_written_under_the_viewers_eyes_counts_as_lag(
    memory_api: Api, figures: Figures
) -> None:
    job_id = await memory_api.new_job()
    worker = await Worker.begin(memory_api.log, job_id)
    await worker.say("먼저")
    written_ms = int(time() * 1000)
    while int(time() * 1000) == written_ms:
        pass
    async with await memory_api.events(job_id) as viewer:
        await viewer.until("1-2")
        await worker.say("나중")
        await viewer.until("1-3")
        await figures.become(1, "chat_api_relay_lag_seconds_count")
    assert await figures.get("chat_api_relay_lag_seconds_sum") < 10


async def test_a_question_that_is_not_let_in_is_counted_with_its_reason(memory_world: MemoryWorld) -> None:
    async with api_over(memory_world, queue_max_length=1, body_max_bytes=500) as api:
        figures = Figures(api)
        assert (await api.post({"message": "하나", "session_id": "s"})).status_code == 202
        assert (await api.post({"message": "둘", "session_id": "s"})).status_code == 409
        assert (await api.post({"message": "셋"})).status_code == 503
        assert (await api.post({"message": "넷" * 300})).status_code == 413
        assert (await api.post({"massage": "다섯"})).status_code == 422
        for reason, times in {
            "session_busy": 1,
            "queue_full": 1,
            "body_too_large": 1,
            "unavailable": 0,
        }.items():
            assert await figures.get("chat_api_rejections_total", reason=reason) == times


def test_the_lag_is_a_histogram_that_adds_up() -> None:
    registry, lag, now_ms = CollectorRegistry(), RelayLag(), time() * 1000
    registry.register(lag)
    for age_ms in (-5_000, 20, 9_000):
        lag.relayed(int(now_ms - age_ms))
    of = registry.get_sample_value
    assert of("chat_api_relay_lag_seconds_bucket", {"le": "0.001"}) == 1
    assert of("chat_api_relay_lag_seconds_bucket", {"le": "2.5"}) == 2
    assert of("chat_api_relay_lag_seconds_count") == 3
    assert of("chat_api_relay_lag_seconds_sum") == pytest.approx(9.02, abs=0.5)


def test_counting_a_chunk_costs_about_a_microsecond() -> None:
    lag, now_ms = RelayLag(), int(time() * 1000)
    cost_us = min(timeit.repeat(lambda: lag.relayed(now_ms), number=10_000, repeat=7)) / 10_000 * 1e6
    empty_us = min(timeit.repeat(lambda: None, number=10_000, repeat=7)) / 10_000 * 1e6
    print(f"\nrelay lag: {cost_us:.2f} us a chunk, {empty_us:.2f} us an empty call")
    assert cost_us < MOST_CALLS * empty_us

"""The dead letters of RabbitMQ: looked at by anybody, lost by nobody."""

import asyncio
from typing import Any

import pytest
from eco2_bus import rabbit_dead_letters as module
from eco2_bus.dead_letters import DeadLetter, MemoryDeadLetters
from eco2_bus.memory import MemoryJobQueue
from eco2_bus.queue import QueueUnavailable
from eco2_bus.rabbit_dead_letters import RabbitDeadLetters, dead_letters

from tests.bus.brokers import RabbitBroker, new_job, soon

NO_BROKER = "amqp://guest:guest@127.0.0.1:9/"


async def given_up(broker: RabbitBroker, n: int) -> list[str]:
    """Dead letters, by their job ids, oldest first."""
    queue = broker.open()
    jobs = [new_job() for _ in range(n)]
    for job in jobs:
        await queue.publish(job, {"traceparent": "00-1"})
    deliveries: Any = queue.consume(n)
    for _ in jobs:
        await (await soon(anext(deliveries))).dead_letter("3 failed attempts")
    await soon(_until(broker, n))
    await deliveries.aclose()
    return [job.job_id for job in jobs]


async def _until(broker: RabbitBroker, n: int) -> None:
    while len(await listed(broker)) < n:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def _settle_till_it_fails(letter: DeadLetter) -> None:
    while True:
        await letter.settle()
        await asyncio.sleep(0.01)


async def listed(broker: RabbitBroker) -> list[str]:
    async with dead_letters(broker.server.url) as letters:
        return [letter.job_id for letter in letters]


async def test_looking_changes_neither_the_letters_nor_their_order(rabbit_broker: RabbitBroker) -> None:
    ids = await given_up(rabbit_broker, 60)
    for _ in range(3):
        assert await listed(rabbit_broker) == ids
    async with dead_letters(rabbit_broker.server.url, limit=5) as letters:
        first = letters[0]
        assert [letter.job_id for letter in letters] == ids[:5]
    assert (first.reason, first.headers) == ("rejected", {"traceparent": "00-1"})
    assert first.died_at is not None
    assert "유리병" not in repr(first)
    assert await listed(rabbit_broker) == ids


async def test_what_is_settled_is_gone_and_the_rest_keeps_its_order(rabbit_broker: RabbitBroker) -> None:
    ids = await given_up(rabbit_broker, 6)
    async with dead_letters(rabbit_broker.server.url) as letters:
        await letters[2].settle()
    assert await listed(rabbit_broker) == [*ids[:2], *ids[3:]]
    assert await RabbitDeadLetters(rabbit_broker.server.url).remove({ids[0], ids[5], "unknown"}) == 2
    assert await listed(rabbit_broker) == [ids[1], *ids[3:5]]


async def test_a_letter_that_is_looked_at_again_and_again_is_never_dropped(
    rabbit_broker: RabbitBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEW_AFTER", 2)
    ids = await given_up(rabbit_broker, 3)
    deliveries: list[int] = []
    count = module._deliveries
    monkeypatch.setattr(
        module, "_deliveries", lambda message: deliveries.append(count(message)) or count(message)
    )
    for _ in range(9):
        async with dead_letters(rabbit_broker.server.url) as letters:
            assert [letter.job_id for letter in letters] == ids
            assert {(letter.reason, letter.died_at is None) for letter in letters} == {("rejected", False)}
    assert max(deliveries) == 3


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many letters every look at the queue's length has found there."""
    found: list[int] = []
    ready = module._Reading._ready

    async def noted(reading: Any) -> int:
        found.append(await ready(reading))
        return found[-1]

    monkeypatch.setattr(module._Reading, "_ready", noted)
    return found


async def test_a_reader_leaves_when_all_are_back_those_sent_anew_among_them(
    rabbit_broker: RabbitBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await given_up(rabbit_broker, 8)
    monkeypatch.setattr(module, "RENEW_AFTER", 0)
    told: list[int] = []
    ready = module._Reading._ready

    async def one_is_late(reading: Any) -> int:
        told.append(await ready(reading) if told else 6)
        return told[-1]

    async with dead_letters(rabbit_broker.server.url) as letters:
        await letters[0].settle()
        monkeypatch.setattr(module._Reading, "_ready", one_is_late)
    assert (told[0], told[-1]) == (6, 7)
    assert await listed(rabbit_broker) == ids[1:]


async def test_a_reader_that_does_not_see_all_in_time_leaves_when_all_are_back(
    rabbit_broker: RabbitBroker, monkeypatch: pytest.MonkeyPatch, counts: list[int]
) -> None:
    ids = await given_up(rabbit_broker, 5)
    before = len(counts)
    with monkeypatch.context() as patch:
        patch.setattr(module, "READ_TIMEOUT_S", 0.5)
        patch.setattr(module._Reading, "_look_at", lambda *_: None)
        with pytest.raises(QueueUnavailable):
            await listed(rabbit_broker)
    assert (counts[before], counts[-1]) == (5, 5)
    assert len(counts) > before + 1
    assert await listed(rabbit_broker) == ids


async def test_letters_that_there_is_no_time_to_send_anew_are_left_for_the_next_reader(
    rabbit_broker: RabbitBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEW_AFTER", 0)
    monkeypatch.setattr(module, "RENEW_WITHIN_S", -1)
    ids = await given_up(rabbit_broker, 3)
    assert [await listed(rabbit_broker) for _ in range(2)] == [ids] * 2


async def test_nobody_is_told_that_letters_are_gone_where_not_all_can_be_looked_through(
    rabbit_broker: RabbitBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await given_up(rabbit_broker, 3)
    monkeypatch.setattr(module, "LOOKED_THROUGH_MAX", 2)
    with pytest.raises(QueueUnavailable):
        await RabbitDeadLetters(rabbit_broker.server.url).remove({ids[2]})
    assert await listed(rabbit_broker) == ids[:2]


async def test_two_who_look_at_once_both_see_everything(rabbit_broker: RabbitBroker) -> None:
    ids = await given_up(rabbit_broker, 20)
    assert await soon(asyncio.gather(*(listed(rabbit_broker) for _ in range(6)))) == [ids] * 6


async def test_a_reader_that_dies_gives_everything_back(rabbit_broker: RabbitBroker) -> None:
    ids = await given_up(rabbit_broker, 4)
    rabbit_broker.open(loses_leases=True)
    url = f"amqp://guest:guest@127.0.0.1:{rabbit_broker.proxy.port}/"
    async with dead_letters(url) as letters:
        assert len(letters) == 4
        await rabbit_broker.lose_leases()
        with pytest.raises(QueueUnavailable):
            await soon(_settle_till_it_fails(letters[0]))
    await soon(_until(rabbit_broker, 4))
    assert await listed(rabbit_broker) == ids


async def test_a_broker_without_the_queue_has_no_dead_letters(rabbit_broker: RabbitBroker) -> None:
    assert await listed(rabbit_broker) == []
    assert await RabbitDeadLetters(rabbit_broker.server.url).remove({"any"}) == 0


async def test_a_broker_that_is_away_is_said_to_be() -> None:
    with pytest.raises(QueueUnavailable):
        await RabbitDeadLetters(NO_BROKER).remove({"any"})


async def test_who_waits_in_vain_for_another_reader_is_told(
    rabbit_broker: RabbitBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT_S", 0.2)
    async with dead_letters(rabbit_broker.server.url):
        with pytest.raises(QueueUnavailable):
            await RabbitDeadLetters(rabbit_broker.server.url).remove({"any"})


async def test_the_queue_of_one_process_forgets_the_dead_letters_of_a_job() -> None:
    queue = MemoryJobQueue()
    jobs = [new_job(), new_job()]
    queue.dead += [("malformed", b"{}"), *(("rejected", job.to_body()) for job in jobs)]
    assert await MemoryDeadLetters(queue).remove({jobs[0].job_id, "other"}) == 1
    assert [body for _, body in queue.dead] == [b"{}", jobs[1].to_body()]

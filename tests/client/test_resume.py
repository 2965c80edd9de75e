"""The clients over a network that cuts them off."""

import asyncio
import random

import pytest
from eco2_bus.log import Claim
from eco2_chat import (
    ApiError,
    Client,
    ConnectionLost,
    Done,
    Event,
    Gap,
    Patience,
    Question,
    Queued,
    Reset,
    Token,
)
from eco2_devservers import TcpProxy

from tests.api.services import MemoryWorld, RealWorld, World, new_id
from tests.api.serving import Api, api_over
from tests.api.worker import Worker, answer
from tests.client.asking import QUESTION, QUICK, client_through, next_job, shown
from tests.client.conftest import port_of

PIECES = [f"{number}번째 조각, " for number in range(60)]
TEXT = "".join(PIECES)


async def speak(worker: Worker, network: TcpProxy, seed: int) -> None:
    """Says all pieces while replies break off at random points."""
    chance, passed = random.Random(seed), 0
    for piece in PIECES:
        if chance.random() < 0.3:
            network.limit_replies(chance.randint(1, 400))
        # Only a connection on which something has come: a proxy cannot cut what it has not begun yet.
        if chance.random() < 0.2 and network.bytes_to_client > passed:
            network.cut()
            passed = network.bytes_to_client
        await worker.say(piece)
        await asyncio.sleep(0.01 * chance.random())
    await worker.end()


@pytest.mark.parametrize("seed", range(4))
async def test_every_event_comes_exactly_once_however_often_the_network_cuts(
    world: World, api: Api, network: TcpProxy, seed: int
) -> None:
    async with client_through(network) as client, asyncio.TaskGroup() as group:
        queued = await client.submit(QUESTION)
        worker = await Worker.begin(world.log, (await next_job(world)).job_id)
        group.create_task(speak(worker, network, seed))
        events = [event async for event in client.events(queued.job_id)]

    ids = [event.id for event in events]
    assert shown(events) == TEXT
    assert len(set(ids)) == len(ids)
    assert isinstance(events[0], Queued)
    assert isinstance(events[-1], Done)
    assert events[-1].answer == TEXT


@pytest.mark.parametrize("seed", range(2))
async def test_the_waiting_client_keeps_the_same_promise(
    memory_world: MemoryWorld, memory_network: TcpProxy, seed: int
) -> None:
    def ask() -> list[Event]:
        with Client(f"http://127.0.0.1:{memory_network.port}", patience=QUICK) as client:
            return list(client.stream(QUESTION))

    asking = asyncio.create_task(asyncio.to_thread(ask))
    worker = await Worker.begin(memory_world.log, (await next_job(memory_world)).job_id)
    await speak(worker, memory_network, seed)
    events = await asking

    assert shown(events) == TEXT
    assert len({event.id for event in events}) == len(events)


@pytest.mark.parametrize("seed", range(4))
async def test_a_question_whose_reply_is_lost_is_one_job(world: World, network: TcpProxy, seed: int) -> None:
    async with client_through(network) as client:
        # The reply to a question is some 700 bytes.
        network.limit_replies(random.Random(seed).randint(1, 600))
        queued = await client.submit(QUESTION)
        job = await next_job(world)

    assert job.job_id == queued.job_id
    assert network.bytes_to_server > 0


async def test_the_same_question_sent_twice_is_one_job_and_another_is_another(
    world: World, network: TcpProxy
) -> None:
    question = Question(QUESTION)
    async with client_through(network) as client:
        first, again = await client.submit(question), await client.submit(question)
        other = await client.submit(QUESTION)

    assert first.job_id == again.job_id != other.job_id


async def test_an_attempt_that_begins_anew_is_told_and_its_text_thrown_away(
    world: World, network: TcpProxy
) -> None:
    async with client_through(network) as client, asyncio.TaskGroup() as group:
        asking = group.create_task(client.ask(QUESTION))
        job_id = (await next_job(world)).job_id
        async for event in client.events(job_id):
            if isinstance(event, Queued):
                await (await Worker.begin(world.log, job_id)).say("절반")
            if event == Token("절반", event.id):
                network.cut()
                second = await Worker.begin(world.log, job_id, Claim.REDELIVERED)
                await second.say("처음부터")
                await second.end()
            if isinstance(event, Reset):
                break

    assert asking.result().text == "처음부터"


async def test_an_api_that_leaves_hands_its_followers_to_the_next(real_world: RealWorld) -> None:
    async with api_over(real_world) as first:
        with TcpProxy(port_of(first.url)) as network:
            async with client_through(network) as client, api_over(real_world) as second:
                queued = await client.submit(QUESTION)
                worker = await Worker.begin(real_world.log, (await next_job(real_world)).job_id)
                events: list[Event] = []
                async for event in client.events(queued.job_id):
                    events.append(event)
                    if isinstance(event, Queued):
                        await worker.say("라벨을 ")
                    if event == Token("라벨을 ", event.id):
                        network.target_port = port_of(second.url)
                        network.cut()
                        await worker.say("떼요.")
                        await worker.end()

    assert shown(events) == "라벨을 떼요."


async def test_events_that_are_gone_give_the_kept_answer(
    memory_world: MemoryWorld, memory_network: TcpProxy
) -> None:
    async with client_through(memory_network) as client:
        queued = await client.submit(QUESTION)
        await answer(memory_world.log, queued.job_id, "라벨을 ", "떼요.")
        await memory_world.log.discard(queued.job_id)
        events = [event async for event in client.events(queued.job_id, after="1-2")]

    assert shown(events) == "라벨을 떼요."
    assert isinstance(events[-1], Done)
    assert events[-1].sources[0].document == "분리배출 안내"


async def test_an_id_of_another_log_gives_a_gap_and_then_everything(
    memory_world: MemoryWorld, memory_network: TcpProxy
) -> None:
    async with client_through(memory_network) as client:
        queued = await client.submit(QUESTION)
        await answer(memory_world.log, queued.job_id, "네.")
        events = [event async for event in client.events(queued.job_id, after="7-7")]

    assert [type(event) for event in events[:2]] == [Gap, Queued]
    assert shown(events) == "네."


async def test_what_was_seen_does_not_come_again(memory_world: MemoryWorld, memory_network: TcpProxy) -> None:
    async with client_through(memory_network) as client:
        queued = await client.submit(QUESTION)
        await answer(memory_world.log, queued.job_id, "라벨을 ", "떼요.")
        all_events = [event async for event in client.events(queued.job_id)]
        tokens = [event for event in all_events if isinstance(event, Token)]
        rest = [event async for event in client.events(queued.job_id, after=tokens[0].id)]
        after_end = [event async for event in client.events(queued.job_id, after=all_events[-1].id)]

    assert shown(rest) == "떼요."
    assert after_end == []


async def test_patience_has_an_end_and_says_where_to_go_on(
    memory_world: MemoryWorld, memory_network: TcpProxy
) -> None:
    patience = Patience(stream_s=0.3, call_s=0.3, first_s=0.01, longest_s=0.05, connect_s=0.2)
    async with client_through(memory_network, patience) as client:
        queued = await client.submit(QUESTION)
        events = client.events(queued.job_id)
        first = await anext(events)
        memory_network.close()
        with pytest.raises(ConnectionLost) as caught:
            await anext(events)
        with pytest.raises(ConnectionLost):
            await client.submit(QUESTION)

    assert (caught.value.job_id, caught.value.last_event_id) == (queued.job_id, first.id)


async def test_what_will_not_pass_is_told_at_once(memory_network: TcpProxy) -> None:
    async with client_through(memory_network) as client:
        with pytest.raises(ApiError) as unknown:
            async for _ in client.events(new_id()):
                pass
        with pytest.raises(ApiError) as refused:
            await client.ask(" ")

    assert (unknown.value.status, unknown.value.code) == (404, "job_not_found")
    assert refused.value.problem["errors"][0]["field"] == "body.message"


async def test_a_full_queue_is_tried_again_until_there_is_room(memory_world: MemoryWorld) -> None:
    async with api_over(memory_world, queue_max_length=1) as api:
        with TcpProxy(port_of(api.url)) as network:
            await api.submit()
            async with client_through(network, Patience(call_s=1)) as hasty:
                with pytest.raises(ApiError) as caught:
                    await hasty.submit(QUESTION)

    assert caught.value.code == "queue_full"

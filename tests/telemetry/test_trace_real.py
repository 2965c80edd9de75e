"""One trace per job over real RabbitMQ, Redis and gRPC, also when a worker is killed in the middle."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from eco2_devservers import Program, RabbitServer, RedisServer

from tests.telemetry.product import BRANCHES, Product, ask, exporting_to, hear, until
from tests.telemetry.receiver import Receiver, Span, orphans, outline, receiving
from tests.telemetry.tree import EVENTS, POST, Tree, overlap

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def collector() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, collector: Receiver) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("traced")
    with RabbitServer() as rabbit, RedisServer() as redis:
        product = Product(folder, rabbit, redis, exporting_to(collector.url, folder))
        try:
            asyncio.run(product.start())
            yield product
        finally:
            product.close()


@pytest.fixture
async def api(running: Product) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.url, timeout=30, trust_env=False) as api:
        yield api


@pytest.fixture
async def slow_answers(running: Product) -> AsyncIterator[None]:
    """Long enough for a second worker to start while the first one answers."""
    async with httpx.AsyncClient(base_url=running.sandbox_url, trust_env=False) as sandbox:
        behaviour = {"token_ms": 60, "answer_tokens": 300, "for_requests": "stream"}
        (await sandbox.put("/sandbox/behaviour", json=behaviour)).raise_for_status()
        yield
        behaviour |= {"token_ms": 5, "answer_tokens": 40}
        (await sandbox.put("/sandbox/behaviour", json=behaviour)).raise_for_status()


async def test_a_job_is_one_trace_with_the_tree_that_operators_know(
    api: httpx.AsyncClient, collector: Receiver
) -> None:
    asked = await ask(api)
    await hear(api, asked)

    tree = await asyncio.to_thread(Tree, collector, asked.trace_id)
    top = [
        f"chat-api {POST} SERVER",
        "chat-api publish chat.jobs PRODUCER",
        "chat-worker process chat.jobs CONSUMER",
        "chat-worker process_chat INTERNAL",
        "chat-worker graph chat INTERNAL",
    ]
    assert tree.path(tree.one("graph chat")) == top, outline(tree.spans)
    nodes = {span.name: span for span in tree.children(tree.one("graph chat"))}
    assert nodes.keys() == {"intent", "answer", *BRANCHES}, outline(tree.spans)
    assert {span.trace_id for span in tree.spans} == {asked.trace_id} == {asked.done["trace_id"]}
    assert not [span for span in tree.spans if span.is_error]


async def test_parallel_branches_overlap_under_one_parent(
    api: httpx.AsyncClient, running: Product, collector: Receiver
) -> None:
    async with httpx.AsyncClient(base_url=running.sandbox_url, trust_env=False) as sandbox:
        await sandbox.put("/sandbox/vendors/kma/behaviour", json={"latency_ms": 400})
        asked = await ask(api, "부산")
        await hear(api, asked)
        await sandbox.delete("/sandbox/vendors/kma/behaviour")

    tree = await asyncio.to_thread(Tree, collector, asked.trace_id)
    branches = [tree.one(name) for name in BRANCHES]
    assert {span.parent_id for span in branches} == {tree.one("graph chat").span_id}
    weather = tree.one("weather")
    assert weather.end - weather.start > 0.4
    # The guide is searched in memory, without waiting for anything: it is over when the others begin.
    assert overlap([weather, tree.one("character")])


async def test_calls_to_models_vendors_and_services_hang_below_their_nodes(
    api: httpx.AsyncClient, collector: Receiver
) -> None:
    asked = await ask(api, "대구")
    await hear(api, asked)

    tree = await asyncio.to_thread(Tree, collector, asked.trace_id)
    for node in ("intent", "answer"):
        (chat,) = tree.children(tree.one(node))
        assert (chat.name, chat.kind) == ("chat eco2-sandbox", "CLIENT")
        assert chat.attributes["gen_ai.response.model"] == "eco2-sandbox"
        assert chat.attributes["gen_ai.usage.output_tokens"] > 0
        assert chat.attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert [name for name, _ in chat.events] == ["first_token", "last_token"]
    assert 0 < chat.attributes["gen_ai.response.time_to_first_chunk"] < chat.end - chat.start
    server = next(span for span in tree.named("CharacterService/MatchCharacter") if span.kind == "SERVER")
    assert tree.path(server)[-3:] == [
        "chat-worker character INTERNAL",
        "chat-worker CharacterService/MatchCharacter CLIENT",
        "character CharacterService/MatchCharacter SERVER",
    ]
    gets = tree.children(tree.one("weather"))
    assert {(span.name, span.kind) for span in gets} == {("GET", "CLIENT")}
    assert not [value for span in gets for value in span.attributes.values() if "stand-in" in str(value)]


async def test_the_message_tells_where_it_went(api: httpx.AsyncClient, collector: Receiver) -> None:
    asked = await ask(api)
    await hear(api, asked)

    tree = await asyncio.to_thread(Tree, collector, asked.trace_id)
    published, processed = tree.one("publish chat.jobs"), tree.one("process chat.jobs")
    for span in (published, processed):
        assert span.attributes["messaging.system"] == "rabbitmq"
        assert span.attributes["messaging.destination.name"] == "chat:chat.jobs"
        assert span.attributes["messaging.rabbitmq.destination.routing_key"] == "chat.jobs"
        assert span.attributes["messaging.message.id"] == asked.job_id
    assert processed.links == [(published.trace_id, published.span_id)]
    assert processed.attributes["attempt"] == 1
    assert tree.one("process_chat").attributes["job_id"] == asked.job_id


async def test_the_callers_trace_goes_on(api: httpx.AsyncClient, collector: Receiver) -> None:
    asked = await ask(api, traceparent=CALLER, baggage="secret=1")
    await hear(api, asked)

    _, trace_id, parent_id, _ = CALLER.split("-")
    assert asked.trace_id == trace_id
    collector.wait(lambda: {"process chat.jobs", POST} <= {s.name for s in collector.trace(trace_id)})
    assert [span.name for span in orphans(collector.trace(trace_id))] == [POST]
    assert orphans(collector.trace(trace_id))[0].parent_id == parent_id


async def test_a_stream_is_a_trace_of_its_own_linked_to_its_job(
    api: httpx.AsyncClient, collector: Receiver
) -> None:
    asked = await ask(api)
    await hear(api, asked)
    count, known = len(asked.events), asked.ids[2]
    await hear(api, asked, until="token", **{"Last-Event-ID": known})

    job = tuple(asked.traceparent.split("-")[1:3])
    collector.wait(lambda: len(_streams(collector, job)) == 2)
    whole, resumed = _streams(collector, job)
    assert len({whole.trace_id, resumed.trace_id, asked.trace_id}) == 3
    assert (whole.kind, whole.parent_id, whole.is_error) == ("SERVER", "", False)
    assert whole.attributes["events_sent"] == count
    assert whole.attributes["first_event_ms"] >= 0
    assert "resumed_from" not in whole.attributes
    assert resumed.attributes["resumed_from"] == known
    assert not resumed.is_error


async def test_neither_tokens_nor_polls_of_redis_make_spans(
    api: httpx.AsyncClient, collector: Receiver
) -> None:
    asked = await ask(api)
    await hear(api, asked)

    tree = await asyncio.to_thread(Tree, collector, asked.trace_id)
    assert sum(event == "token" for event, _ in asked.events) > 1
    assert len(tree.spans) <= 25, outline(tree.spans)
    assert not [span for span in collector.spans if "redis" in str(span.attributes).lower()]


async def test_a_job_stays_one_trace_without_orphans_when_its_worker_is_killed(
    api: httpx.AsyncClient, running: Product, collector: Receiver, slow_answers: None
) -> None:
    asked = await ask(api, "광주")
    await hear(api, asked, until="token")
    killed = running.workers[-1]
    await running.start_worker()
    await asyncio.to_thread(killed.kill)
    asked.events.clear()
    await hear(api, asked)

    assert asked.done["attempts"] == 2
    tree = await asyncio.to_thread(Tree, collector, asked.trace_id, attempts=2)
    assert {span.trace_id for span in tree.spans} == {asked.trace_id} == {asked.done["trace_id"]}
    first, second = sorted(tree.named("process_chat"), key=lambda span: span.attributes["attempt"])
    assert [span.attributes["attempt"] for span in (first, second)] == [1, 2]
    publish = tree.one("publish chat.jobs")
    assert {tree.parent(span).parent_id for span in (first, second)} == {publish.span_id}
    for span in (first, *(tree.one(name, below=first) for name in ("graph chat", "answer"))):
        assert span.is_error
        assert span.attributes["process.lost"] is True
        assert span.start <= span.end <= second.start
    # What the first attempt has found out is seen there, and is not done again.
    assert {span.name for span in tree.children(tree.one("graph chat", below=first))} >= BRANCHES | {"intent"}
    for name in BRANCHES:
        assert first in tree.ancestors(tree.one(name))
    assert not [span for span in tree.spans if second in tree.ancestors(span) and span.is_error]


async def test_metrics_of_the_model_go_out_by_otlp(api: httpx.AsyncClient, collector: Receiver) -> None:
    await hear(api, await ask(api))

    wanted = {
        "gen_ai.client.token.usage": "{token}",
        "gen_ai.client.operation.duration": "s",
        "gen_ai.client.operation.time_to_first_chunk": "s",
    }
    collector.wait(lambda: wanted.keys() <= {point.metric for point in collector.points})
    for point in collector.points:
        assert point.service == "chat-worker"
        assert point.unit == wanted[point.metric]
        assert point.labels["gen_ai.request.model"] == "eco2-sandbox"
        assert not {"job_id", "session_id"} & point.labels.keys()
    kinds = {p.labels["gen_ai.token.type"] for p in collector.points if p.metric.endswith("usage")}
    assert kinds == {"input", "output"}


async def test_nothing_that_was_asked_or_answered_left_in_any_span(collector: Receiver) -> None:
    sent = b"".join(collector.bodies)

    assert b"process_chat" in sent
    for words in ("종이팩", "캐릭터도", "서울", "stand-in", "guest:guest"):
        assert words.encode() not in sent, words


async def test_what_is_left_goes_out_at_sigterm(
    running: Product, api: httpx.AsyncClient, collector: Receiver
) -> None:
    worker = running.workers[-1]
    asked = await ask(api)
    await hear(api, asked)
    worker.signal(signal.SIGTERM)
    await until(lambda: _has_left(worker))

    assert worker.exit_code == 0
    tree = await asyncio.to_thread(Tree, collector, asked.trace_id)
    assert not [span for span in tree.spans if "process.lost" in span.attributes]


async def _has_left(program: Program) -> bool:
    return not program.is_running


def _streams(collector: Receiver, job: tuple[str, ...]) -> list[Span]:
    found = [span for span in collector.spans if span.name == EVENTS and span.links == [job]]
    return sorted(found, key=lambda span: span.start)

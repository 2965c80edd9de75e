"""Tickets: what an address with one opens, and all that it does not."""

import base64
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
import pytest_asyncio
from chat_api.auth.caller import Caller
from chat_api.auth.tickets import Tickets, events_scope, picture_scope
from eco2_bus.events import Image, to_json
from eco2_bus.pictures import picture_path, reference
from eco2_telemetry.sanitise import SanitisingExporter
from eco2_telemetry.setup import Telemetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.api.conversation import PNG, everything, picture_of, turn
from tests.api.credentials import ALICE, BOB, BY_KEY, TICKET_SECRET, bearer, guarded, known_as, ticket_in
from tests.api.services import MemoryWorld, memory_services, new_id
from tests.api.serving import QUESTION, STREAM, Api, client_of, serving
from tests.api.viewer import Viewer, names
from tests.api.worker import Worker, answer

pytestmark = pytest.mark.asyncio(loop_scope="module")
OWNER = Caller("key:alice")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> MemoryWorld:
    return MemoryWorld()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(world: MemoryWorld) -> AsyncIterator[Api]:
    async with guarded(world) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def alice(api: Api) -> AsyncIterator[Api]:
    async with known_as(api, ALICE) as made:
        yield made


def tickets(ttl_s: float = 600, secret: str = TICKET_SECRET) -> Tickets:
    return Tickets(secret.encode(), ttl_s=ttl_s)


async def code_of(api: Api, url: str) -> tuple[int, str]:
    response = await api.client.get(url)
    return response.status_code, response.json()["code"]


async def test_the_address_of_the_events_needs_no_header(api: Api, alice: Api) -> None:
    queued = await alice.submit()
    await answer(api.log, queued["job_id"], "떼요")

    async with await Viewer.open(api.url, queued["events_url"]) as viewer:
        assert names(await viewer.rest())[-1] == "done"
    async with await Viewer.open(api.url, f"{queued['events_url']}&last_event_id=0-1") as resumed:
        assert (await resumed.rest())[0].id == "1-1"


async def test_a_ticket_is_for_the_events_of_one_job(api: Api, alice: Api) -> None:
    queued, other = await alice.submit(), await alice.submit()
    ticket = ticket_in(queued["events_url"])
    url = queued["status_url"]

    assert await code_of(api, f"{other['status_url']}/events?ticket={ticket}") == (401, "invalid_credential")
    assert await code_of(api, f"{url}?ticket={ticket}") == (401, "unauthenticated")
    for verb, body in (("cancel", {}), ("input", {}), ("feedback", {"score": 1})):
        response = await api.client.post(f"{url}/{verb}?ticket={ticket}", json=body)
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    as_key = await api.client.get(url, headers=bearer(ticket))
    assert as_key.status_code == 401
    assert (await alice.status(queued["job_id"])).json()["status"] == "queued"


@pytest.mark.parametrize(
    "damage",
    [
        lambda ticket: "",
        lambda ticket: ".",
        lambda ticket: ticket.partition(".")[0],
        lambda ticket: ticket + "x",
        lambda ticket: ticket[:-1],
        lambda ticket: "x" + ticket,
        lambda ticket: ticket * 50,
        lambda ticket: f"{_for_ever(ticket)}.{ticket.partition('.')[2]}",
        lambda ticket: "%ED%95%9C.%ED%95%9C",
    ],
)
async def test_a_ticket_that_was_changed_opens_nothing(api: Api, alice: Api, damage: Any) -> None:
    queued = await alice.submit()
    url = f"{queued['status_url']}/events"

    assert await code_of(api, f"{url}?ticket={damage(ticket_in(queued['events_url']))}") == (
        401,
        "invalid_credential",
    )


def _for_ever(ticket: str) -> str:
    owner, _, expires = orjson.loads(base64.urlsafe_b64decode(ticket.partition(".")[0] + "=="))
    return base64.urlsafe_b64encode(orjson.dumps([owner, 2**40, expires])).rstrip(b"=").decode()


async def test_a_ticket_that_has_ended_opens_nothing_and_the_status_has_another(api: Api, alice: Api) -> None:
    queued = await alice.submit()
    old = Tickets(TICKET_SECRET.encode(), ttl_s=600, now=lambda: time.time() - 601)
    stale = old.issue(events_scope(queued["job_id"]), OWNER)

    assert await code_of(api, f"{queued['status_url']}/events?ticket={stale}") == (401, "credential_expired")

    fresh = (await alice.status(queued["job_id"])).json()["events_url"]
    async with await Viewer.open(api.url, fresh) as viewer:
        assert viewer.status == 200


@pytest.mark.parametrize("secret", ["another-secret-of-quite-enough-characters", TICKET_SECRET])
async def test_every_replica_with_the_secret_reads_it_and_no_other(secret: str, api: Api, alice: Api) -> None:
    job_id = await alice.new_job()
    ticket = tickets(secret=secret).issue(events_scope(job_id), OWNER)
    async with await Viewer.open(api.url, f"/api/v1/chat/{job_id}/events?ticket={ticket}") as viewer:
        assert viewer.status == (200 if secret == TICKET_SECRET else 401)


async def test_a_ticket_of_somebody_elses_making_opens_no_job_of_others(api: Api, alice: Api) -> None:
    job_id = await alice.new_job()
    ticket = tickets().issue(events_scope(job_id), Caller("key:bob"))

    assert await code_of(api, f"/api/v1/chat/{job_id}/events?ticket={ticket}") == (404, "job_not_found")


async def test_a_wrong_key_is_not_made_good_by_a_ticket(api: Api, alice: Api) -> None:
    queued = await alice.submit()

    response = await api.client.get(queued["events_url"], headers=bearer("eco2_wrong"))

    assert (response.status_code, response.json()["code"]) == (401, "invalid_credential")


def _ends_at(ticket: str) -> float:
    return orjson.loads(base64.urlsafe_b64decode(ticket.partition(".")[0] + "=="))[1]


async def test_a_ticket_outlives_neither_its_credential_nor_the_ticket_it_comes_from(
    api: Api, alice: Api
) -> None:
    now = time.time()
    assert _ends_at(tickets(60).issue("s", OWNER)) == pytest.approx(now + 60, abs=10)
    assert _ends_at(tickets(60).issue("s", Caller("o", expires_at_s=now + 5))) <= now + 5
    job_id = await alice.new_job()
    short = tickets(30).issue(events_scope(job_id), OWNER)

    async with await Viewer.open(api.url, f"/api/v1/chat/{job_id}/events?ticket={short}") as viewer:
        first = await viewer.event()

    assert first is not None
    renewed = ticket_in(first.json()["events_url"])
    assert _ends_at(renewed) <= _ends_at(short)


async def test_pictures_of_an_answer_can_be_shown_without_a_header(
    world: MemoryWorld, api: Api, alice: Api
) -> None:
    queued = await alice.submit()
    shown = picture_path(await picture_of(world, "key:alice"))
    other = picture_path(await picture_of(world, "key:alice"))
    worker = await Worker.begin(api.log, queued["job_id"])
    worker.writer.event("image", to_json(Image(url=shown, alt="페트병")))
    worker.writer.event("image", to_json(Image(url="https://elsewhere.example/a.png", alt="")))
    await worker.end()

    async with await Viewer.open(api.url, queued["events_url"]) as viewer:
        urls = [event.json()["url"] for event in await viewer.rest() if event.event == "image"]

    assert (await api.client.get(urls[0])).content == PNG
    ticket = ticket_in(urls[0])
    assert await code_of(api, f"{other}?ticket={ticket}") == (401, "invalid_credential")
    assert await code_of(api, f"{queued['status_url']}/events?ticket={ticket}") == (401, "invalid_credential")
    assert await code_of(api, shown) == (401, "unauthenticated")
    assert urls[1] == "https://elsewhere.example/a.png"


async def test_pictures_of_a_conversation_and_of_other_protocols_have_tickets_too(
    world: MemoryWorld, api: Api, alice: Api
) -> None:
    sent = await picture_of(world, "key:alice")
    told = turn(session_id=(session_id := new_id()), owner="key:alice", image_url=reference(sent))
    await world.made.turns.save(told)
    page = (await alice.client.get(f"/api/v1/sessions/{session_id}/turns")).json()
    assert (await api.client.get(page["turns"][0]["image_url"])).content == PNG

    asked = {"model": "eco2-chat", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    async with alice.client.stream("POST", "/v1/chat/completions", json=asked) as response:
        worker = await Worker.begin(api.log, response.headers["location"].rpartition("/")[2])
        worker.writer.event("image", to_json(Image(url=picture_path(sent), alt="페트병")))
        await worker.end()
        text = (await response.aread()).decode()
    assert (await api.client.get(text.partition("](")[2].partition(")")[0])).content == PNG


async def test_a_ticket_of_a_picture_ends(api: Api, world: MemoryWorld) -> None:
    picture_id = await picture_of(world, "key:alice")
    old = Tickets(TICKET_SECRET.encode(), ttl_s=600, now=lambda: time.time() - 601)
    stale = old.issue(picture_scope(picture_id), OWNER)

    assert await code_of(api, f"{picture_path(picture_id)}?ticket={stale}") == (401, "credential_expired")


async def test_nothing_that_is_kept_has_a_ticket_in_it() -> None:
    world = MemoryWorld()
    async with guarded(world) as api, known_as(api, ALICE) as alice:
        first = (await alice.post(Idempotency_Key="k-1")).json()
        again = (await alice.post(Idempotency_Key="k-1")).json()
        streamed = await Viewer.open(
            api.url,
            "/api/v1/chat",
            headers={**STREAM, **bearer(ALICE), "Content-Type": "application/json"},
            method="POST",
            body=orjson.dumps({"message": QUESTION}),
        )
        async with streamed:
            queued = await streamed.event()

        assert queued is not None
        for told in (first, again, queued.json()):
            async with await Viewer.open(api.url, told["events_url"]) as viewer:
                assert viewer.status == 200
        kept = await everything(world) + str([job.to_body() for job in await world.waiting_jobs()])
        for told in (first, again, queued.json()):
            assert told["job_id"] in kept
        assert "ticket" not in kept


async def test_no_ticket_and_no_key_gets_into_a_span_or_a_log(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(SanitisingExporter(spans)))
    services = replace(memory_services(**BY_KEY), telemetry=Telemetry(provider))
    caplog.set_level("DEBUG", "chat_api")
    async with serving(services) as (url, _), client_of(url) as client:
        api = Api(url, client, services.log)
        async with known_as(api, ALICE) as alice:
            queued = await alice.submit()
        tampered = f"{queued['events_url']}x"
        assert (await client.get(tampered)).status_code == 401
        assert (await client.get(f"{queued['status_url']}?ticket=t", headers=bearer(BOB))).status_code == 404
        async with await Viewer.open(url, queued["events_url"]) as viewer:
            await answer(services.log, queued["job_id"], "떼요")
            await viewer.rest()

    told = "".join(span.to_json() for span in spans.get_finished_spans())
    written = caplog.text + "".join(capfd.readouterr())
    assert f"/api/v1/chat/{queued['job_id']}/events" in told
    for secret in (ticket_in(queued["events_url"]), ALICE, BOB, TICKET_SECRET):
        assert secret not in told
        assert secret not in written

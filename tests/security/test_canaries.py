"""No secret and nothing of what users say in logs, spans, metrics, errors and addresses."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from eco2_devservers import Program, free_port

from tests.security.planted import (
    CONTENT,
    CONTENT_WORDS,
    PICTURE_URL,
    SECRETS,
    WORDS,
    Watched,
    found_in,
    until_ready,
    watched,
)
from tests.telemetry.receiver import Receiver, receiving

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

PLACE = {"latitude": float(CONTENT["latitude"]), "longitude": float(CONTENT["longitude"])}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> AsyncIterator[Watched]:
    async with watched(tmp_path_factory.mktemp("planted"), receiver) as product:
        yield product


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(product: Watched) -> list[str]:
    """All that the product answered: to good questions, bad ones, and those that its vendors fail at."""
    answers: list[str] = []
    async with product.client() as api:
        session = "canary-session"
        questions = [
            {"message": f"페트병 {CONTENT['message']} 어떻게 버려?", "session_id": session},
            {"message": f"오늘 날씨 어때? {CONTENT['message']}", "location": PLACE},
            {"message": f"근처 재활용센터 어디야? {CONTENT['message']}", "location": PLACE},
            {"message": f"이건 어떻게 버려? {CONTENT['message']}", "image_url": PICTURE_URL},
        ]
        answers += await asyncio.gather(*(product.ask(api, **question) for question in questions))
        listed = await api.get(f"/api/v1/sessions/{session}/turns")
        job_id = listed.json()["turns"][0]["job_id"]
        score = {"score": 0, "comment": CONTENT["comment"]}
        errors = [
            await api.post(f"/api/v1/chat/{job_id}/feedback", json=score),
            await api.post("/api/v1/chat", json={"message": CONTENT["message"], "mood": CONTENT["message"]}),
            await api.post("/api/v1/chat", content=f'{{"message": "{CONTENT["message"]}'.encode()),
            await api.post("/api/v1/chat", json={"message": "a", "session_id": f"{CONTENT['message']} "}),
            await api.get(f"/api/v1/chat/{job_id}/events", headers={"Authorization": f"Bearer {WORDS[0]}"}),
            await api.get(f"/api/v1/chat/{job_id}/events?ticket={WORDS[0]}", headers={"Authorization": ""}),
            await api.get("/api/v1/sessions/nobodys/turns"),
            await api.delete(f"/api/v1/sessions/{session}"),
            await api.get("/openapi.json"),
        ]
        answers += [f"{response.headers} {response.text}" for response in errors]
    return answers


async def test_what_is_asked_is_answered_and_where_it_belongs_it_is(told: list[str]) -> None:
    assert "event: done" in told[0]
    assert all("event: done" in answer or "event: error" in answer for answer in told[:4])


async def test_no_answer_tells_a_secret(told: list[str]) -> None:
    for answer in told:
        assert found_in(answer) == []


async def test_no_refusal_repeats_what_was_said(told: list[str]) -> None:
    for answer in told[4:]:
        assert found_in(answer, CONTENT_WORDS) == []


async def test_neither_secrets_nor_content_are_logged_even_in_detail(
    product: Watched, told: list[str]
) -> None:
    said = product.program.said()
    assert '"level":"DEBUG"' in said
    assert "tavily" in said or "kakao" in said or "data.go.kr" in said or "vendor" in said
    assert found_in(said) == []
    assert found_in(said, CONTENT_WORDS) == []


async def test_neither_secrets_nor_content_are_in_spans_or_their_journal(
    product: Watched, told: list[str], receiver: Receiver
) -> None:
    await asyncio.to_thread(
        receiver.wait, lambda: sum(s.name == "process_chat" for s in receiver.spans) >= 4, 60
    )
    told_by = [
        (span.name, name)
        for span in receiver.spans
        for name, value in span.attributes.items()
        if found_in(str(value), (*WORDS, *CONTENT_WORDS))
    ]
    assert told_by == []
    sent = b"".join(receiver.bodies).decode(errors="replace")
    files = [path for path in (product.folder / "journals").rglob("*") if path.is_file()]
    journals = [path.read_bytes().decode(errors="replace") for path in files]
    for text in (sent, *journals):
        assert found_in(text) == []
        assert found_in(text, CONTENT_WORDS) == []


async def test_neither_secrets_nor_content_are_in_metrics(product: Watched, told: list[str]) -> None:
    async with product.client() as api:
        metrics = (await api.get("/metrics")).text
    assert "chat_" in metrics
    assert found_in(metrics) == []
    assert found_in(metrics, (*CONTENT_WORDS, "canary-session")) == []


async def test_no_secret_goes_out_in_clear(product: Watched, told: list[str]) -> None:
    # The vendors' names lead here. Over TLS, all that the wrong host hears is a hello.
    assert product.lure.came > 0
    assert found_in(product.lure.said.decode(errors="replace"), (*WORDS, *CONTENT_WORDS)) == []


STORES = {
    "REDIS_URL": f"redis://:{SECRETS['redis']}@127.0.0.1:9/0",
    "AMQP_URL": f"amqp://eco2:{SECRETS['amqp']}@127.0.0.1:9/",
    "DATABASE_URL": f"postgresql://eco2:{SECRETS['postgres']}@127.0.0.1:9/eco2",
    "OPENAI_API_KEY": SECRETS["OPENAI_API_KEY"],
    "LOG_LEVEL": "DEBUG",
}


async def test_services_whose_stores_refuse_them_tell_no_password(tmp_path: Path) -> None:
    port = free_port()
    api = Program("api", tmp_path, "-m", "chat_api", "--port", str(port), **STORES)
    worker = Program("worker", tmp_path, "-m", "chat_worker", **STORES)
    upgrade = Program("upgrade", tmp_path, "-m", "eco2_history", "upgrade", **STORES)
    for program in (api, worker, upgrade):
        program.start()
    try:
        answers = await _refused(f"http://127.0.0.1:{port}", api)
        async with asyncio.timeout(120):
            # What they have to say of a store that is away, they say at once.
            while any(one.is_running and "connect" not in one.said() for one in (worker, upgrade)):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    finally:
        await asyncio.gather(*(asyncio.to_thread(one.close) for one in (api, worker, upgrade)))
    for said in (*answers, *(program.said() for program in (api, worker, upgrade))):
        assert said
        assert found_in(said, (*WORDS, *CONTENT_WORDS)) == []


async def _refused(url: str, program: Program) -> list[str]:
    await until_ready(f"{url}/livez", program)
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as api:
        answers = [
            await api.post("/api/v1/chat", json={"message": CONTENT["message"]}),
            await api.get("/readyz"),
            await api.get("/api/v1/sessions/some/turns"),
        ]
    assert [answer.status_code for answer in answers] == [503] * 3
    return [f"{answer.headers} {answer.text}" for answer in answers]


async def test_no_address_that_a_user_gives_is_looked_up_or_connected_to(product: Watched) -> None:
    """Every foreign name leads to the lure: whoever fetched one, or a redirect of one, would look it up."""
    names = ("rebound.canary-5f1d.example", "redirect.canary-5f1d.example", "8.8.4.4")
    before = len(product.reached())
    async with product.client() as api:
        answers = await asyncio.gather(
            *(
                product.ask(api, message="이건 어떻게 버려?", image_url=f"https://{name}/a.png")
                for name in names
            ),
            *(product.ask(api, message=f"https://{name}/ 이 글 요약해줘") for name in names),
        )
    assert all("event: done" in answer for answer in answers)
    reached = product.reached()[before:]
    assert reached
    assert not [line for line in reached if any(name in line for name in names)]

"""A server that wants to know who is calling, seen from the client."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from eco2_chat import ApiError, AsyncClient, Client, CredentialExpired, Done, Event
from eco2_chat.cli.main import main

from tests.api.credentials import ALICE, Issuer, guarded, token
from tests.api.services import MemoryWorld
from tests.api.serving import Api
from tests.api.worker import answer
from tests.client.asking import QUESTION, QUICK


@pytest.fixture
async def keyed() -> AsyncIterator[Api]:
    async with guarded(MemoryWorld()) as api:
        yield api


async def test_the_key_is_shown_with_every_call(keyed: Api) -> None:
    async with AsyncClient(keyed.url, api_key=ALICE, patience=QUICK) as client:
        queued = await client.submit(QUESTION)
        await answer(keyed.log, queued.job_id, "떼요")
        heard = [event async for event in client.events(queued.job_id)]

    assert isinstance(heard[-1], Done)

    def ask_again() -> str:
        with Client(keyed.url, api_key=lambda: ALICE, patience=QUICK) as client:
            return client.status(queued.job_id).status

    assert await asyncio.to_thread(ask_again) == "done"


@pytest.mark.parametrize("key", [None, "eco2_wrong"])
async def test_a_refused_key_is_told_at_once(keyed: Api, key: str | None) -> None:
    async with AsyncClient(keyed.url, api_key=key, patience=QUICK) as client:
        with pytest.raises(ApiError) as refused:
            await client.submit(QUESTION)

    assert refused.value.status == 401


async def test_a_stream_outlives_the_token_it_began_with() -> None:
    shown: list[str] = []

    def fresh() -> str:
        shown.append(token(expires_in_s=5))
        return shown[-1]

    world = MemoryWorld()
    heard: list[Event] = []
    async with (
        Issuer().open() as issuer,
        guarded(world, **issuer.settings(auth_jwt_leeway_s=0)) as api,
        AsyncClient(api.url, api_key=fresh, patience=QUICK) as client,
    ):
        queued = await client.submit(QUESTION)
        async for event in client.events(queued.job_id):
            heard.append(event)
            if isinstance(event, CredentialExpired):
                await answer(api.log, queued.job_id, "떼요")

    assert [type(event).__name__ for event in heard if event.id is None] == ["CredentialExpired"]
    assert isinstance(heard[-1], Done)
    ids = [event.id for event in heard if event.id is not None]
    assert len(ids) == len(set(ids))
    assert len(set(shown)) > 1


async def test_the_command_reads_its_key_from_the_environment(
    keyed: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECO2_API_KEY", "eco2_wrong")
    assert await asyncio.to_thread(main, ["doctor", "--quick", keyed.url]) == 1
    assert "ECO2_API_KEY" in capsys.readouterr().out
    monkeypatch.setenv("ECO2_API_KEY", ALICE)
    await asyncio.to_thread(main, ["doctor", "--quick", keyed.url])
    assert "Last-Event-ID did not reach" not in (told := capsys.readouterr().out)
    assert "ok   headers" in told

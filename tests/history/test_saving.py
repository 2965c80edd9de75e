"""Saves that come together are committed together, and no bad one costs the others."""

import asyncio
import time
from typing import Any

import pytest
from eco2_devservers import PostgresServer
from eco2_history import HistoryUnavailable, TurnRefused, TurnStore

from tests.history.databases import PostgresDatabase, new_id, turn


def count_transactions(store: TurnStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of turns in each transaction from now on."""
    assert store._sql is not None
    counted: list[int] = []
    save = store._sql.save

    async def counting(rows: Any) -> None:
        counted.append(len(rows))
        await save(rows)

    monkeypatch.setattr(store._sql, "save", counting)
    return counted


async def test_saves_of_jobs_that_end_together_share_a_transaction(
    store: TurnStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await store.save(turn())
    counted = count_transactions(store, monkeypatch)
    began = time.process_time()
    for _ in range(20):
        await asyncio.gather(*(store.save(turn(session_id=new_id())) for _ in range(50)))
    spent_us = (time.process_time() - began) * 1e6 / 1_000

    with capsys.disabled():
        print(f"\n{store._address.kind}: {spent_us:.0f} us of CPU per save, 50 at a time")
    assert sum(counted) == 1_000
    assert len(counted) <= 40


async def test_what_comes_while_a_transaction_is_under_way_rides_in_the_next(
    store: TurnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.save(turn())
    counted = count_transactions(store, monkeypatch)
    first = asyncio.create_task(store.save(turn()))
    while not counted:
        assert not first.done()
        await asyncio.sleep(0)
    rest = [asyncio.create_task(store.save(turn())) for _ in range(9)]
    await asyncio.gather(first, *rest)

    assert counted == [1, 9]


async def test_a_save_that_is_given_up_does_not_stop_the_others(store: TurnStore) -> None:
    given_up, kept = turn(), turn()
    saving = asyncio.create_task(store.save(given_up))
    await asyncio.sleep(0)
    saving.cancel()
    await store.save(kept)

    assert await store.answer_of(kept.job_id) == kept


async def test_text_that_no_database_stores_is_stored_with_a_mark_in_its_place(store: TurnStore) -> None:
    odd = turn(question="NUL \0 and \ud800", answer="\0", sources=({"title": "\0"},))
    await store.save(odd)

    found = await store.answer_of(odd.job_id)
    assert found is not None
    assert found.question.startswith("NUL \ufffd and ")
    assert found.answer == "\ufffd"


async def test_a_turn_that_the_database_refuses_fails_alone(postgres_database: PostgresDatabase) -> None:
    store = TurnStore(postgres_database.url, upgrades=True)
    good, bad, fine = turn(), turn(trace_id="longer than the column " * 9), turn()
    results = await asyncio.gather(*map(store.save, (good, bad, fine)), return_exceptions=True)

    assert [type(result) for result in results] == [type(None), TurnRefused, type(None)]
    assert await store.answer_of(good.job_id) == good
    assert await store.answer_of(fine.job_id) == fine
    await store.close()


async def test_a_turn_is_saved_before_a_close_returns(store: TurnStore) -> None:
    await store.save(turn())
    saving = [asyncio.create_task(store.save(turn())) for _ in range(5)]
    await asyncio.sleep(0)
    await store.close()

    assert await asyncio.gather(*saving) == [None] * 5
    with pytest.raises(HistoryUnavailable):
        await store.save(turn())


async def test_a_database_that_is_away_is_told_and_found_again(
    postgres_database: PostgresDatabase, postgres: PostgresServer
) -> None:
    store = TurnStore(postgres_database.url, upgrades=True)
    before, after = turn(), turn()
    await store.save(before)
    postgres.kill()
    try:
        for call in (store.save(after), store.answer_of(before.job_id), store.check()):
            with pytest.raises(HistoryUnavailable) as told:
                await call
            assert "127.0.0.1" not in str(told.value)
            assert told.value.__cause__ is None
    finally:
        postgres.start()
    await store.save(after)
    assert (await store.page("s-1", "user-1")).turns == tuple(
        sorted((before, after), key=lambda one: one.job_id)
    )
    await store.close()


async def test_a_database_that_was_away_at_the_first_call_is_found_later(postgres: PostgresServer) -> None:
    postgres.stop()
    store = TurnStore(postgres.url, upgrades=True)
    try:
        with pytest.raises(HistoryUnavailable):
            await store.check()
    finally:
        postgres.start()
    await store.check()
    await store.close()


@pytest.mark.parametrize(
    "url", ["", "sqlite:", "sqlite:///", "memory", "memory:x", "mysql://u:Secret7f3a@h/d"]
)
def test_a_url_of_another_kind_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"^DATABASE_URL must begin with") as refused:
        TurnStore(url)
    assert "Secret7f3a" not in str(refused.value)

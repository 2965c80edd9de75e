"""What is saved comes back, page by page, and to nobody else."""

import asyncio

import pytest
from eco2_history import TurnStore, UnknownCursor

from tests.history.databases import T0, new_id, turn


async def test_a_turn_comes_back_as_it_was_saved(store: TurnStore) -> None:
    whole = turn()
    failed = turn(status="error", answer="", error={"title": "Failed", "status": 500}, created_at_ms=T0 + 1)
    bare = turn(intents=(), sources=(), usage={}, image_url=None, sample_data=False, created_at_ms=T0 + 2)
    for one in (whole, failed, bare):
        await store.save(one)

    assert await store.answer_of(whole.job_id) == whole
    assert (await store.page("s-1", "user-1")).turns == (whole, failed, bare)


async def test_what_was_never_saved_is_not_there(store: TurnStore) -> None:
    assert await store.answer_of(new_id()) is None
    assert await store.owner_of("s-1") is None
    assert await store.jobs_of("s-1", "user-1") == []
    page = await store.page("s-1", "user-1")
    assert (page.turns, page.before) == ((), None)


async def test_the_same_turn_saved_twice_is_there_once(store: TurnStore) -> None:
    one = turn()
    await store.save(one)
    await asyncio.gather(store.save(one), store.save(one))

    assert (await store.page("s-1", "user-1")).turns == (one,)


async def test_of_two_attempts_the_later_one_stays_in_whatever_order_they_come(store: TurnStore) -> None:
    job_id = new_id()
    first, second = (turn(job_id=job_id, attempts=n, answer=f"{n}") for n in (1, 2))
    await store.save(first)
    await store.save(second)
    assert await store.answer_of(job_id) == second
    await store.save(first)
    assert await store.answer_of(job_id) == second


async def test_pages_go_back_to_the_first_turn_without_a_hole_or_a_double(store: TurnStore) -> None:
    # Two turns of the same millisecond have an order all the same.
    all_turns = [turn(created_at_ms=T0 + number // 2) for number in range(11)]
    await asyncio.gather(*map(store.save, all_turns))

    seen: list[str] = []
    before = None
    while True:
        page = await store.page("s-1", "user-1", before=before, limit=4)
        seen = [one.job_id for one in page.turns] + seen
        before = page.before
        if before is None:
            break

    in_order = sorted(all_turns, key=lambda one: (one.created_at_ms, one.job_id))
    assert seen == [one.job_id for one in in_order]


async def test_a_new_turn_does_not_move_the_pages_of_older_ones(store: TurnStore) -> None:
    for number in range(4):
        await store.save(turn(created_at_ms=T0 + number))
    newest = await store.page("s-1", "user-1", limit=2)
    await store.save(turn(created_at_ms=T0 + 9))

    older = await store.page("s-1", "user-1", before=newest.before, limit=2)
    assert [one.created_at_ms for one in (*older.turns, *newest.turns)] == [T0, T0 + 1, T0 + 2, T0 + 3]
    assert older.before is None


@pytest.mark.parametrize("cursor", ["", "0", "' OR 1=1 --", "a" * 10_000, "\u2028"])
async def test_a_cursor_that_names_nothing_is_refused(store: TurnStore, cursor: str) -> None:
    await store.save(turn())
    with pytest.raises(UnknownCursor):
        await store.page("s-1", "user-1", before=cursor)


async def test_a_cursor_of_another_session_is_refused(store: TurnStore) -> None:
    mine, elsewhere, others = turn(), turn(session_id="s-2"), turn(session_id="s-3", owner="user-2")
    for one in (mine, elsewhere, others):
        await store.save(one)
    for one in (elsewhere, others):
        with pytest.raises(UnknownCursor):
            await store.page("s-1", "user-1", before=one.job_id)


async def test_a_session_is_told_to_its_owner_only(store: TurnStore) -> None:
    one = turn()
    await store.save(one)

    assert await store.owner_of("s-1") == "user-1"
    assert (await store.page("s-1", "user-2")).turns == ()
    assert await store.jobs_of("s-1", "user-2") == []
    assert await store.jobs_of("s-1", "user-1") == [one.job_id]


async def test_a_page_has_a_limit_whatever_is_asked(store: TurnStore) -> None:
    await asyncio.gather(*(store.save(turn(created_at_ms=T0 + number)) for number in range(203)))

    assert len((await store.page("s-1", "user-1", limit=10**9)).turns) == 200
    assert len((await store.page("s-1", "user-1", limit=-1)).turns) == 1

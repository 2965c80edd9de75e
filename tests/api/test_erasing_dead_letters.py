"""A job that was given up holds its question: with its session, it goes as well."""

import asyncio
import contextlib

from eco2_bus.dead_letters import MemoryDeadLetters
from eco2_bus.rabbit_dead_letters import dead_letters

from tests.api import documented
from tests.api.conversation import CANARY
from tests.api.services import RealWorld, World, new_id
from tests.api.serving import Api, api_over
from tests.api.worker import Worker


async def bodies(world: World) -> list[str]:
    """What lies in the dead letters."""
    if isinstance(world, RealWorld):
        async with dead_letters(world.amqp_url) as letters:
            return [letter.body.decode() for letter in letters]
    store = world.made.dead_letters
    assert isinstance(store, MemoryDeadLetters)
    return [body.decode() for _, body in store._dead]


async def give_up(world: World, api: Api, session_id: str) -> str:
    """A job that ends with `error` and lies in the dead letters."""
    known = len(await bodies(world))
    job_id = (await api.submit(message=CANARY, session_id=session_id))["job_id"]
    async with contextlib.aclosing(world.made.queue.consume(1)) as deliveries, asyncio.timeout(30):
        delivery = await anext(deliveries)
        assert delivery.job_id == job_id
        await (await Worker.begin(world.log, job_id)).end("error")
        await delivery.dead_letter("3 failed attempts")
        while len(await bodies(world)) == known:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return job_id


async def test_dead_letters_go_with_their_session_and_no_others(world: World, api: Api) -> None:
    await world.made.dead_letters.remove(_Everything())
    gone, stays = new_id(), new_id()
    for session_id in (gone, stays, gone):
        await give_up(world, api, session_id)
    assert sum(gone in body for body in await bodies(world)) == 2

    assert (await api.client.delete(f"/api/v1/sessions/{gone}")).status_code == 204

    (left,) = await bodies(world)
    assert stays in left


async def test_an_erasure_that_cannot_reach_the_dead_letters_is_told_and_can_be_repeated(
    real_world: RealWorld,
) -> None:
    async with api_over(real_world) as api:
        session_id = new_id()
        await give_up(real_world, api, session_id)
        reachable = real_world.made.dead_letters._url
        real_world.made.dead_letters._url = "amqp://guest:guest@127.0.0.1:9/"
        response = await api.client.delete(f"/api/v1/sessions/{session_id}")
        documented.problem_of(503, dict(response.headers), response.content)

        real_world.made.dead_letters._url = reachable
        assert (await api.client.delete(f"/api/v1/sessions/{session_id}")).status_code == 204
        assert not [body for body in await bodies(real_world) if session_id in body]


class _Everything(set[str]):
    def __contains__(self, _: object) -> bool:
        return True

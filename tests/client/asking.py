"""A client's calls beside a worker's answers."""

import asyncio
from typing import Any

from eco2_chat import AsyncClient, Event, Patience, Reset, Token
from eco2_chat.events import Gap
from eco2_devservers import TcpProxy

from tests.api.services import World

QUICK = Patience(stream_s=30, call_s=30, first_s=0.01, longest_s=0.2, silence_s=20)
IN_TIME_S = 30
QUESTION = "페트병 어떻게 버려?"


def client_through(proxy: TcpProxy, patience: Patience = QUICK) -> AsyncClient:
    return AsyncClient(f"http://127.0.0.1:{proxy.port}", patience=patience)


async def next_job(world: World) -> Any:
    """The one job that is in the queue."""
    jobs: list[Any] = []
    async with asyncio.timeout(IN_TIME_S):
        while not jobs:
            jobs = await world.waiting_jobs()
            await asyncio.sleep(0.01)
    # A question that was sent twice is one job still, though its message may be there twice.
    assert len({job.job_id for job in jobs}) == 1
    return jobs[0]


def shown(events: list[Event]) -> str:
    """What a reader sees who throws away what is reset."""
    text: list[str] = []
    for event in events:
        if isinstance(event, Token):
            text.append(event.text)
        elif isinstance(event, Reset | Gap):
            text.clear()
    return "".join(text)

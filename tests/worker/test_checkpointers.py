"""What a session remembers outlives the process, in each store that can hold it."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from chat_worker.bootstrap import open_checkpointer
from chat_worker.graph.build import build_graph
from chat_worker.graph.memory import trim
from chat_worker.graph.state import TurnContext
from chat_worker.metrics.requests import NoOpMetricsAdapter
from chat_worker.ports import Tools
from eco2_devservers import PostgresServer, TcpProxy
from opentelemetry.trace import NoOpTracer

from tests.worker.fakes import FakeGuide, FakeModel, answer_to


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


class _Silence:
    def token(self, text: str, tokens: int = 1) -> bool:
        return True

    def stage(
        self, node: str, status: str, duration_ms: float | None = None, detail: str | None = None
    ) -> None:
        return None

    def learned(self, change: Any) -> None:
        return None

    def sources(self, findings: Any) -> None:
        return None

    def image(self, url: str, alt: str) -> None:
        return None


async def ask(url: str, question: str, session: str, before_asking: Any = None) -> list[dict[str, str]]:
    """Asks in a process of its own, as far as the store can tell, and gives what the session remembers."""
    async with AsyncExitStack() as stack:
        graph: Any = build_graph(await open_checkpointer(stack, url))
        if before_asking is not None:
            await asyncio.to_thread(before_asking)
        tools = Tools(FakeModel(), FakeGuide())
        context = TurnContext(_Silence(), tools, NoOpTracer(), trim, NoOpMetricsAdapter())
        turn = {"job_id": question, "question": question, "findings": None, "usage": None}
        config = {"configurable": {"thread_id": session}}
        state = await graph.ainvoke(turn, config, context=context, durability="exit")
        return state["history"]


async def remembers(url: str, session: str) -> None:
    await ask(url, "첫 질문", session)
    history = await ask(url, "둘째 질문", session)
    assert [(turn["question"], turn["answer"]) for turn in history] == [
        ("첫 질문", answer_to("첫 질문")),
        ("둘째 질문", answer_to("둘째 질문")),
    ]


async def test_sqlite_remembers_a_session_across_processes(tmp_path: Path) -> None:
    await remembers(f"sqlite:///{tmp_path / 'new' / 'folder.sqlite'}", "s")


async def test_postgres_remembers_a_session_across_processes(postgres: PostgresServer) -> None:
    await remembers(postgres.url, "across")


async def test_a_restart_of_postgres_does_not_need_one_of_the_worker(postgres: PostgresServer) -> None:
    def restart() -> None:
        postgres.stop()
        postgres.start()

    await ask(postgres.url, "첫 질문", "restart")
    history = await ask(postgres.url, "둘째 질문", "restart", before_asking=restart)
    assert len(history) == 2


async def test_workers_that_start_together_on_a_new_database_make_its_tables_once(
    postgres: PostgresServer,
) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE fresh")
    url = postgres.url.removesuffix("/postgres") + "/fresh"
    async with AsyncExitStack() as stack:
        await asyncio.wait_for(asyncio.gather(*(open_checkpointer(stack, url) for _ in range(6))), 60)
    await remembers(url, "together")


async def test_a_cut_of_all_connections_to_postgres_holds_nobody_up(postgres: PostgresServer) -> None:
    session: Any = {"configurable": {"thread_id": "cut", "checkpoint_ns": ""}}
    with TcpProxy(postgres.port) as proxy:
        async with AsyncExitStack() as stack:
            url = postgres.url.replace(str(postgres.port), str(proxy.port))
            checkpoints = await open_checkpointer(stack, url)
            await checkpoints.aget_tuple(session)
            await asyncio.to_thread(proxy.cut)
            # Every dead connection that a pool tries costs a pause that grows: 15 s for five.
            await asyncio.wait_for(checkpoints.aget_tuple(session), 8)


async def test_another_kind_of_url_is_refused_at_the_start() -> None:
    async with AsyncExitStack() as stack:
        with pytest.raises(ValueError, match="DATABASE_URL"):
            await open_checkpointer(stack, "mysql://somewhere")

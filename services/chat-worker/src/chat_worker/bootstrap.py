"""Puts a worker together."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from eco2_bus.log import EventLog
from eco2_bus.pictures import Pictures
from eco2_bus.queue import JobQueue
from eco2_history import TurnStore
from eco2_telemetry.setup import Telemetry
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from prometheus_client import CollectorRegistry

from chat_worker.adapters.session_memory import SessionMemory
from chat_worker.adapters.sqlite_checkpoints import SqliteCheckpoints
from chat_worker.archive import Archive
from chat_worker.consumer import Consumer
from chat_worker.graph.build import build_graph
from chat_worker.metrics.requests import PrometheusMetricsAdapter
from chat_worker.metrics.stream import StreamMetrics
from chat_worker.run_job import Workshop
from chat_worker.settings import WorkerSettings
from chat_worker.telemetry.compose import open_following
from chat_worker.toolbox import open_tools

PROVIDER = "openai"
POSTGRES_CONNECT_S = 5


@asynccontextmanager
async def open_consumer(
    settings: WorkerSettings,
    queue: JobQueue,
    log: EventLog,
    turns: TurnStore,
    pictures: Pictures,
    telemetry: Telemetry,
    *,
    registry: CollectorRegistry,
    messaging_system: str = "rabbitmq",
) -> AsyncGenerator[Consumer]:
    """A consumer with all it needs; what is passed in stays the caller's to close."""
    async with AsyncExitStack() as stack:
        database_url = settings.database_url.get_secret_value()
        memory = SessionMemory(await open_checkpointer(stack, database_url))
        tools = open_tools(stack, settings, telemetry, pictures)
        metrics = PrometheusMetricsAdapter(registry, PROVIDER)
        followed = open_following(stack, settings, telemetry, tools, metrics, PROVIDER)
        workshop = Workshop(
            graph=build_graph(memory),
            memory=memory,
            tools=followed.tools,
            log=log,
            archive=Archive(log, turns),
            tracer=telemetry.tracer,
            job_deadline_s=settings.job_deadline_s,
            answer_max_chars=settings.answer_max_chars,
            job_max_tokens=settings.job_max_tokens,
            is_sample_data=settings.is_sample_data,
            stream_metrics=StreamMetrics(registry, PROVIDER),
            metrics=followed.metrics,
            provider=PROVIDER,
            telemetry=followed.config,
        )
        yield Consumer(
            queue,
            workshop,
            concurrency=settings.worker_concurrency,
            poison_after=settings.poison_after,
            input_wait_s=settings.input_wait_s,
            max_age_s=settings.job_max_age_s,
            messaging_system=messaging_system,
        )


async def open_checkpointer(stack: AsyncExitStack, url: str) -> BaseCheckpointSaver[Any]:
    """The memory of sessions; raises ValueError for a URL of another kind."""
    if url == "memory:":
        return InMemorySaver()
    if url.startswith("postgresql://"):
        return await _open_postgres(stack, url)
    if url.startswith("sqlite:///"):
        sqlite = SqliteCheckpoints(Path(url.removeprefix("sqlite:///")))
        stack.push_async_callback(sqlite.close)
        return sqlite
    raise ValueError("DATABASE_URL must begin with sqlite:///, postgresql:// or memory:")


async def _open_postgres(stack: AsyncExitStack, url: str) -> BaseCheckpointSaver[Any]:
    # Imported here: the embedded default starts without them.
    from psycopg import AsyncConnection
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool

    from chat_worker.adapters.postgres_checkpoints import PostgresCheckpoints

    options: Any = {
        "autocommit": True,
        "prepare_threshold": 0,
        "row_factory": dict_row,
        "connect_timeout": POSTGRES_CONNECT_S,
    }
    pool_of: Any = AsyncConnectionPool
    # A connection is tried before use: a restart of the server must cost no attempt. There is one, because
    # the saver uses one at a time, and each dead one of a pool would be found out after a longer pause.
    pool = pool_of(url, min_size=1, max_size=1, kwargs=options, check=pool_of.check_connection, open=False)
    postgres = PostgresCheckpoints(await stack.enter_async_context(pool))
    async with await AsyncConnection.connect(url, **options) as connection:
        await postgres.setup_once(connection)
    return postgres

"""A worker in memory whose runs are followed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from chat_worker.ports import Tools
from chat_worker.settings import WorkerSettings
from chat_worker.telemetry.compose import open_following
from chat_worker.telemetry.switches import LangSmithSwitches
from eco2_telemetry.sanitise import SanitisingExporter
from eco2_telemetry.setup import Telemetry
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.worker.fakes import FakeGuide, FakeModel
from tests.worker.world import World
from tests.worker_telemetry.ingest import Ingest

KEY = "lsv2_pt_0123456789abcdef"
MODEL = "gpt-4.1-mini"
_NOBODY: Any = object()
WITH_WEATHER = Tools(model=FakeModel(), guide=FakeGuide(), weather=_NOBODY)
"""A weather that is asked only once its place is known."""


class Followed:
    """The world, and the spans that would leave it."""

    def __init__(self, world: World, memory: InMemorySpanExporter) -> None:
        self.world = world
        self._memory = memory

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._memory.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def orphans(self) -> list[str]:
        known = {span.context.span_id for span in self.spans if span.context}
        return [span.name for span in self.spans if span.parent and span.parent.span_id not in known]


def native(ingest: Ingest, **more: str) -> dict[str, str]:
    """The switches that send runs to LangSmith."""
    switches = {"langchain_tracing_v2": "true", "langchain_api_key": KEY, "langchain_endpoint": ingest.url}
    return {**switches, "environment": "test", **more}


def otel(ingest: Ingest, **more: str) -> dict[str, str]:
    """The switches that put runs into the traces."""
    return native(ingest, langchain_api_key="", langsmith_otel_enabled="true", **more)


def hybrid(ingest: Ingest) -> dict[str, str]:
    """The switches that do both."""
    return native(ingest, langsmith_otel_enabled="true", langsmith_tracing_mode="hybrid")


@asynccontextmanager
async def followed(switches: dict[str, str], **options: Any) -> AsyncIterator[Followed]:
    """A running worker, followed as the switches say; what is left to send is sent at the end."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(SanitisingExporter(memory)))
    made: Any = LangSmithSwitches(_env_file=None, **switches)  # type: ignore[call-arg]
    settings = WorkerSettings(_env_file=None, langsmith=made, openai_model=MODEL)  # type: ignore[call-arg]
    world = World(**options)
    async with AsyncExitStack() as stack:
        shop = world.consumer._shop
        work = open_following(stack, settings, Telemetry(provider), shop.tools, shop.metrics, "openai")
        tracer = provider.get_tracer("eco2")
        world.consumer._shop = replace(
            shop, tools=work.tools, metrics=work.metrics, telemetry=work.config, tracer=tracer
        )
        async with world:
            yield Followed(world, memory)

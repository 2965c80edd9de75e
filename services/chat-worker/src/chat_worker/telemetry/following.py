"""The clients that send runs away, held so that LangSmith's troubles stay its own."""

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from threading import Thread
from typing import Any

from eco2_telemetry import genai
from eco2_telemetry.setup import Telemetry
from langsmith import Client

from chat_worker.telemetry.run_spans import RunSpans
from chat_worker.telemetry.run_tracer import RunTracer
from chat_worker.telemetry.switches import LangSmithSwitches, Mode

_log = logging.getLogger(__name__)

CLOSE_S = 1.0
"""Telemetry has 2 s at the end of a process, and the spans need some of it."""
CONNECT_TIMEOUT_MS = 2_000
READ_TIMEOUT_MS = 5_000
PAUSE_S = 60.0
MESSAGE_MAX_CHARS = 200
_TAMED = {
    # Threads that a hanging LangSmith keeps busy would keep the process as well.
    "LANGSMITH_USE_DAEMON": "true",
    "LANGSMITH_DISABLE_RUN_COMPRESSION": "true",
    # Some 50 MB: what waits beyond it is dropped.
    "LANGSMITH_TRACING_QUEUE_MAX_SIZE": "5000",
}


class Following:
    """Follows runs until it is closed; raises LangSmithUserError for refused settings."""

    def __init__(self, switches: LangSmithSwitches, telemetry: Telemetry) -> None:
        for name, value in _TAMED.items():
            os.environ.setdefault(name, value)
        logging.getLogger("langsmith.client").addFilter(_seldom)
        self._project = switches.project
        self._clients: list[Client] = []
        if switches.mode in (Mode.NATIVE, Mode.HYBRID):
            self._clients.append(_to_langsmith(switches))
        if switches.mode in (Mode.OTEL, Mode.HYBRID):
            self._clients.append(_to_traces(telemetry))

    def tracer(self) -> RunTracer:
        """One for each run of the graph: what it remembers goes with it."""
        # Two clients of one mode each: the library's own hybrid sends no span while LangSmith hangs.
        client: Any = self._clients[0] if len(self._clients) == 1 else _Both(self._clients)
        return RunTracer(project_name=self._project, client=client)

    async def close(self) -> None:
        """Sends what is left, within CLOSE_S."""
        threads = [
            Thread(target=client.close, args=(CLOSE_S,), name="langsmith:close", daemon=True)
            for client in self._clients
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + CLOSE_S
        for thread in threads:
            await asyncio.to_thread(thread.join, max(0.0, deadline - time.monotonic()))


class _Both:
    """As much of a client as a run needs, over several."""

    def __init__(self, clients: Sequence[Any]) -> None:
        self._clients = clients

    def create_run(self, *args: Any, **kwargs: Any) -> None:
        for client in self._clients:
            client.create_run(*args, **kwargs)

    def update_run(self, *args: Any, **kwargs: Any) -> None:
        for client in self._clients:
            client.update_run(*args, **kwargs)


def _to_langsmith(switches: LangSmithSwitches) -> Client:
    return Client(
        switches.endpoint,
        api_key=switches.api_key,
        tracing_mode="langsmith",
        timeout_ms=(CONNECT_TIMEOUT_MS, READ_TIMEOUT_MS),
    )


def _to_traces(telemetry: Telemetry) -> Client:
    provider: Any = RunSpans(telemetry.provider)
    is_hidden = not genai.captures_content()
    return Client(
        # Nothing is ever sent there.
        "http://127.0.0.1:9",
        api_key="",
        tracing_mode="otel",
        otel_tracer_provider=provider,
        # Would not leave in a span anyway, and what is not copied costs nothing.
        hide_inputs=is_hidden,
        hide_outputs=_only_usage if is_hidden else False,
    )


def _only_usage(outputs: dict[str, Any]) -> dict[str, Any]:
    return {"usage_metadata": outputs["usage_metadata"]} if "usage_metadata" in outputs else {}


class _Seldom(logging.Filter):
    """Each complaint of the library once a minute, and only its first line, which names no key."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        about, now = f"{record.name}:{record.lineno}", time.monotonic()
        record.msg, record.args = record.getMessage().partition("\n")[0][:MESSAGE_MAX_CHARS], None
        record.exc_info = record.exc_text = None
        if now - self._said.get(about, -PAUSE_S) < PAUSE_S:
            return False
        self._said[about] = now
        return True


_seldom = _Seldom()

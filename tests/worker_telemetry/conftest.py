import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import langsmith.utils
import pytest
from chat_worker import consumer
from chat_worker.telemetry.following import _TAMED

from tests.telemetry.receiver import Receiver, receiving
from tests.worker_telemetry.ingest import Ingest, ingesting


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """An environment that says nothing of telemetry, but that clients end with the process."""
    for name in os.environ:
        if name.startswith(("OTEL_", "TELEMETRY_", "LANGSMITH_", "LANGCHAIN_")) or name == "ENVIRONMENT":
            monkeypatch.delenv(name)
    for name, value in _TAMED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TELEMETRY_JOURNAL_DIR", str(tmp_path / "journals"))
    monkeypatch.chdir(tmp_path)
    langsmith.utils.get_env_var.cache_clear()
    yield monkeypatch
    langsmith.configure(enabled=None)


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with ingesting() as ingest:
        yield ingest


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed attempt is retried at once; in earnest later ones wait for seconds."""
    monkeypatch.setattr(consumer, "random", SimpleNamespace(uniform=lambda *_: 0.001))

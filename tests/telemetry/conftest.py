import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from eco2_telemetry.pipeline import JOURNAL_FOLDER

from tests.telemetry.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment that says nothing of telemetry but where journals lie."""
    for name in os.environ:
        if name.startswith(("OTEL_", "TELEMETRY_", "LANGSMITH_", "LANGCHAIN_")) or name == "ENVIRONMENT":
            monkeypatch.delenv(name)
    monkeypatch.setenv(JOURNAL_FOLDER, str(tmp_path / "journals"))
    return monkeypatch


@pytest.fixture
def exporting(environment: pytest.MonkeyPatch, receiver: Receiver) -> pytest.MonkeyPatch:
    """An environment that sends everything to the receiver, soon."""
    environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    environment.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
    return environment

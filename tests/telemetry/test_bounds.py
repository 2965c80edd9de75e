"""A collector that is down, slow or hangs costs a request nothing and the exit two seconds at most."""

import signal
import socket
import time
from collections.abc import Iterator

import pytest
from eco2_telemetry.setup import FLUSH_TIMEOUT_S

from tests.telemetry.programs import left_within, program, said_by
from tests.telemetry.receiver import Receiver

MARGIN_S = 1.5
WORKS = """
import signal, sys, time, threading
from eco2_telemetry.setup import set_up
from eco2_telemetry.spans import span_of
telemetry = set_up("bounded", log_level="CRITICAL")
telemetry.meter.create_histogram("h").record(1)
left = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: left.set())

def work():
    began = time.perf_counter()
    with span_of(telemetry.tracer, "work", attributes={"a": 1}):
        pass
    return time.perf_counter() - began

durations = sorted(work() for _ in range(20_000))
print("worked", flush=True)
print(durations[len(durations) // 2], durations[-len(durations) // 100], flush=True)
left.wait()
telemetry.shut_down()
"""


@pytest.fixture
def down(exporting: pytest.MonkeyPatch) -> None:
    """Nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    exporting.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")


@pytest.fixture
def hanging(exporting: pytest.MonkeyPatch, receiver: Receiver) -> None:
    """Takes the request and never answers."""
    receiver.hangs.set()


@pytest.fixture
def black_hole(exporting: pytest.MonkeyPatch) -> Iterator[None]:
    """Takes connections and never reads."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        exporting.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield


@pytest.fixture
def full(exporting: pytest.MonkeyPatch) -> Iterator[None]:
    """Does not even take connections any more: a firewall that drops everything looks like this."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        exporting.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield


@pytest.mark.parametrize("collector", ["down", "hanging", "black_hole", "full"])
def test_a_collector_that_fails_slows_neither_work_nor_exit(
    request: pytest.FixtureRequest, collector: str
) -> None:
    request.getfixturevalue(collector)
    with program(WORKS) as process:
        said_by(process, "worked")
        assert process.stdout is not None
        median_s, worst_s = map(float, process.stdout.readline().split())
        process.send_signal(signal.SIGTERM)
        took_s = left_within(process, 30)

    assert process.returncode == 0
    assert took_s < FLUSH_TIMEOUT_S + MARGIN_S
    assert median_s < 0.002
    assert worst_s < 0.1


def test_a_collector_that_hears_gets_everything_at_sigterm(
    receiver: Receiver, exporting: pytest.MonkeyPatch
) -> None:
    exporting.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
    exporting.setenv("OTEL_METRIC_EXPORT_INTERVAL", "3600000")
    with program(WORKS.replace("20_000", "100")) as process:
        said_by(process, "worked")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(30)

    assert time.monotonic() - began < FLUSH_TIMEOUT_S + MARGIN_S
    assert len(receiver.spans) == 100
    assert [point.count for point in receiver.points] == [1]

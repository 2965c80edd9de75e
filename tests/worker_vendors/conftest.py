import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
from chat_worker.adapters.vendor_http import HttpLimits
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer
from pydantic import SecretStr

from tests.worker_vendors.vendor_server import VendorServer, running_vendor

CANARY = "C4n4ry+/secret=="
"""A key with everything in it that an encoding could spoil."""
QUICK = HttpLimits(connect_s=1, read_s=0.3, pool_s=0.3, budget_s=0.6, wait_s=0.01)


@dataclass
class Traces:
    """The spans that a tracer made."""

    tracer: Tracer
    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()


@pytest.fixture
def key() -> SecretStr:
    return SecretStr(CANARY)


@pytest.fixture
def traces() -> Iterator[Traces]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield Traces(provider.get_tracer("test"), exporter)
    provider.shutdown()


@pytest.fixture
async def vendor() -> AsyncIterator[VendorServer]:
    """A vendor's server on this machine."""
    async with running_vendor() as vendor:
        yield vendor


@dataclass
class Leaks:
    """Everything that could carry a secret out of a client."""

    caplog: pytest.LogCaptureFixture
    traces: Traces

    def holding(self, secret: str, error: BaseException | None = None) -> list[str]:
        """The log lines, errors and spans that hold the secret, plain or encoded."""
        logging_format = logging.Formatter()
        said = [logging_format.format(record) for record in self.caplog.records]
        said += [span.to_json() for span in self.traces.spans]
        if error is not None:
            said += [*traceback.format_exception(error), repr(error), str(error)]
        return [text for text in said if any(part in text for part in _parts(secret))]


def _parts(secret: str) -> set[str]:
    return {secret, secret.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"), secret[:6]}


@pytest.fixture
def leaks(caplog: pytest.LogCaptureFixture, traces: Traces) -> Leaks:
    caplog.set_level(logging.DEBUG)
    # A service that was set up in this process has told httpx to be quiet.
    caplog.set_level(logging.DEBUG, logger="httpx")
    return Leaks(caplog, traces)

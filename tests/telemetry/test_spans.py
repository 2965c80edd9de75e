"""What a span makes of the ways in which work can end."""

import asyncio

import pytest
from eco2_telemetry.spans import span_of
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode


class PassedOn(Exception):
    """The work goes on elsewhere."""


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (KeyError("k4n4r1e"), StatusCode.ERROR, {"error.type": "KeyError"}),
        (PassedOn("k4n4r1e"), StatusCode.UNSET, {}),
        (asyncio.CancelledError("k4n4r1e"), StatusCode.UNSET, {}),
    ],
)
def test_only_a_failure_is_an_error_and_its_words_stay_inside(
    error: BaseException, status: StatusCode, told: dict[str, str]
) -> None:
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))

    with pytest.raises(type(error)), span_of(provider.get_tracer("t"), "work", no_failures=(PassedOn,)):
        raise error

    (span,) = memory.get_finished_spans()
    assert (span.status.status_code, dict(span.attributes or {})) == (status, told)
    assert "k4n4r1e" not in span.to_json()

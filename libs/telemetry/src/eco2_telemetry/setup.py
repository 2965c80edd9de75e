"""One call sets up traces and logs for a service; the standard OTEL_* variables decide where they go."""

import os
from dataclasses import dataclass

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Tracer

from eco2_telemetry.logs import set_up_logs

FLUSH_TIMEOUT_MS = 2_000
"""An exporter that is down must not eat the grace period of a SIGTERM."""


@dataclass(frozen=True)
class Telemetry:
    """The tracing of one service; a process may hold several, each with its own `service.name`."""

    provider: TracerProvider

    @property
    def tracer(self) -> Tracer:
        """Makes the service's spans."""
        return self.provider.get_tracer("eco2")

    def shut_down(self) -> None:
        """Sends what is left, within a bound."""
        self.provider.force_flush(FLUSH_TIMEOUT_MS)


def set_up(service_name: str, *, log_level: str = "INFO") -> Telemetry:
    """Makes a service's telemetry.

    Spans go out by OTLP over HTTP when an endpoint is set. Without one nothing is recorded, but every
    request still gets a trace id, so that answers, logs and error reports can name it.
    """
    set_up_logs(log_level)
    resource = Resource.create({SERVICE_NAME: service_name})
    if not _has_endpoint():
        return Telemetry(TracerProvider(resource=resource, sampler=ALWAYS_OFF, shutdown_on_exit=False))
    # Only when needed: the exporter brings half a second of imports.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Telemetry(provider)


def _has_endpoint() -> bool:
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if os.environ.get("OTEL_TRACES_EXPORTER", "otlp") == "none":
        return False
    return bool(
        os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    )

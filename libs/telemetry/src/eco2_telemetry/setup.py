"""One call sets up traces, metrics and logs of a service; the standard OTEL_* variables say where they go."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from threading import Thread

from opentelemetry.metrics import Meter, NoOpMeter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Tracer

from eco2_telemetry import exporters
from eco2_telemetry.logs import set_up_logs
from eco2_telemetry.pipeline import open_pipeline

FLUSH_TIMEOUT_S = 2.0
"""An exporter that is down must not eat the grace period of a SIGTERM."""
NAMESPACE = "eco2"
_NAME = "eco2"


@dataclass(frozen=True)
class Telemetry:
    """The telemetry of one service; a process may hold several, each with its own `service.name`."""

    provider: TracerProvider
    _endings: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]], repr=False)

    @property
    def tracer(self) -> Tracer:
        """Makes the service's spans."""
        return self.provider.get_tracer(_NAME)

    @cached_property
    def meter(self) -> Meter:
        """Makes the service's metrics that go out by OTLP; they go nowhere without an endpoint."""
        exporter = exporters.metric_exporter()
        if exporter is None:
            return NoOpMeter(_NAME)
        # Only where somebody measures: it brings half a second of imports and a thread.
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        reader = PeriodicExportingMetricReader(exporter)
        meters = MeterProvider([reader], self.provider.resource, shutdown_on_exit=False)
        self._endings.append(meters.shutdown)
        return meters.get_meter(_NAME)

    def shut_down(self) -> None:
        """Sends what is left, within FLUSH_TIMEOUT_S; safe to repeat."""
        endings = list(self._endings)
        self._endings.clear()
        # Daemons: what hangs longer does not keep the process.
        threads = [Thread(target=end, name="telemetry:end", daemon=True) for end in endings]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + FLUSH_TIMEOUT_S
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def set_up(service_name: str, *, log_level: str = "INFO") -> Telemetry:
    """Makes a service's telemetry.

    Spans and metrics go out by OTLP when an endpoint is set. Without one nothing is recorded, but every
    request still gets a trace id, so that answers, logs and error reports can name it.
    """
    set_up_logs(log_level)
    resource = _resource(service_name)
    pipeline = open_pipeline()
    if pipeline is None:
        return Telemetry(TracerProvider(ALWAYS_OFF, resource, shutdown_on_exit=False))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    pipeline.serve(provider)
    return Telemetry(provider, [pipeline.leave])


def _resource(service_name: str) -> Resource:
    """Who speaks; OTEL_RESOURCE_ATTRIBUTES says it better, except for the name that dashboards rely on."""
    ours = {
        SERVICE_NAMESPACE: NAMESPACE,
        SERVICE_VERSION: _version_of(service_name),
        "deployment.environment.name": os.environ.get("ENVIRONMENT", "development"),
    }
    return Resource(ours).merge(Resource.create({SERVICE_NAME: service_name}))


def _version_of(service_name: str) -> str:
    for distribution in (f"{NAMESPACE}-{service_name}", service_name):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return "unknown"

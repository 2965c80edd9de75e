"""Where telemetry goes, by the standard OTEL_* variables; an exporter is imported when it is needed."""

import importlib
import logging
import os
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.trace.export import SpanExporter

_log = logging.getLogger(__name__)

Signal = Literal["TRACES", "METRICS"]


def destination(signal: Signal) -> tuple[str, str] | None:
    """Protocol and endpoint of a signal; None when it is switched off or has no endpoint.

    Without an endpoint nothing is sent to the standard's default, localhost, where hardly anybody listens.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if os.environ.get(f"OTEL_{signal}_EXPORTER", "otlp").strip().lower() != "otlp":
        return None
    endpoint = _setting(signal, "ENDPOINT")
    return (_setting(signal, "PROTOCOL") or "http/protobuf", endpoint) if endpoint else None


def span_exporter() -> "SpanExporter | None":
    """An exporter of spans; None when there is nowhere to send them to."""
    match _protocol("TRACES"):
        case "http/protobuf":
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            return OTLPSpanExporter()
        case "grpc":
            return _over_grpc("trace_exporter", "OTLPSpanExporter")
        case _:
            return None


def metric_exporter() -> "MetricExporter | None":
    """An exporter of metrics; None when there is nowhere to send them to."""
    match _protocol("METRICS"):
        case "http/protobuf":
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

            return OTLPMetricExporter()
        case "grpc":
            return _over_grpc("metric_exporter", "OTLPMetricExporter")
        case _:
            return None


def _protocol(signal: Signal) -> str:
    found = destination(signal)
    protocol = "" if found is None else found[0]
    if protocol not in ("", "http/protobuf", "grpc"):
        _log.error("no %s are exported: the OTLP protocol %r is not known here", signal.lower(), protocol)
    return protocol


def _over_grpc(module: str, name: str) -> Any:
    """The package of this protocol is nobody's dependency: it brings gRPC to services that have none."""
    package = f"opentelemetry.exporter.otlp.proto.grpc.{module}"
    try:
        return getattr(importlib.import_module(package), name)()
    except ImportError:
        _log.error("nothing is exported over gRPC: opentelemetry-exporter-otlp-proto-grpc is not installed")
        return None


def _setting(signal: Signal, name: str) -> str:
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_{name}", "")
    return (own or os.environ.get(f"OTEL_EXPORTER_OTLP_{name}", "")).strip()

"""LangSmith: what follows the runs of the graph, and how it is switched on."""

from chat_worker.ports.telemetry import NoOpTelemetryConfig, TelemetryConfigPort
from chat_worker.telemetry.adapter import LangSmithTelemetryAdapter
from chat_worker.telemetry.langsmith import (
    INTENT_FEATURE_MAP,
    configure_langsmith,
    get_run_config,
    is_langsmith_enabled,
)

__all__ = [
    "INTENT_FEATURE_MAP",
    "LangSmithTelemetryAdapter",
    "NoOpTelemetryConfig",
    "TelemetryConfigPort",
    "configure_langsmith",
    "get_run_config",
    "is_langsmith_enabled",
]

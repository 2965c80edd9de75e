"""Where following is switched on: everything that it adds is put in here, and nothing when it is off."""

import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from eco2_telemetry.setup import Telemetry
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from chat_worker.ports import MetricsPort, Tools
from chat_worker.ports.telemetry import NoOpTelemetryConfig, TelemetryConfigPort
from chat_worker.settings import WorkerSettings
from chat_worker.telemetry.adapter import LangSmithTelemetryAdapter
from chat_worker.telemetry.langsmith import configure_langsmith
from chat_worker.telemetry.switches import Mode

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Followed:
    """What a worker works with, as it was given or with followers in front."""

    config: TelemetryConfigPort
    tools: Tools
    metrics: MetricsPort


def open_following(
    stack: AsyncExitStack,
    settings: WorkerSettings,
    telemetry: Telemetry,
    tools: Tools,
    metrics: MetricsPort,
    provider: str,
) -> Followed:
    """Follows the graph's runs as the settings say, until the stack closes."""
    switches = settings.langsmith
    if not configure_langsmith(switches):
        return Followed(NoOpTelemetryConfig(), tools, metrics)
    if switches.mode is Mode.OTEL and telemetry.provider.sampler is ALWAYS_OFF:
        _log.warning("LangSmith: off, because OTEL_EXPORTER_OTLP_ENDPOINT names nobody to send traces to")
        return Followed(NoOpTelemetryConfig(), tools, metrics)
    # Only now: what is off costs neither imports nor threads.
    from langsmith.utils import LangSmithUserError

    from chat_worker.telemetry.following import Following
    from chat_worker.telemetry.model_runs import FollowedModel, FollowedVision
    from chat_worker.telemetry.subagent_runs import FollowedMetrics

    try:
        following = Following(switches, telemetry)
    except LangSmithUserError as error:
        _log.warning("LangSmith: off, it refuses the settings: %s", error)
        return Followed(NoOpTelemetryConfig(), tools, metrics)
    stack.push_async_callback(following.close)
    model = FollowedModel(tools.model, settings.openai_model, provider)
    vision = tools.vision and FollowedVision(tools.vision, settings.openai_model, provider)
    return Followed(
        LangSmithTelemetryAdapter([f"env:{switches.environment}"], following.tracer),
        replace(tools, model=model, vision=vision),
        FollowedMetrics(metrics),
    )

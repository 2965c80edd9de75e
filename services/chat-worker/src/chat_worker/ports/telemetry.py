"""How a run of the graph is named, tagged and followed, as the telemetry specification says."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class TelemetryConfigPort(Protocol):
    """What a run is started with, so that whoever follows runs knows it."""

    def is_enabled(self) -> bool:
        """True when somebody follows runs."""
        ...

    def get_run_config(
        self,
        job_id: str,
        session_id: str | None = None,
        user_id: str | None = None,
        intent: str | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The run's config, a new one each time; `metadata["attempt"]` tells the attempts of a job apart."""
        ...


class NoOpTelemetryConfig:
    """Nobody follows runs; they keep their names, and the sessions that they belong to."""

    def is_enabled(self) -> bool:
        return False

    def get_run_config(
        self,
        job_id: str,
        session_id: str | None = None,
        user_id: str | None = None,
        intent: str | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        config: dict[str, Any] = {"run_name": f"chat:{job_id}"}
        if session_id is not None:
            config["configurable"] = {"thread_id": session_id}
        return config

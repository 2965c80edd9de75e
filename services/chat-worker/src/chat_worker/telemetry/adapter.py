"""The TelemetryConfigPort over LangSmith."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chat_worker.telemetry.langsmith import get_run_config, is_langsmith_enabled, merged
from chat_worker.telemetry.run_id import run_id_of


class LangSmithTelemetryAdapter:
    """Gives every run the default tags and, where runs are followed, one who follows this one.

    Without `follower` LangChain finds one by the environment.
    """

    def __init__(
        self, default_tags: Sequence[str] | None = None, follower: Callable[[], Any] | None = None
    ) -> None:
        self._default_tags = tuple(default_tags or ())
        self._follower = follower

    def is_enabled(self) -> bool:
        return self._follower is not None or is_langsmith_enabled()

    def get_run_config(
        self,
        job_id: str,
        session_id: str | None = None,
        user_id: str | None = None,
        intent: str | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        all_tags = merged(self._default_tags, tags or ())
        config = get_run_config(job_id, session_id, user_id, intent, all_tags, metadata)
        if self._follower is not None:
            config["callbacks"] = [self._follower()]
            config["run_id"] = run_id_of(job_id, config["metadata"].get("attempt", 1))
        return config

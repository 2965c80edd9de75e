"""What the graph counts, told to the run under way: what is asked for, and which subagents work for it."""

from chat_worker.ports import MetricsPort
from chat_worker.telemetry import runs
from chat_worker.telemetry.run_tracer import subagent_tag


class FollowedMetrics:
    """The MetricsPort in front of another one."""

    def __init__(self, metrics: MetricsPort) -> None:
        self._metrics = metrics

    def track_request(self, intent: str, status: str, provider: str, duration: float) -> None:
        self._metrics.track_request(intent, status, provider, duration)

    def track_error(self, intent: str, error_type: str) -> None:
        self._metrics.track_error(intent, error_type)

    def track_intent(self, intent: str) -> None:
        """Only now is it known, and only on this run."""
        self._metrics.track_intent(intent)
        with runs.unharmed("an intent could not be noted"):
            run, tag = runs.current_run(), f"intent:{intent}"
            if run is not None and tag not in (run.tags or ()):
                run.add_tags([tag])

    def track_subagent_call(self, subagent: str, status: str, duration: float) -> None:
        """One that another one's branch has called (`feedback`, `web_search`) has no node of its own."""
        self._metrics.track_subagent_call(subagent, status, duration)
        run = runs.current_run()
        if run is not None and run.name != subagent:
            failure = None if status == "success" else "SubagentFailed"
            runs.add_past(subagent, duration, failure, tags=[subagent_tag(subagent)])

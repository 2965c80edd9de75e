"""What the graph counts; the names are those of the telemetry specification."""

from typing import Protocol


class MetricsPort(Protocol):
    """Counts and times; a failure to count never reaches the request."""

    def track_request(self, intent: str, status: str, provider: str, duration: float) -> None:
        """A question has been answered, or not; `duration` in seconds."""
        ...

    def track_intent(self, intent: str) -> None:
        """A question was understood to ask for this."""
        ...

    def track_error(self, intent: str, error_type: str) -> None:
        """A question ended with this error."""
        ...

    def track_subagent_call(self, subagent: str, status: str, duration: float) -> None:
        """A subagent was called; `duration` in seconds."""
        ...

"""Runs made by hand, for what goes round LangChain; whatever fails in here never reaches the user."""

import contextlib
import logging
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

from langsmith.run_helpers import get_current_run_tree

_log = logging.getLogger(__name__)
_said: set[str] = set()


@contextlib.contextmanager
def unharmed(what: str) -> Generator[None]:
    """Keeps a failure of telemetry inside; each kind is logged once."""
    try:
        yield
    except Exception as error:
        kind = f"{what}: {type(error).__name__}"
        if kind not in _said:
            _said.add(kind)
            _log.warning("LangSmith: %s; further ones are not logged", kind, exc_info=True)


def now() -> datetime:
    """As runs tell the time."""
    return datetime.now(UTC)


def current_run() -> Any:
    """The run of the node that is at work; None outside of one, or when nobody follows it."""
    return get_current_run_tree()


def begin(
    name: str, run_type: str, inputs: dict[str, Any], *, tags: list[str] | None = None, **metadata: Any
) -> Any:
    """A run within the current one; None when there is none."""
    with unharmed("a run could not be begun"):
        if (parent := current_run()) is not None:
            run = parent.create_child(name=name, run_type=run_type, inputs=inputs, tags=tags)
            run.add_metadata(metadata)
            # Its parent would keep it, with all that was said, as long as it lives itself.
            parent.child_runs.remove(run)
            run.post()
            return run
    return None


def end(run: Any, outputs: dict[str, Any], error: str | None = None) -> None:
    """The run is over."""
    with unharmed("a run could not be ended"):
        if run is not None:
            run.end(outputs=outputs, error=error)
            run.patch()


def add_past(name: str, duration_s: float, error: str | None, *, tags: list[str]) -> None:
    """A run within the current one, told when it is over."""
    with unharmed("a run could not be told"):
        if (parent := current_run()) is not None:
            began = now() - timedelta(seconds=duration_s)
            run = parent.create_child(name=name, run_type="chain", start_time=began, tags=tags)
            parent.child_runs.remove(run)
            run.post()
            run.end(error=error)
            run.patch()

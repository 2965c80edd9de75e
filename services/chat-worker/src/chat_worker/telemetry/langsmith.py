"""LangSmith's switches, and what a run is called there; names are fixed by the telemetry specification."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from chat_worker.domain import Intent
from chat_worker.telemetry.switches import LangSmithSwitches, Mode

_log = logging.getLogger(__name__)


class Feature(TypedDict):
    """How an intent is served."""

    feature: Literal["rag", "external_api", "grpc", "llm", "image"]
    subagents: list[str]
    has_feedback: bool
    description: str


def _served(
    feature: Literal["rag", "external_api", "grpc", "llm", "image"],
    description: str,
    *subagents: str,
    has_feedback: bool = False,
) -> Feature:
    return Feature(
        feature=feature, subagents=list(subagents), has_feedback=has_feedback, description=description
    )


INTENT_FEATURE_MAP: dict[str, Feature] = {
    Intent.WASTE.value: _served(
        "rag",
        "How a thing is thrown away, by the waste guide; poor evidence is looked up again, also on the web.",
        *("waste_rag", "feedback", "web_search", "household_waste", "weather"),
        has_feedback=True,
    ),
    Intent.BULK_WASTE.value: _served(
        "external_api", "Fees and rules of bulky waste, by municipality.", "bulk_waste", "weather"
    ),
    Intent.CHARACTER.value: _served("grpc", "The character of a material.", "character"),
    Intent.LOCATION.value: _served("external_api", "Places nearby, from a map.", "location"),
    Intent.COLLECTION_POINT.value: _served(
        "external_api", "Boxes and points that take things back.", "collection_point"
    ),
    Intent.RECYCLABLE_PRICE.value: _served("external_api", "What recyclables are worth.", "recyclable_price"),
    Intent.WEATHER.value: _served("external_api", "The weather of a place.", "weather"),
    Intent.WEB_SEARCH.value: _served("external_api", "What the web says.", "web_search"),
    Intent.IMAGE_GENERATION.value: _served("image", "A picture that is drawn.", "image_generation"),
    Intent.GENERAL.value: _served("llm", "Talk, and what needs no look-up.", "general"),
}
"""For every intent, the kind of look-up behind it, its subagents, and whether poor evidence is improved."""


def is_langsmith_enabled(switches: LangSmithSwitches | None = None) -> bool:
    """True when runs are followed, in LangSmith or in our own traces."""
    return (switches or LangSmithSwitches()).mode is not Mode.OFF


def configure_langsmith(switches: LangSmithSwitches | None = None) -> bool:
    """Says once which mode it is, and keeps the library from tracing by itself when that is off.

    False, and a warning, when tracing is on without a key.
    """
    switches = switches or LangSmithSwitches()
    if switches.mode is not Mode.OFF:
        _log.info("LangSmith: %s, project %s", switches.mode.value, switches.project)
        return True
    if switches.is_tracing:
        _log.warning("LangSmith: off, because tracing is on without LANGCHAIN_API_KEY")
        # The library reads the environment, where tracing is on.
        import langsmith

        langsmith.configure(enabled=False)
    else:
        _log.info("LangSmith: off")
    return False


def get_run_config(
    job_id: str,
    session_id: str | None = None,
    user_id: str | None = None,
    intent: str | None = None,
    tags: Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the graph is run with: name, tags and metadata, and the thread of the session."""
    about: dict[str, str | None] = {
        "job_id": job_id,
        "user_id": user_id,
        "session_id": session_id,
        "intent": intent,
    }
    known = {name: value for name, value in about.items() if value is not None}
    config: dict[str, Any] = {
        "run_name": f"chat:{job_id}",
        "tags": merged(tags or (), [f"intent:{intent}"] if intent else ()),
        "metadata": {**known, **(metadata or {})},
    }
    if session_id is not None:
        config["configurable"] = {"thread_id": session_id}
    return config


def merged(*lists: Sequence[str]) -> list[str]:
    """All of them in order, each once."""
    return list(dict.fromkeys(tag for tags in lists for tag in tags))

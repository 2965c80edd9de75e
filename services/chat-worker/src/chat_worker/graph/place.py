"""Asks where the user is, and waits for the answer in the checkpoint, not in a worker."""

from typing import Any

from langgraph.types import interrupt

from chat_worker.domain import Language
from chat_worker.graph.routing import fan_out, goto
from chat_worker.graph.state import ChatState

_WHERE: dict[Language, str] = {
    "ko": "어디에 계신지 알려 주시면 가까운 곳을 찾아볼게요.",
    "en": "Tell me where you are and I will look nearby.",
}


async def place(state: ChatState) -> Any:
    """On to the branches with the place that the user gives; without one when its time has passed."""
    language: Language = "en" if state.get("language") == "en" else "ko"
    given: Any = interrupt({"kind": "location", "message": _WHERE[language]})
    change: ChatState = {"location": given["location"]}
    return goto(fan_out({**state, **change}), change)

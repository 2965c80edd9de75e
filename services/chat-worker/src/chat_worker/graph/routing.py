"""Which agents serve which intent."""

from langgraph.types import Send

from chat_worker.domain import Intent, SubQuestion
from chat_worker.graph.state import AgentTask, ChatState

ROUTES: dict[Intent, tuple[str, ...]] = {
    Intent.WASTE: ("waste_rag",),
    # The guide says what to do with both; fees and places near by it does not know.
    Intent.BULK_WASTE: ("waste_rag",),
    Intent.COLLECTION_POINT: ("waste_rag",),
    Intent.GENERAL: ("general",),
}
UNSERVED = ("general",)


async def route(state: ChatState) -> list[Send]:
    """One branch per agent and sub-question, all at once."""
    # A coroutine, though it waits for nothing: LangGraph would give a plain function a thread.
    branches: list[Send] = []
    for asked in state.get("intents", []):
        intent = SubQuestion.model_validate(asked).intent
        branches += [Send(agent, AgentTask(asked=asked)) for agent in ROUTES.get(intent, UNSERVED)]
    return branches

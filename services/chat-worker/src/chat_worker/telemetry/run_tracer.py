"""Follows one run of the graph."""

from typing import Any
from uuid import UUID

from langchain_core.tracers.langchain import LangChainTracer
from langchain_core.tracers.schemas import Run

from chat_worker.agents import AGENTS

_OF_ROOT = "env:"


class RunTracer(LangChainTracer):
    """LangChain's own, which tags the run of each subagent, and leaves the root's tags to the root."""

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: dict[str, Any],
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        run_type: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> Run:
        if parent_run_id is not None:
            # LangChain hands a run's tags down to all within it.
            tags = [tag for tag in tags or [] if not tag.startswith(_OF_ROOT)]
            if name in AGENTS:
                tags.append(subagent_tag(name))
        return super().on_chain_start(
            serialized,
            inputs,
            run_id=run_id,
            tags=tags,
            parent_run_id=parent_run_id,
            metadata=metadata,
            run_type=run_type,
            name=name,
            **kwargs,
        )


def subagent_tag(name: str) -> str:
    """What a user filters subagents by."""
    return f"subagent:{name}"

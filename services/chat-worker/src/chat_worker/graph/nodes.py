"""The one wrapper of every node: its span, its stage events, its deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from langgraph.runtime import Runtime
from opentelemetry.trace import Status, StatusCode

from chat_worker.agents import Agent
from chat_worker.domain import Finding, Language, SubQuestion
from chat_worker.graph.state import AgentTask, ChatState, TurnContext

Step = Callable[[ChatState, TurnContext], Awaitable[ChatState]]
Node = Callable[[Any, Runtime[TurnContext]], Awaitable[Any]]


_TOO_SLOW: dict[Language, str] = {
    "ko": "찾아보는 데 시간이 너무 오래 걸렸어요.",
    "en": "The look-up took too long.",
}


class AgentFailed(Exception):
    """An agent could not do its work, for a reason that may be told to the user."""

    def __init__(self, note: str) -> None:
        super().__init__(note)
        self.note = note


class _Stage:
    """How a node's run ended; `failed` keeps the graph going."""

    failed: str | None = None


@contextmanager
def _stage(context: TurnContext, name: str) -> Generator[_Stage]:
    began = perf_counter()
    stage = _Stage()
    with context.tracer.start_as_current_span(name) as span:
        context.sink.stage(name, "started")
        try:
            yield stage
        except BaseException as error:
            # A stop is told apart from a failure, though the graph ends here in both cases.
            detail = "stopped" if isinstance(error, asyncio.CancelledError) else None
            context.sink.stage(name, "failed", (perf_counter() - began) * 1000, detail)
            raise
        duration_ms = (perf_counter() - began) * 1000
        if stage.failed is None:
            context.sink.stage(name, "completed", duration_ms)
        else:
            span.set_status(Status(StatusCode.ERROR, stage.failed))
            context.sink.stage(name, "failed", duration_ms, stage.failed)


def step_node(name: str, step: Step, *, ends_turn: bool = False) -> Node:
    """A node that the answer cannot do without: its failure fails the attempt."""

    async def node(state: ChatState, runtime: Runtime[TurnContext]) -> ChatState:
        with _stage(runtime.context, name):
            change = await step(state, runtime.context)
        runtime.context.sink.learned(change)
        if ends_turn:
            # The session's memory is saved next: a worker that was overtaken must not get there.
            await runtime.context.sink.flush()
        return change

    return node


def agent_node(name: str, agent: Agent) -> Node:
    """A node whose expected failure becomes an honest line of the answer. A bug still fails the job."""

    async def node(task: AgentTask, runtime: Runtime[TurnContext]) -> ChatState:
        asked = SubQuestion.model_validate(task["asked"])
        with _stage(runtime.context, name) as stage:
            try:
                async with asyncio.timeout(agent.deadline_s):
                    finding = await agent.run(asked, runtime.context.tools)
            except TimeoutError:
                stage.failed = f"no result within {agent.deadline_s:g} s"
                finding = _failed(name, _TOO_SLOW[asked.language])
            except AgentFailed as failure:
                stage.failed = type(failure).__name__
                finding = _failed(name, failure.note)
        return {"findings": [finding]}

    return node


def _failed(agent: str, note: str) -> Finding:
    return Finding(agent=agent, status="failed", passages=[], note=note)

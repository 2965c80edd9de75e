"""The one wrapper of every node: its span, its stage events, its deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from eco2_bus.job import Location
from langgraph.runtime import Runtime
from opentelemetry.trace import Status, StatusCode

from chat_worker.agents.findings import failed, told
from chat_worker.agents.table import Agent
from chat_worker.domain import Finding, Language, SubQuestion, Turn
from chat_worker.errors import AuthError, NoData, VendorError
from chat_worker.graph.state import AgentTask, ChatState, TurnContext

Step = Callable[[ChatState, TurnContext], Awaitable[ChatState]]
Node = Callable[[Any, Runtime[TurnContext]], Awaitable[Any]]
Then = Callable[[Turn, Finding, TurnContext], Awaitable[list[Finding]]]
"""What becomes of an agent's finding before the answer sees it."""

_TOO_SLOW: dict[Language, str] = {
    "ko": "찾아보는 데 시간이 너무 오래 걸렸어요.",
    "en": "The look-up took too long.",
}
_NO_KEY: dict[Language, str] = {
    "ko": "{subject} 조회가 아직 연결되어 있지 않아요.",
    "en": "Looking up {subject} is not set up here.",
}
_FAULTY: dict[Language, str] = {
    "ko": "{subject} 정보를 지금 불러올 수 없어요.",
    "en": "{subject} cannot be looked up right now.",
}
_EMPTY: dict[Language, str] = {
    "ko": "{subject} 정보를 찾지 못했어요.",
    "en": "Nothing was found about {subject}.",
}
_SUBJECTS: dict[str, dict[Language, str]] = {
    "waste_rag": {"ko": "분리배출 안내", "en": "the waste guide"},
    "bulk_waste": {"ko": "대형폐기물", "en": "bulky waste"},
    "household_waste": {"ko": "지역 배출 요일", "en": "local collection days"},
    "collection_point": {"ko": "수거함 위치", "en": "collection points"},
    "location": {"ko": "장소", "en": "places"},
    "recyclable_price": {"ko": "재활용품 가격", "en": "recyclable prices"},
    "weather": {"ko": "날씨", "en": "the weather"},
    "character": {"ko": "캐릭터", "en": "characters"},
    "web_search": {"ko": "웹 검색", "en": "the web"},
    "image_generation": {"ko": "그림 생성", "en": "image generation"},
}
_ANYTHING: dict[Language, str] = {"ko": "관련", "en": "this"}


class _Stage:
    """How a node's run ended; `failed` keeps the graph going."""

    failed: str | None = None


@contextmanager
def stage_of(context: TurnContext, name: str) -> Generator[_Stage]:
    """The span and the stage events of one run of a node."""
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


def step_node(name: str, step: Step) -> Node:
    """A node that the answer cannot do without: its failure fails the attempt."""

    async def node(state: ChatState, runtime: Runtime[TurnContext]) -> ChatState:
        with stage_of(runtime.context, name):
            change = await step(state, runtime.context)
        runtime.context.sink.learned(change)
        return change

    return node


def agent_node(name: str, agent: Agent, then: Then | None = None) -> Node:
    """A branch of the graph: an expected failure is an honest line of the answer, a bug fails the job."""

    async def node(task: AgentTask, runtime: Runtime[TurnContext]) -> ChatState:
        turn = turn_of(task)
        finding = await run_agent(name, agent, turn, runtime.context)
        findings = [finding] if then is None else await then(turn, finding, runtime.context)
        if turn.is_extra:
            # What nobody asked for is not worth a word when it is missing.
            findings = [one for one in findings if one["status"] == "ok"]
        return {"findings": findings}

    return node


async def run_agent(name: str, agent: Agent, turn: Turn, context: TurnContext) -> Finding:
    """One run of an agent with its stage, its deadline and its figures."""
    began = perf_counter()
    with stage_of(context, name) as stage:
        finding = await _look_up(name, agent, turn, context, stage)
    status = "success" if stage.failed is None else "error"
    context.metrics.track_subagent_call(name, status, perf_counter() - began)
    if (image := finding.get("image")) is not None:
        context.sink.image(image["url"], image["alt"])
    return finding


def turn_of(task: AgentTask) -> Turn:
    """The branch's task as its agent sees it."""
    point = task["location"]
    return Turn(
        asked=SubQuestion.model_validate(task["asked"]),
        location=Location(**point) if point else None,
        owner=task["owner"],
        session_id=task["session_id"],
        is_extra=task["is_extra"],
    )


async def _look_up(name: str, agent: Agent, turn: Turn, context: TurnContext, stage: _Stage) -> Finding:
    if missing(agent.needs, context):
        stage.failed = "not configured"
        return failed(name, _about(name, turn, _NO_KEY))
    try:
        async with asyncio.timeout(agent.deadline_s):
            return await agent.run(turn, context.tools)
    except TimeoutError:
        stage.failed = f"no result within {agent.deadline_s:g} s"
        return failed(name, told(turn, _TOO_SLOW))
    except NoData:
        return Finding(agent=name, status="not_found", passages=[], note=_about(name, turn, _EMPTY))
    except VendorError as error:
        stage.failed = type(error).__name__
        words = _NO_KEY if isinstance(error, AuthError) else _FAULTY
        return failed(name, _about(name, turn, words))


def missing(needs: Sequence[str], context: TurnContext) -> bool:
    """True when a tool that an agent cannot do without has no key."""
    return any(getattr(context.tools, need) is None for need in needs)


def _about(name: str, turn: Turn, words: dict[Language, str]) -> str:
    return told(turn, words, subject=_SUBJECTS.get(name, _ANYTHING)[turn.language])

"""Poor evidence: asked again in better words, then on the web, then said to be general knowledge."""

import asyncio
from typing import Any

import pytest
from chat_worker.agents import AGENTS, Agent
from chat_worker.domain import Finding, Passage, Turn
from chat_worker.errors import (
    AnswerRefused,
    BudgetExceeded,
    ModelRejected,
    ModelUnavailable,
    NoData,
    Transient,
)
from chat_worker.ports import Evidence, Tools
from chat_worker.ports.web_search import SearchResult

from tests.worker.fakes import FakeGuide, answer_to, findings_in, passage
from tests.worker.fakes_vendors import FakeWebSearch, tools
from tests.worker.world import Story, World

ASKED = "모르는 이거 어떻게 버려?"
KNOWN = "우유팩은?"
HIT = SearchResult("뉴스", "https://news.example/1", "이렇게 버려요")
GENERAL = "확인된 자료가 없어서, 답한다면 일반적인 상식이에요. 정확한 방법은 주민센터에 확인해 주세요."


async def asked(world: World, *wishes: tuple[str, str], **entities: str) -> Story:
    world.model.intents[ASKED] = list(wishes) or [("waste", ASKED)]
    world.model.entities[ASKED] = entities
    return await world.answer(ASKED)


def findings(world: World) -> list[tuple[str, str]]:
    """What the answer is made of: agents and how they fared."""
    return [(one["agent"], one["status"]) for one in findings_in(world.model.prompts[-1])]


def calls(world: World, subagent: str, status: str) -> float:
    labels = {"subagent": subagent, "status": status}
    return world.registry.get_sample_value("chat_subagent_calls_total", labels) or 0


def ended(story: Story) -> list[tuple[str, str]]:
    """How the nodes between understanding and answer ended."""
    return [one for one in story.stages("completed", "failed") if one[0] not in ("intent", "answer")]


async def test_good_evidence_is_not_looked_at_twice() -> None:
    web = FakeWebSearch((HIT,))
    async with World(tools=tools(web_search=web)) as world:
        story = await world.answer(KNOWN)
    assert ended(story) == [("waste_rag", "completed")]
    assert findings(world) == [("waste_rag", "ok")]
    assert web.asked == []
    assert calls(world, "feedback", "success") == 0


@pytest.mark.parametrize("entities", [{"item": "모르는 컵", "material": "종이컵"}, {"material": "종이컵"}])
async def test_poor_evidence_is_asked_for_in_other_words(entities: dict[str, str]) -> None:
    web = FakeWebSearch((HIT,))
    async with World(tools=tools(web_search=web)) as world:
        story = await asked(world, **entities)
    assert ended(story) == [("waste_rag", "completed"), ("feedback", "completed")]
    (finding,) = findings_in(world.model.prompts[-1])
    assert (finding["status"], finding["note"]) == ("ok", "")
    assert finding["passages"][0]["title"] == "종이컵"
    assert web.asked == []


async def test_the_model_is_asked_what_else_the_thing_is_called() -> None:
    web = FakeWebSearch((HIT,))
    async with World(tools=tools(web_search=web)) as world:
        world.model.names[ASKED] = ["모르는 말", "종이컵", "우유팩"]
        story = await asked(world, item="모르는 컵")
        await world.settled()
    assert ended(story) == [("waste_rag", "completed"), ("feedback", "completed")]
    (finding,) = findings_in(world.model.prompts[-1])
    assert (finding["status"], finding["passages"][0]["title"]) == ("ok", "종이컵")
    # Its call is paid for like any other, and none of its tokens is shown.
    labels = {"node": "feedback", "status": "success"}
    assert world.registry.get_sample_value("chat_stream_tokens_total", labels) == 10
    assert story.ended["usage"]["input_tokens"] == 100 + 100 + 200
    assert web.asked == []


@pytest.mark.parametrize("reply", ["", "{}", '{"names": "종이컵"}', '{"names": [1]}', '{"names": [" "]}'])
async def test_names_that_are_none_leave_the_chain_as_it_was(reply: str) -> None:
    understood = '{"language": "ko", "intents": [{"intent": "waste", "confidence": 1, "question": "%s"}]}'
    async with World(tools=tools(web_search=FakeWebSearch((HIT,)))) as world:
        world.model.replies = [understood % ASKED, reply]
        story = await world.answer(ASKED)
    assert findings(world) == [("waste_rag", "not_found"), ("web_search", "ok")]
    assert story.end == "done"


@pytest.mark.parametrize(
    "fault", [ModelUnavailable("down"), ModelRejected("no"), AnswerRefused(), BudgetExceeded()]
)
async def test_a_model_that_has_no_other_names_ends_nothing(fault: Exception) -> None:
    async with World(tools=tools(web_search=FakeWebSearch((HIT,)))) as world:
        world.model.no_names = fault
        story = await asked(world)
    assert findings(world) == [("waste_rag", "not_found"), ("web_search", "ok")]
    assert story.end == "done"


async def test_a_look_alike_is_poor_evidence_too() -> None:
    class OnlySimilar(FakeGuide):
        def search(self, question: str) -> Evidence:
            known: list[Passage] = [passage("종이컵", "배출")]
            return Evidence(known, is_named=question == "종이")

    async with World(tools=tools(guide=OnlySimilar())) as world:
        story = await asked(world, material="종이")
    assert ("feedback", "completed") in ended(story)
    (finding,) = findings_in(world.model.prompts[-1])
    assert finding["note"] == ""


async def test_what_is_still_poor_goes_to_the_web() -> None:
    web = FakeWebSearch((HIT,))
    async with World(tools=tools(web_search=web)) as world:
        story = await asked(world, item="모르는 컵")
    assert ended(story) == [
        ("waste_rag", "completed"),
        ("feedback", "completed"),
        ("web_search", "completed"),
    ]
    assert findings(world) == [("waste_rag", "not_found"), ("web_search", "ok")]
    assert web.asked == [(ASKED, "ko")]
    assert [source["url"] for source in story.ended["sources"]] == ["https://news.example/1"]
    assert story.ended["intents"] == ["waste"]


@pytest.mark.parametrize(
    ("vendors", "how_it_ended"),
    [
        ({"web_search": FakeWebSearch(fails=NoData())}, "completed"),
        ({"web_search": FakeWebSearch(fails=Transient("down"))}, "failed"),
        ({}, "failed"),
    ],
)
async def test_without_the_web_the_answer_says_that_it_is_general_knowledge(
    vendors: dict[str, Any], how_it_ended: str
) -> None:
    async with World(tools=tools(**vendors)) as world:
        story = await asked(world)
    assert ended(story)[-1] == ("web_search", how_it_ended)
    poor, general = findings_in(world.model.prompts[-1])
    assert (poor["agent"], poor["status"]) == ("waste_rag", "not_found")
    assert (general["agent"], general["note"], general["passages"]) == ("general", GENERAL, [])
    assert (story.end, story.text) == ("done", answer_to(ASKED))


async def test_every_link_of_the_chain_is_counted_once() -> None:
    async with World(tools=tools(web_search=FakeWebSearch(fails=Transient("down")))) as world:
        await asked(world)
    assert calls(world, "waste_rag", "success") == 1
    assert calls(world, "feedback", "success") == 1
    assert (calls(world, "web_search", "error"), calls(world, "web_search", "success")) == (1, 0)
    for subagent in ("waste_rag", "feedback", "web_search"):
        timed = world.registry.get_sample_value(
            "chat_subagent_duration_seconds_count", {"subagent": subagent}
        )
        assert timed == 1


async def test_an_agent_that_finds_nothing_has_not_failed() -> None:
    async with World(tools=tools(web_search=FakeWebSearch(fails=NoData()))) as world:
        await asked(world)
    assert (calls(world, "web_search", "success"), calls(world, "web_search", "error")) == (1, 0)


async def test_branches_of_different_length_give_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(turn: Turn, _tools: Tools) -> Finding:
        await asyncio.sleep(0.05)
        return Finding(agent="general", status="ok", passages=[], note="")

    monkeypatch.setitem(AGENTS, "general", Agent(slow, 5, 1, "slower than the whole chain"))
    async with World(tools=tools(web_search=FakeWebSearch((HIT,)))) as world:
        story = await asked(
            world, ("waste", KNOWN), ("waste", ASKED), ("web_search", "뉴스"), ("general", "고마워요!")
        )
    assert story.text == answer_to(ASKED)
    assert len(world.model.prompts) == 1
    assert story.stages().count(("answer", "started")) == 1
    assert sorted(findings(world)) == [
        ("waste_rag", "not_found"),
        ("waste_rag", "ok"),
        ("web_search", "ok"),
        ("web_search", "ok"),
    ]


async def test_a_guide_that_takes_too_long_is_helped_out_by_the_web(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(_turn: Turn, _tools: Tools) -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setitem(AGENTS, "waste_rag", Agent(endless, 0.02, 1, "for this test"))
    async with World(tools=tools(web_search=FakeWebSearch((HIT,)))) as world:
        story = await asked(world)
    assert ended(story)[0] == ("waste_rag", "failed")
    assert findings(world) == [("waste_rag", "failed"), ("web_search", "ok")]

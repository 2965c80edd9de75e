"""Which agents a question reaches, with what, and what is looked up beside it."""

from collections.abc import AsyncIterator
from dataclasses import fields
from typing import Any

import pytest
from chat_worker.agents import AGENTS
from chat_worker.domain import Intent
from chat_worker.errors import NoData, Transient
from chat_worker.graph import feedback, vision
from chat_worker.graph.routing import BRANCHES_MAX, NEED_A_PLACE, ROUTES
from chat_worker.ports import Tools
from chat_worker.settings import WorkerSettings
from eco2_bus.pictures import MemoryPictures

from tests.worker.fakes import answer_to, findings_in
from tests.worker.fakes_vendors import (
    HOME,
    STATION,
    FakeBulkyFees,
    FakeCharacters,
    FakeCollectionPoints,
    FakeHouseholdWaste,
    FakeImages,
    FakePlaces,
    FakePrices,
    FakeWeather,
    FakeWebSearch,
    rules,
    tools,
)
from tests.worker.world import Story, World

QUESTION = "물어볼게요"
TODAY = "오늘 종이 내놓아도 돼?"
RULE = "종이는 어떻게 버려?"
CHAIR = "의자는 어떻게 버려?"
HERE: dict[str, Any] = {"location": HOME}


def everything(**changed: Any) -> Tools:
    vendors: dict[str, Any] = {
        "places": FakePlaces(),
        "weather": FakeWeather(),
        "household_waste": FakeHouseholdWaste((rules(),)),
        "bulky_fees": FakeBulkyFees(),
        "collection_points": FakeCollectionPoints(),
        "prices": FakePrices(fails=NoData()),
        "web_search": FakeWebSearch(),
        "characters": FakeCharacters(),
        "images": FakeImages(),
        "pictures": MemoryPictures(),
    }
    return tools(**{**vendors, **changed})


@pytest.fixture
async def whole() -> AsyncIterator[World]:
    """A worker with every tool."""
    async with World(tools=everything()) as world:
        yield world


async def asked(world: World, wishes: list[tuple[str, str]], **more: Any) -> Story:
    """Asks something that is understood as these intents with their sub-questions."""
    world.model.intents[QUESTION] = wishes
    return await world.answer(QUESTION, **more)


def begun(story: Story) -> list[str]:
    """The agents that were started."""
    return sorted(node for node, _ in story.stages("started") if node in AGENTS)


def test_every_intent_has_agents_and_every_one_of_them_exists() -> None:
    assert set(ROUTES) == set(Intent)
    assert {agent for agents in ROUTES.values() for agent in agents} <= set(AGENTS)
    assert all(ROUTES.values())


def test_every_agent_but_the_extra_is_reached_by_an_intent() -> None:
    reached = {agent for agents in ROUTES.values() for agent in agents}
    assert set(AGENTS) - reached == {"household_waste"}


def test_what_an_agent_needs_is_a_tool() -> None:
    names = {field.name for field in fields(Tools)}
    for name, agent in AGENTS.items():
        assert set(agent.needs) <= names, name


def test_every_agent_says_why_it_may_take_so_long() -> None:
    for agent in AGENTS.values():
        assert agent.because
        assert agent.deadline_s > 0
        assert agent.tries >= 1


def test_the_longest_way_through_the_graph_fits_a_job() -> None:
    improved = AGENTS["waste_rag"].deadline_s + feedback.DEADLINE_S + AGENTS["web_search"].deadline_s
    longest = max(improved, *(agent.deadline_s for agent in AGENTS.values()))
    # What is left is for the two calls of the model: to understand, and to answer.
    assert vision.DEADLINE_S + longest <= WorkerSettings(_env_file=None).job_deadline_s - 30


def test_only_drawing_may_take_longer_than_a_person_waits() -> None:
    slow = {name for name, agent in AGENTS.items() if agent.deadline_s > 10}
    assert slow == {"image_generation"}


@pytest.mark.parametrize("intent", list(Intent))
async def test_every_intent_reaches_its_agents_and_nothing_else(whole: World, intent: Intent) -> None:
    story = await asked(whole, [(intent, "무엇?")], **HERE)
    agents = {*ROUTES[intent]} | ({"weather"} if intent is Intent.BULK_WASTE else set())
    assert begun(story) == sorted(agents)
    assert (story.end, story.ended["intents"]) == ("done", [intent])
    assert story.text == answer_to(QUESTION)


async def test_three_things_asked_at_once_each_get_their_own_sub_question(whole: World) -> None:
    await asked(
        whole, [("waste", "종이는?"), ("web_search", "뉴스는?"), ("recyclable_price", "캔 시세는?")], **HERE
    )
    guide, web, prices = whole.tools.guide, whole.tools.web_search, whole.tools.prices
    assert guide.asked == ["종이는?"]  # type: ignore[attr-defined]
    assert web.asked == [("뉴스는?", "ko")]  # type: ignore[union-attr]
    assert prices.asked == [("캔 시세는?", "전국")]  # type: ignore[union-attr]


async def test_two_things_of_one_kind_are_two_branches(whole: World) -> None:
    story = await asked(whole, [("waste", "종이는?"), ("waste", "캔은?")])
    assert begun(story) == ["waste_rag", "waste_rag"]


async def test_what_goes_out_today_meets_the_weather_and_the_days(whole: World) -> None:
    story = await asked(whole, [("waste", TODAY)], **HERE)
    assert begun(story) == ["household_waste", "waste_rag", "weather"]
    assert story.ended["intents"] == ["waste"]
    assert whole.tools.weather.asked == [HOME]  # type: ignore[union-attr]


async def test_a_named_place_is_a_place_too(whole: World) -> None:
    whole.model.entities[TODAY] = {"district": "강남구"}
    story = await asked(whole, [("waste", TODAY)])
    assert begun(story) == ["household_waste", "waste_rag", "weather"]
    assert whole.tools.weather.asked == [STATION]  # type: ignore[union-attr]


async def test_furniture_goes_outside_and_brings_its_own_rules(whole: World) -> None:
    story = await asked(whole, [("bulk_waste", CHAIR)], **HERE)
    assert begun(story) == ["bulk_waste", "weather"]


@pytest.mark.parametrize(
    ("wishes", "more"),
    [
        ([("waste", RULE)], HERE),
        ([("waste", TODAY)], {}),
        ([("bulk_waste", CHAIR)], {}),
        ([("character", TODAY)], HERE),
        ([("recyclable_price", "오늘 캔 시세는?")], HERE),
        ([("general", TODAY)], HERE),
    ],
)
async def test_what_would_not_change_the_answer_is_not_looked_up(
    whole: World, wishes: list[tuple[str, str]], more: dict[str, Any]
) -> None:
    story = await asked(whole, wishes, **more)
    assert begun(story) == sorted(ROUTES[Intent(wishes[0][0])])


async def test_extras_come_once_however_many_things_go_out(whole: World) -> None:
    story = await asked(whole, [("waste", TODAY), ("waste", "오늘 캔은?"), ("bulk_waste", CHAIR)], **HERE)
    assert begun(story) == ["bulk_waste", "household_waste", "waste_rag", "waste_rag", "weather"]


async def test_weather_that_is_asked_for_anyway_is_looked_up_once(whole: World) -> None:
    story = await asked(whole, [("waste", TODAY), ("weather", "날씨는?")], **HERE)
    assert begun(story).count("weather") == 1


async def test_an_extra_that_fails_leaves_no_word() -> None:
    broken = everything(
        weather=FakeWeather(fails=Transient("down")), household_waste=FakeHouseholdWaste((), NoData())
    )
    async with World(tools=broken) as world:
        story = await asked(world, [("waste", TODAY)], **HERE)
    assert begun(story) == ["household_waste", "waste_rag", "weather"]
    assert [finding["agent"] for finding in findings_in(world.model.prompts[-1])] == ["waste_rag"]


async def test_the_same_failure_is_told_when_the_weather_was_asked_for() -> None:
    async with World(tools=everything(weather=FakeWeather(fails=Transient("down")))) as world:
        await asked(world, [("weather", "날씨는?")], **HERE)
    (finding,) = findings_in(world.model.prompts[-1])
    assert (finding["agent"], finding["status"]) == ("weather", "failed")


@pytest.mark.parametrize("intent", ["waste", "weather", "bulk_waste", "image_generation"])
async def test_what_is_not_clear_is_asked_back_and_looks_nothing_up(whole: World, intent: str) -> None:
    whole.model.confidence = 0.3
    story = await asked(whole, [(intent, TODAY)], **HERE)
    assert begun(story) == ["general"]
    (finding,) = findings_in(whole.model.prompts[-1])
    assert "조금 더 알려 주세요" in finding["note"]


async def test_what_is_not_clear_is_not_asked_where_it_is(whole: World) -> None:
    whole.model.confidence = 0.3
    story = await asked(whole, [("weather", "음")])
    assert (begun(story), "input_required" in story.names) == (["general"], False)


@pytest.mark.parametrize("intent", sorted(NEED_A_PLACE))
async def test_nobody_is_asked_for_a_place_that_no_agent_could_use(world: World, intent: str) -> None:
    story = await asked(world, [(intent, "건전지 수거함은?")])
    assert "input_required" not in story.names
    (finding,) = findings_in(world.model.prompts[-1])
    assert finding["status"] == "failed"
    assert finding["note"].endswith("조회가 아직 연결되어 있지 않아요.")


async def test_there_are_never_more_branches_than_may_be(whole: World) -> None:
    story = await asked(whole, [("waste", f"오늘 {n}번은?") for n in range(10)], **HERE)
    assert len(begun(story)) == BRANCHES_MAX
    assert story.text == answer_to(QUESTION)


async def test_more_intents_than_may_be_are_no_understanding(whole: World) -> None:
    story = await asked(whole, [("waste", f"{n}번은?") for n in range(11)])
    assert begun(story) == ["waste_rag"]
    assert story.end == "done"

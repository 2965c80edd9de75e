"""Agents that look one thing up: character, recyclable_price, web_search, general."""

from dataclasses import replace
from typing import Any

import pytest
from chat_worker.agents.character import CHARACTERS_SHOWN, character
from chat_worker.agents.general import UNSURE_BELOW, general
from chat_worker.agents.recyclable_price import PRICES_SHOWN, recyclable_price
from chat_worker.agents.web_search import web_search
from chat_worker.errors import NoData, Transient
from chat_worker.ports.prices import RecyclablePrice
from chat_worker.ports.web_search import SearchResult

from tests.worker.fakes_vendors import (
    PET,
    FakeCharacters,
    FakePrices,
    FakeWebSearch,
    tools,
    turn,
)

TRADE = "재활용 업체 사이의 매입 가격이고, 가정에 지급되는 금액이 아니에요."
CAN = RecyclablePrice("철캔", "전국", 250.0, "2026-09")
HIT = SearchResult("분리배출 개편", "https://news.example/1?a=b", "새로 바뀐 점을 알려드려요.", "2026-10-01")


@pytest.mark.parametrize(
    ("entities", "asked"),
    [
        ({"item": "플라스틱"}, [("match", "플라스틱")]),
        ({"item": "페티"}, [("match", "페티"), ("named", "페티")]),
        (
            {"item": "페트병", "material": "플라스틱"},
            [("match", "페트병"), ("named", "페트병"), ("match", "플라스틱")],
        ),
    ],
)
async def test_a_character_by_item_name_or_material(
    entities: dict[str, str], asked: list[tuple[str, str]]
) -> None:
    catalogue = FakeCharacters()
    finding = await character(turn("누구야?", **entities), tools(characters=catalogue))
    (passage,) = finding["passages"]
    assert (passage["title"], passage["section"]) == ("페티", "플라스틱")
    assert passage["text"] == '밝아요 · "비워 줘!" · 라벨을 떼요'
    assert passage["document"] == "Eco² 캐릭터 도감"
    assert catalogue.asked == asked


async def test_a_character_whose_name_is_in_the_question() -> None:
    for question in ("캔디는 어떤 아이야?", "캔 담당은?"):
        finding = await character(turn(question), tools(characters=FakeCharacters()))
        assert [passage["title"] for passage in finding["passages"]] == ["캔디"]


async def test_a_question_for_all_gets_all() -> None:
    finding = await character(turn("어떤 캐릭터들이 있어?"), tools(characters=FakeCharacters()))
    assert [passage["title"] for passage in finding["passages"]] == ["페티", "캔디"]


async def test_a_crowd_of_characters_is_bounded() -> None:
    crowd = tuple(replace(PET, name=f"페티{n}") for n in range(50))
    finding = await character(turn("다 알려줘"), tools(characters=FakeCharacters(crowd)))
    assert len(finding["passages"]) == CHARACTERS_SHOWN


@pytest.mark.parametrize(
    ("language", "note"),
    [("ko", "'도자기'에 맞는 캐릭터는 없어요."), ("en", "There is no character for '도자기'.")],
)
async def test_a_thing_without_a_character_is_told(language: Any, note: str) -> None:
    finding = await character(
        turn("누구?", item="도자기", language=language), tools(characters=FakeCharacters())
    )
    assert (finding["status"], finding["passages"], finding["note"]) == ("not_found", [], note)


async def test_a_character_speaks_english_where_it_can() -> None:
    finding = await character(turn("Who?", language="en"), tools(characters=FakeCharacters()))
    petty, candy = finding["passages"]
    assert (petty["title"], petty["text"]) == ("Petty", '"Empty me!" · Peel it')
    assert candy["title"] == "캔디"


async def test_characters_that_are_away_are_left_to_the_wrapper() -> None:
    with pytest.raises(Transient):
        await character(turn(item="캔"), tools(characters=FakeCharacters(fails=Transient("down"))))


async def test_a_price_is_told_to_be_one_of_the_trade() -> None:
    survey = FakePrices((CAN,))
    finding = await recyclable_price(turn("캔 얼마야?", item="캔"), tools(prices=survey))
    (passage,) = finding["passages"]
    assert (finding["status"], finding["note"]) == ("ok", TRADE)
    assert (passage["title"], passage["text"]) == ("철캔", "전국 250.0원/kg (2026-09)")
    assert survey.asked == [("캔", "전국")]
    english = await recyclable_price(turn(item="캔", language="en"), tools(prices=survey))
    assert english["note"] == "These are prices between recyclers, not what a household is paid."


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ko", "최신 자료를 불러올 수 없어 2026-06 조사값을 보여 드려요."),
        ("en", "The newest survey cannot be loaded; these are the figures of 2026-06."),
    ],
)
async def test_figures_of_the_snapshot_are_told_to_be_old(language: Any, said: str) -> None:
    snapshot = FakePrices((replace(CAN, month="2026-06", is_snapshot=True),))
    finding = await recyclable_price(turn(item="캔", language=language), tools(prices=snapshot))
    assert finding["note"].endswith(said)


@pytest.mark.parametrize(
    ("entities", "region"),
    [
        ({"district": "서울시 강남구"}, "수도권"),
        ({"place": "인천"}, "수도권"),
        ({"district": "경남 창원시"}, "경남"),
        ({"place": "제주"}, "전국"),
        ({}, "전국"),
    ],
)
async def test_the_survey_of_the_region_that_is_named(entities: dict[str, str], region: str) -> None:
    survey = FakePrices((CAN,))
    await recyclable_price(turn("캔 시세", **entities), tools(prices=survey))
    assert survey.asked == [("캔 시세", region)]


async def test_no_more_prices_are_shown_than_one_can_read() -> None:
    many = FakePrices(tuple(replace(CAN, item=f"캔 {n}") for n in range(20)))
    finding = await recyclable_price(turn(), tools(prices=many))
    assert len(finding["passages"]) == PRICES_SHOWN


@pytest.mark.parametrize(
    ("language", "note"),
    [("ko", "'금괴'의 조사 가격을 찾지 못했어요."), ("en", "The survey has no price for '금괴'.")],
)
async def test_a_thing_that_is_not_surveyed_is_told(language: Any, note: str) -> None:
    finding = await recyclable_price(
        turn(item="금괴", language=language), tools(prices=FakePrices(fails=NoData()))
    )
    assert (finding["status"], finding["note"]) == ("not_found", note)


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("ko", "웹에서 찾은 내용이라 지역의 공식 안내와 다를 수 있어요."),
        ("en", "This comes from the web and may differ from your municipality's own rules."),
    ],
)
async def test_hits_of_the_web_are_cited_by_address(language: Any, note: str) -> None:
    web = FakeWebSearch((HIT,))
    finding = await web_search(turn("뉴스", language=language), tools(web_search=web))
    (passage,) = finding["passages"]
    assert (finding["status"], finding["note"]) == ("ok", note)
    assert (passage["document"], passage["url"]) == ("news.example", "https://news.example/1?a=b")
    assert (passage["title"], passage["text"], passage["revised"]) == (HIT.title, HIT.text, "2026-10-01")
    assert web.asked == [("뉴스", language)]


@pytest.mark.parametrize(
    ("language", "note"),
    [("ko", "웹에서도 찾지 못했어요."), ("en", "A web search found nothing either.")],
)
async def test_a_web_without_an_answer_is_told(language: Any, note: str) -> None:
    finding = await web_search(turn(language=language), tools(web_search=FakeWebSearch(fails=NoData())))
    assert (finding["status"], finding["note"]) == ("not_found", note)


async def test_a_long_question_is_cut_before_it_goes_to_the_web() -> None:
    web = FakeWebSearch((HIT,))
    await web_search(turn("가" * 5_000), tools(web_search=web))
    assert len(web.asked[0][0]) == 200


@pytest.mark.parametrize(
    ("language", "word"), [("ko", "조금 더 알려 주세요"), ("en", "Please say which thing")]
)
async def test_what_is_not_clear_is_asked_back(language: Any, word: str) -> None:
    unclear = turn("음", language=language, confidence=UNSURE_BELOW - 0.01)
    finding = await general(unclear, tools())
    assert (finding["status"], finding["passages"]) == ("ok", [])
    assert word in finding["note"]


async def test_small_talk_has_nothing_to_note() -> None:
    assert (await general(turn("고마워", confidence=UNSURE_BELOW), tools()))["note"] == ""

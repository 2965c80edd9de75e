"""What the guide and the municipality say: waste_rag, bulk_waste, household_waste."""

from dataclasses import dataclass
from typing import Any

import pytest
from chat_worker.agents.bulk_waste import FEES_SHOWN, bulk_waste
from chat_worker.agents.household_waste import ZONES_SHOWN, household_waste
from chat_worker.agents.waste_rag import is_poor, waste_rag
from chat_worker.domain import Finding
from chat_worker.errors import AuthError, NoData, QuotaExceeded, SchemaDrift, Transient
from chat_worker.ports.disposal import PutOut
from chat_worker.ports.places import District
from eco2_bus.job import Location

from tests.worker.fakes_vendors import (
    GANGNAM,
    HOME,
    STATION,
    FakeBulkyFees,
    FakeHouseholdWaste,
    FakePlaces,
    fee,
    rules,
    tools,
    turn,
)

DOWN = [Transient("down"), AuthError("key"), QuotaExceeded("full"), SchemaDrift("shape")]
ASK_DISTRICT = "수수료는 지역마다 달라요. 시·군·구를 알려 주시면 찾아볼게요."
NO_LOOK_UP = "지금은 지역별 수수료를 찾아볼 수 없어요."


def texts(finding: Finding) -> list[str]:
    return [passage["text"] for passage in finding["passages"]]


def local(finding: Finding) -> list[dict[str, Any]]:
    """The passages that do not come from the guide."""
    return [{**passage} for passage in finding["passages"] if passage["document"] != "안내"]


async def test_the_guide_answers_a_waste_question() -> None:
    finding = await waste_rag(turn("우유팩은?"), tools())
    assert (finding["agent"], finding["status"], finding["note"]) == ("waste_rag", "ok", "")
    assert texts(finding) == ["우유팩은?: 분리", "우유팩은?: 배출"]
    assert not is_poor(finding)


async def test_a_look_alike_is_told_to_be_one() -> None:
    finding = await waste_rag(turn("비슷한 것은?"), tools())
    assert (finding["status"], finding["note"]) == (
        "ok",
        "꼭 같은 품목은 안내에 없어서 비슷한 품목의 내용이에요.",
    )
    english = await waste_rag(turn("비슷한?", language="en"), tools())
    assert english["note"] == "The guide does not name this very item; this is about similar ones."
    assert is_poor(finding)


async def test_the_thing_itself_is_looked_for_when_the_sentence_hides_it() -> None:
    knows = tools()
    finding = await waste_rag(turn("비슷한 걸 어떻게 하죠?", item="우유팩"), knows)
    assert texts(finding) == ["우유팩: 분리", "우유팩: 배출"]
    assert finding["note"] == ""


async def test_a_look_alike_of_the_sentence_is_better_than_nothing_for_the_item() -> None:
    finding = await waste_rag(turn("비슷한 것은?", item="모르는 것"), tools())
    assert texts(finding) == ["비슷한 것은?: 분리", "비슷한 것은?: 배출"]


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("ko", "'모르는 물건'은(는) 분리배출 안내에 없어요."),
        ("en", "The waste guide has no entry for '모르는 물건'."),
    ],
)
async def test_what_the_guide_does_not_know_is_said(language: Any, note: str) -> None:
    finding = await waste_rag(turn("모르는 걸 버리려면?", language=language, item="모르는 물건"), tools())
    assert (finding["status"], finding["passages"], finding["note"]) == ("not_found", [], note)
    assert is_poor(finding)


async def test_a_long_question_is_cut_in_a_note() -> None:
    finding = await waste_rag(turn("모르는" * 500), tools())
    assert len(finding["note"]) < 120


async def test_bulky_waste_gives_the_guide_the_fee_and_the_office() -> None:
    fees, municipality = FakeBulkyFees((fee(5_000),)), FakeHouseholdWaste((rules(),))
    finding = await bulk_waste(
        turn("의자 버리려면?", item="의자", location=HOME),
        tools(bulky_fees=fees, household_waste=municipality, places=FakePlaces()),
    )
    assert (finding["status"], finding["note"]) == ("ok", "")
    assert texts(finding)[:2] == ["의자: 분리", "의자: 배출"]
    price, office = local(finding)
    assert (price["title"], price["text"]) == ("의자", "서울특별시 강남구 수수료: 5,000원")
    assert (price["section"], price["revised"]) == ("강남구청", "2026-01-02")
    assert office["text"] == "스티커를 붙여 내놓아요 · 청소행정과 · 문의 02-123-4567"
    assert fees.asked == [(GANGNAM, "의자")]
    assert municipality.asked == [GANGNAM]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ko", "서울특별시 강남구 수수료: 3,000~12,000원 (크기에 따라 달라요)"),
        ("en", "fee in 서울특별시 강남구: 3,000~12,000원 (depends on the size)"),
    ],
)
async def test_a_range_of_fees_stays_a_range(language: Any, text: str) -> None:
    ranges = FakeBulkyFees((fee(3_000, 12_000),))
    finding = await bulk_waste(
        turn(item="의자", location=HOME, language=language), tools(bulky_fees=ranges, places=FakePlaces())
    )
    assert [passage["text"] for passage in local(finding)] == [text]


async def test_no_more_fees_are_shown_than_one_can_read() -> None:
    many = FakeBulkyFees(tuple(fee(1_000 * n, item=f"의자 {n}") for n in range(1, 10)))
    finding = await bulk_waste(turn(location=HOME), tools(bulky_fees=many, places=FakePlaces()))
    assert [passage["title"] for passage in local(finding)] == [f"의자 {n}" for n in range(1, FEES_SHOWN + 1)]


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("ko", ASK_DISTRICT),
        ("en", "Fees differ between municipalities. Tell me your district and I will look them up."),
    ],
)
async def test_without_a_district_the_guide_answers_and_asks_for_it(language: Any, note: str) -> None:
    fees = FakeBulkyFees((fee(),))
    finding = await bulk_waste(turn(item="의자", language=language), tools(bulky_fees=fees))
    assert (finding["status"], finding["note"], local(finding)) == ("ok", note, [])
    assert fees.asked == []


@pytest.mark.parametrize("error", DOWN)
async def test_fees_that_fail_cost_the_answer_only_the_fee(error: Exception) -> None:
    finding = await bulk_waste(
        turn(item="의자", location=HOME),
        tools(
            bulky_fees=FakeBulkyFees(fails=error),
            household_waste=FakeHouseholdWaste((rules(),)),
            places=FakePlaces(),
        ),
    )
    assert (finding["status"], finding["note"]) == ("ok", NO_LOOK_UP)
    assert len(local(finding)) == 1


@pytest.mark.parametrize("error", DOWN)
async def test_rules_that_fail_cost_the_answer_a_detail(error: Exception) -> None:
    finding = await bulk_waste(
        turn(item="의자", location=HOME),
        tools(
            bulky_fees=FakeBulkyFees((fee(),)),
            household_waste=FakeHouseholdWaste((), fails=error),
            places=FakePlaces(),
        ),
    )
    assert (finding["note"], len(local(finding))) == ("", 1)


async def test_a_municipality_without_a_word_on_bulky_things_is_left_out() -> None:
    silent = rules(bulky=PutOut(), phone="")
    finding = await bulk_waste(
        turn(location=HOME),
        tools(
            bulky_fees=FakeBulkyFees((fee(),)),
            household_waste=FakeHouseholdWaste((silent,)),
            places=FakePlaces(),
        ),
    )
    assert [passage["document"] for passage in local(finding)] == ["행정안전부 전국대형폐기물수거수수료정보"]


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("ko", "서울특별시 강남구의 '소파' 수수료는 등록된 자료에 없어요."),
        ("en", "The registered data has no fee for '소파' in 서울특별시 강남구."),
    ],
)
async def test_a_fee_that_is_not_registered_is_said_to_be_that(language: Any, note: str) -> None:
    finding = await bulk_waste(
        turn(item="소파", location=HOME, language=language),
        tools(bulky_fees=FakeBulkyFees(fails=NoData()), places=FakePlaces()),
    )
    assert (finding["status"], finding["note"]) == ("ok", note)


async def test_a_map_that_fails_costs_the_answer_only_the_fee() -> None:
    fees = FakeBulkyFees((fee(),))
    finding = await bulk_waste(
        turn(item="의자", location=HOME), tools(bulky_fees=fees, places=FakePlaces(fails=Transient("down")))
    )
    assert (finding["status"], finding["note"], fees.asked) == ("ok", NO_LOOK_UP, [])


async def test_without_fees_at_all_the_guide_still_answers() -> None:
    finding = await bulk_waste(turn(item="의자", location=HOME), tools(places=FakePlaces()))
    assert (finding["status"], finding["note"]) == ("ok", NO_LOOK_UP)


async def test_a_thing_that_neither_guide_nor_municipality_knows_is_not_found() -> None:
    finding = await bulk_waste(turn("모르는 것 버리려면?", item="모르는 것"), tools())
    assert finding["status"] == "not_found"
    assert finding["note"] == f"'모르는 것'의 대형폐기물 배출 방법을 찾지 못했어요. · {NO_LOOK_UP}"


async def test_a_fee_alone_is_an_answer_too() -> None:
    finding = await bulk_waste(
        turn(item="모르는 것", location=HOME),
        tools(bulky_fees=FakeBulkyFees((fee(),)), places=FakePlaces()),
    )
    assert (finding["status"], len(finding["passages"])) == ("ok", 1)


@pytest.mark.parametrize("written", ["서울시 강남구", "강남구"])
async def test_without_a_map_a_written_district_will_do(written: str) -> None:
    fees = FakeBulkyFees((fee(),))
    await bulk_waste(turn(item="의자", district=written), tools(bulky_fees=fees))
    ((district, _),) = fees.asked
    assert district.city == "강남구"


async def test_a_named_district_counts_more_than_where_the_user_is() -> None:
    places = FakePlaces()
    await bulk_waste(
        turn(item="의자", location=HOME, district="강남구"), tools(bulky_fees=FakeBulkyFees(), places=places)
    )
    assert places.asked == [("locate", "강남구"), ("district_at", STATION)]


async def test_the_days_of_the_zone_where_the_user_is() -> None:
    zones = (rules("논현동", zone="2권역"), rules("역삼동, 삼성동", zone="1권역"))
    finding = await household_waste(
        turn(location=HOME), tools(household_waste=FakeHouseholdWaste(zones), places=FakePlaces())
    )
    (passage,) = finding["passages"]
    assert passage["title"] == "서울특별시 강남구 1권역"
    assert passage["text"] == (
        "일반쓰레기: 월·수·금 20:00~24:00 · 음식물: 매일 · 재활용: 화 20:00~24:00 · 집 앞"
    )
    assert (passage["section"], passage["revised"]) == ("청소행정과", "2026-01-02")


async def test_the_days_are_told_in_english_too() -> None:
    finding = await household_waste(
        turn(location=HOME, language="en"),
        tools(household_waste=FakeHouseholdWaste((rules(),)), places=FakePlaces()),
    )
    assert texts(finding)[0].startswith("general waste: 월·수·금 20:00~24:00 · food waste: 매일")


async def test_of_a_neighbourhood_that_no_zone_names_some_zones_are_shown() -> None:
    zones = tuple(rules(f"{n}동", zone=f"{n}권역") for n in range(6))
    finding = await household_waste(
        turn(location=HOME), tools(household_waste=FakeHouseholdWaste(zones), places=FakePlaces())
    )
    assert len(finding["passages"]) == ZONES_SHOWN


async def test_without_a_district_there_are_no_days() -> None:
    municipality = FakeHouseholdWaste((rules(),))
    for language, note in (("ko", "지역을 알 수 없어요."), ("en", "The district is not known.")):
        finding = await household_waste(turn(language=language), tools(household_waste=municipality))
        assert (finding["status"], finding["note"]) == ("not_found", note)
    assert municipality.asked == []


@dataclass(frozen=True)
class FakeSea(FakePlaces):
    """A map of the open sea."""

    async def district_at(self, location: Location) -> District:
        raise NoData(f"{location}")


async def test_a_point_outside_the_country_costs_only_the_fee() -> None:
    finding = await bulk_waste(
        turn(item="의자", location=HOME), tools(bulky_fees=FakeBulkyFees((fee(),)), places=FakeSea())
    )
    assert (finding["status"], local(finding)) == ("ok", [])
    assert finding["note"] == ASK_DISTRICT

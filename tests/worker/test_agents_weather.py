"""The weather agent: what was measured, what is coming, and what that means for what is put out."""

from datetime import datetime
from typing import Any

import pytest
from chat_worker.agents.weather import weather
from chat_worker.errors import Transient
from chat_worker.ports.weather import Hour, Precipitation

from tests.worker.fakes_vendors import HOME, STATION, FakePlaces, FakeWeather, report, tools, turn

WET = "종이류는 젖지 않게 실내에 두었다가 비나 눈이 그친 뒤 내놓으세요."
HOT = "음식물 쓰레기는 냄새가 나기 쉬우니 배출 시간에 맞춰 내놓으세요."
FREEZING = "젖은 용기는 얼어붙을 수 있으니 물기를 빼고 내놓으세요."
HUMID = "습하니 종이류는 묶어서 덮개 있는 곳에 두세요."
ENGLISH = {
    WET: "Keep paper dry indoors and put it out when the rain or snow has stopped.",
    HOT: "Food waste smells quickly; put it out only at collection time.",
    FREEZING: "Wet containers may freeze; drain them before you put them out.",
    HUMID: "It is humid; keep paper bundled under cover.",
}


def at(hour: int, precipitation: Precipitation | None) -> Hour:
    return Hour(datetime(2026, 11, 25, hour), precipitation=precipitation)


async def told(language: Any = "ko", **changed: Any) -> str:
    """What the agent says of such a day."""
    finding = await weather(
        turn(location=HOME, language=language), tools(weather=FakeWeather(report(**changed)))
    )
    (passage,) = finding["passages"]
    return passage["text"]


async def test_the_weather_where_the_user_is() -> None:
    service = FakeWeather(report(precipitation=Precipitation.NONE))
    finding = await weather(turn(location=HOME), tools(weather=service))
    (passage,) = finding["passages"]
    assert (finding["status"], finding["note"]) == ("ok", "")
    assert (passage["title"], passage["section"]) == ("지금 계신 곳", "2026-11-25 14:00 KST")
    assert passage["text"] == "기온 12.5℃ · 습도 40% · 비나 눈 없음"
    assert service.asked == [HOME]


async def test_the_weather_of_the_place_that_is_named_wherever_the_user_is() -> None:
    service = FakeWeather()
    finding = await weather(
        turn(location=HOME, district="강남구"), tools(weather=service, places=FakePlaces())
    )
    assert finding["passages"][0]["title"] == "강남구"
    assert service.asked == [STATION]


async def test_a_place_that_no_map_knows_does_not_lend_its_name_to_the_weather_here() -> None:
    finding = await weather(
        turn(location=HOME, place="아틀란티스"), tools(weather=FakeWeather(), places=FakePlaces())
    )
    assert finding["passages"][0]["title"] == "지금 계신 곳"


@pytest.mark.parametrize("entities", [{}, {"place": "아틀란티스"}])
async def test_without_a_place_it_asks_for_one(entities: dict[str, str]) -> None:
    service = FakeWeather()
    finding = await weather(turn(**entities), tools(weather=service, places=FakePlaces()))
    assert (finding["status"], finding["passages"]) == ("not_found", [])
    assert finding["note"] == "어느 지역의 날씨인지 알려 주세요."
    assert service.asked == []


async def test_it_speaks_english_when_asked_in_english() -> None:
    wet = at(17, Precipitation.RAIN_AND_SNOW)
    assert await told("en", precipitation=Precipitation.SHOWER, hours=(wet,)) == (
        f"12.5 °C · humidity 40% · showers · rain and snow expected around 17:00 · {ENGLISH[WET]}"
    )
    finding = await weather(turn(language="en"), tools(weather=FakeWeather()))
    assert finding["note"] == "Please say for which place you want the weather."


@pytest.mark.parametrize(
    ("day", "hint"),
    [
        ({"precipitation": Precipitation.RAIN}, WET),
        ({"precipitation": Precipitation.FLURRY}, WET),
        ({"hours": (at(15, Precipitation.NONE), at(16, Precipitation.SNOW))}, WET),
        ({"temperature_c": 25.0}, HOT),
        ({"temperature_c": 0.0}, FREEZING),
        ({"humidity_pct": 85}, HUMID),
    ],
)
@pytest.mark.parametrize("language", ["ko", "en"])
async def test_what_the_day_means_for_things_put_out(day: dict[str, Any], hint: str, language: str) -> None:
    text = await told(language, **day)
    hints = [ENGLISH[one] if language == "en" else one for one in ENGLISH]
    assert [one for one in hints if one in text] == [ENGLISH[hint] if language == "en" else hint]


async def test_an_ordinary_day_needs_no_hint() -> None:
    assert await told(temperature_c=24.9, humidity_pct=84) == "기온 24.9℃ · 습도 84%"


async def test_rain_of_a_humid_day_gives_one_hint_about_paper() -> None:
    text = await told(humidity_pct=99, precipitation=Precipitation.DRIZZLE)
    assert WET in text
    assert HUMID not in text


async def test_rain_that_is_coming_is_told_with_its_hour() -> None:
    hours = (
        at(15, Precipitation.NONE),
        at(16, None),
        at(17, Precipitation.SHOWER),
        at(18, Precipitation.SNOW),
    )
    assert "17시쯤 소나기 예보" in await told(hours=hours)


async def test_rain_beyond_the_next_hours_is_not_told() -> None:
    hours = (*(at(hour, Precipitation.NONE) for hour in range(9, 15)), at(15, Precipitation.RAIN))
    assert await told(hours=hours) == "기온 12.5℃ · 습도 40%"


async def test_what_was_not_measured_is_not_made_up() -> None:
    nothing = report(observed_at=None, temperature_c=None, humidity_pct=None, rain_mm=None)
    finding = await weather(turn(location=HOME), tools(weather=FakeWeather(nothing)))
    (passage,) = finding["passages"]
    assert (passage["text"], passage["section"]) == ("", "")


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("ko", "최신 관측을 불러오지 못해 조금 전 자료예요."),
        ("en", "The newest observation could not be loaded; this one is a little older."),
    ],
)
async def test_an_older_observation_is_told_to_be_one(language: Any, note: str) -> None:
    stale = FakeWeather(report(is_stale=True))
    finding = await weather(turn(location=HOME, language=language), tools(weather=stale))
    assert finding["note"] == note


async def test_a_vendor_that_fails_is_left_to_the_wrapper() -> None:
    with pytest.raises(Transient):
        await weather(turn(location=HOME), tools(weather=FakeWeather(fails=Transient("down"))))

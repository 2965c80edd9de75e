"""The weather where something is put out, and what it means for paper, food waste and glass."""

from collections.abc import Iterator

from chat_worker.agents.findings import found, not_found, passage, together, told
from chat_worker.agents.where import named_place, point_of
from chat_worker.domain import Finding, Language, Turn
from chat_worker.ports import Tools
from chat_worker.ports.weather import Precipitation, WeatherReport

HOURS_AHEAD = 6
WARM_C, FREEZING_C = 25, 0
HUMID_PCT = 85
_SOURCE = "기상청 단기예보"
_NOWHERE: dict[Language, str] = {
    "ko": "어느 지역의 날씨인지 알려 주세요.",
    "en": "Please say for which place you want the weather.",
}
_HERE: dict[Language, str] = {"ko": "지금 계신 곳", "en": "where you are"}
_FALLS: dict[Precipitation, dict[Language, str]] = {
    Precipitation.NONE: {"ko": "비나 눈 없음", "en": "dry"},
    Precipitation.RAIN: {"ko": "비", "en": "rain"},
    Precipitation.RAIN_AND_SNOW: {"ko": "비/눈", "en": "rain and snow"},
    Precipitation.SNOW: {"ko": "눈", "en": "snow"},
    Precipitation.SHOWER: {"ko": "소나기", "en": "showers"},
    Precipitation.DRIZZLE: {"ko": "빗방울", "en": "drizzle"},
    Precipitation.DRIZZLE_AND_FLURRY: {"ko": "빗방울/눈날림", "en": "drizzle and flurries"},
    Precipitation.FLURRY: {"ko": "눈날림", "en": "flurries"},
}
_WET: dict[Language, str] = {
    "ko": "종이류는 젖지 않게 실내에 두었다가 비나 눈이 그친 뒤 내놓으세요.",
    "en": "Keep paper dry indoors and put it out when the rain or snow has stopped.",
}
_HOT: dict[Language, str] = {
    "ko": "음식물 쓰레기는 냄새가 나기 쉬우니 배출 시간에 맞춰 내놓으세요.",
    "en": "Food waste smells quickly; put it out only at collection time.",
}
_FREEZING: dict[Language, str] = {
    "ko": "젖은 용기는 얼어붙을 수 있으니 물기를 빼고 내놓으세요.",
    "en": "Wet containers may freeze; drain them before you put them out.",
}
_HUMID: dict[Language, str] = {
    "ko": "습하니 종이류는 묶어서 덮개 있는 곳에 두세요.",
    "en": "It is humid; keep paper bundled under cover.",
}
_STALE: dict[Language, str] = {
    "ko": "최신 관측을 불러오지 못해 조금 전 자료예요.",
    "en": "The newest observation could not be loaded; this one is a little older.",
}


async def weather(turn: Turn, tools: Tools) -> Finding:
    """What was measured, what is coming, and one hint for putting things out; raises a VendorError."""
    assert tools.weather is not None
    point = await point_of(turn, tools)
    if point is None:
        return not_found("weather", told(turn, _NOWHERE))
    report = await tools.weather.at(point)
    # A place that no map knows is not where this weather is.
    where = named_place(turn) if point is not turn.location else told(turn, _HERE)
    text = together(*_observed(turn, report), *_coming(turn, report), *_hints(turn, report))
    when = report.observed_at.strftime("%Y-%m-%d %H:%M KST") if report.observed_at else ""
    note = told(turn, _STALE) if report.is_stale else ""
    return found("weather", [passage(where, text, _SOURCE, section=when)], note)


def _observed(turn: Turn, report: WeatherReport) -> Iterator[str]:
    if report.temperature_c is not None:
        yield told(turn, {"ko": "기온 {t:g}℃", "en": "{t:g} °C"}, t=report.temperature_c)
    if report.humidity_pct is not None:
        yield told(turn, {"ko": "습도 {h:g}%", "en": "humidity {h:g}%"}, h=report.humidity_pct)
    if report.precipitation is not None:
        yield _FALLS[report.precipitation][turn.language]


def _coming(turn: Turn, report: WeatherReport) -> Iterator[str]:
    wet = next((hour for hour in report.hours[:HOURS_AHEAD] if hour.precipitation), None)
    if wet is not None and wet.precipitation:
        words: dict[Language, str] = {
            "ko": "{at:%H시}쯤 {what} 예보",
            "en": "{what} expected around {at:%H}:00",
        }
        yield told(turn, words, at=wet.at, what=_FALLS[wet.precipitation][turn.language])


def _hints(turn: Turn, report: WeatherReport) -> Iterator[str]:
    is_wet = bool(report.precipitation) or any(hour.precipitation for hour in report.hours[:HOURS_AHEAD])
    if is_wet:
        yield told(turn, _WET)
    if report.temperature_c is not None and report.temperature_c >= WARM_C:
        yield told(turn, _HOT)
    if report.temperature_c is not None and report.temperature_c <= FREEZING_C:
        yield told(turn, _FREEZING)
    if not is_wet and report.humidity_pct is not None and report.humidity_pct >= HUMID_PCT:
        yield told(turn, _HUMID)

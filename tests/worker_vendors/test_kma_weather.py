"""KMA's weather in the shapes it answers in."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from chat_worker.adapters.kma_weather import KmaWeather
from chat_worker.adapters.kma_weather_issues import NOWCAST, ULTRA_SHORT, VILLAGE, Product
from chat_worker.errors import AuthError, NoData, QuotaExceeded, SchemaDrift, Transient, VendorError
from chat_worker.ports.weather import Hour, Precipitation, Sky, Weather
from eco2_bus.job import Location
from pydantic import SecretStr

from tests.worker_vendors.conftest import CANARY, QUICK, Leaks, Traces
from tests.worker_vendors.vendor_server import HANGS, Reply, VendorServer, gateway_error, json_reply

KST = ZoneInfo("Asia/Seoul")
SEOUL = Location(latitude=37.5665, longitude=126.9780)
BUSAN = Location(latitude=35.1796, longitude=129.0756)
NOON = datetime(2026, 7, 1, 12, 50, tzinfo=KST)
NODATA = json_reply({"response": {"header": {"resultCode": "03", "resultMsg": "NO_DATA"}}})


class Clock:
    """A clock that is set by hand; it runs in UTC, as containers do."""

    def __init__(self) -> None:
        self.now = NOON.astimezone(ZoneInfo("UTC"))

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def kma(
    vendor: VendorServer, traces: Traces, key: SecretStr, clock: Clock
) -> AsyncIterator[KmaWeather]:
    kma = KmaWeather(key, traces.tracer, base_url=vendor.base_url, limits=QUICK, clock=clock)
    yield kma
    await kma.close()


def items(rows: list[dict[str, Any]], total: int | None = None) -> Reply:
    body = {
        "dataType": "JSON",
        "items": {"item": rows},
        "pageNo": 1,
        "numOfRows": 1000,
        "totalCount": len(rows) if total is None else total,
    }
    header = {"resultCode": "00", "resultMsg": "NORMAL_SERVICE"}
    return json_reply({"response": {"header": header, "body": body}})


def nowcast(base: str = "202607011200", **figures: str) -> Reply:
    """Eight figures, and no SKY among them."""
    measured = {
        "PTY": "0", "REH": "67", "RN1": "0", "T1H": "24.6",
        "UUU": "0.3", "VEC": "201", "VVV": "0.8", "WSD": "0.9",
    } | figures  # fmt: skip
    where = {"baseDate": base[:8], "baseTime": base[8:], "nx": 60, "ny": 127}
    return items([where | {"category": name, "obsrValue": value} for name, value in measured.items()])


def forecast(hours: dict[str, dict[str, str]], total: int | None = None) -> Reply:
    where = {"baseDate": "20260701", "baseTime": "1130", "nx": 60, "ny": 127}
    return items(
        [
            where | {"category": name, "fcstDate": at[:8], "fcstTime": at[8:], "fcstValue": value}
            for at, figures in hours.items()
            for name, value in figures.items()
        ],
        total,
    )


ULTRA = {
    "202607011200": {"T1H": "25", "RN1": "강수없음", "SKY": "1", "PTY": "0", "REH": "60", "LGT": "0"},
    "202607011300": {"T1H": "24", "RN1": "1mm 미만", "SKY": "4", "PTY": "5", "REH": "80", "LGT": "0"},
}
DAYS = {
    "202607011100": {"TMP": "23", "SKY": "1", "PTY": "0", "POP": "0", "PCP": "강수없음", "SNO": "적설없음"},
    "202607011300": {"TMP": "22", "SKY": "3", "PTY": "1", "POP": "60", "PCP": "2.0mm", "SNO": "적설없음"},
    "202607020600": {
        "TMP": "20",
        "SKY": "3",
        "PTY": "4",
        "POP": "70",
        "PCP": "30.0~50.0mm",
        "SNO": "적설없음",
        "TMN": "19.0",
    },
    "202607050300": {"TMP": "18", "SKY": "4", "PTY": "1", "POP": "80", "PCP": "2", "SNO": "0", "WSD": "1"},
}


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M").replace(tzinfo=KST)


def answers(vendor: VendorServer, now: Reply, ultra: Reply, village: Reply) -> None:
    for product, reply in ((NOWCAST, now), (ULTRA_SHORT, ultra), (VILLAGE, village)):
        vendor.answer(product.path, reply)


async def test_a_report_joins_what_was_measured_with_both_forecasts(
    vendor: VendorServer, kma: KmaWeather
) -> None:
    answers(vendor, nowcast(PTY="6", RN1="0.5"), forecast(ULTRA), forecast(DAYS))
    weather: Weather = kma

    report = await weather.at(SEOUL)

    assert report.observed_at == at("202607011200")
    assert (report.temperature_c, report.humidity_pct, report.rain_mm) == (24.6, 67, 0.5)
    assert report.precipitation is Precipitation.DRIZZLE_AND_FLURRY
    assert report.hours == (
        Hour(at("202607011200"), 25, Precipitation.NONE, None, None, Sky.CLEAR),
        Hour(at("202607011300"), 24, Precipitation.DRIZZLE, 60, "1mm 미만", Sky.OVERCAST),
        Hour(at("202607020600"), 20, Precipitation.SHOWER, 70, "30.0~50.0mm", Sky.MOSTLY_CLOUDY),
        # Far days have a code where others have an amount.
        Hour(at("202607050300"), 18, Precipitation.RAIN, 80, None, Sky.OVERCAST),
    )
    assert not report.is_stale


async def test_the_vendor_is_asked_for_the_cell_and_the_newest_issue_in_korean_time(
    vendor: VendorServer, kma: KmaWeather
) -> None:
    answers(vendor, nowcast(), forecast(ULTRA), forecast(DAYS))

    await kma.at(SEOUL)

    (asked,) = vendor.queries(NOWCAST.path)
    assert asked == {
        "serviceKey": CANARY,
        "dataType": "JSON",
        "base_date": "20260701",
        "base_time": "1200",
        "nx": "60",
        "ny": "127",
        "pageNo": "1",
        "numOfRows": "1000",
    }
    assert [query["base_time"] for query in vendor.queries(ULTRA_SHORT.path)] == ["1230"]
    assert [query["base_time"] for query in vendor.queries(VILLAGE.path)] == ["1100"]


@pytest.mark.parametrize(
    ("product", "now", "newest"),
    [
        (NOWCAST, "202607011239", "202607011100"),
        (NOWCAST, "202607011240", "202607011200"),
        (NOWCAST, "202607010030", "202606302300"),
        (ULTRA_SHORT, "202607011244", "202607011130"),
        (ULTRA_SHORT, "202607011245", "202607011230"),
        (ULTRA_SHORT, "202607010010", "202606302330"),
        (VILLAGE, "202607010209", "202606302300"),
        (VILLAGE, "202607010210", "202607010200"),
        (VILLAGE, "202607010459", "202607010200"),
        (VILLAGE, "202607012309", "202607012000"),
        (VILLAGE, "202607012310", "202607012300"),
        (VILLAGE, "202601010105", "202512312300"),
    ],
)
def test_each_product_has_its_hours(product: Product, now: str, newest: str) -> None:
    assert product.newest(at(now).astimezone(ZoneInfo("UTC"))) == at(newest)


@pytest.mark.parametrize("code", range(8))
async def test_every_kind_of_precipitation_is_known(vendor: VendorServer, kma: KmaWeather, code: int) -> None:
    hours = {"202607011300": {"TMP": "20", "PTY": str(code)}}
    answers(vendor, nowcast(PTY=str(code)), forecast(hours), forecast(hours))

    report = await kma.at(SEOUL)

    assert report.precipitation == code
    assert report.hours[0].precipitation == code


@pytest.mark.parametrize(
    ("figures", "amount"),
    [
        ({"PCP": "강수없음", "SNO": "적설없음"}, None),
        ({"PCP": "1mm 미만", "SNO": "적설없음"}, "1mm 미만"),
        ({"PCP": "1.0mm 미만"}, "1.0mm 미만"),
        ({"PCP": "50.0mm 이상"}, "50.0mm 이상"),
        ({"PCP": "강수없음", "SNO": "1.0~4.9cm"}, "1.0~4.9cm"),
        ({"PCP": "1mm 미만", "SNO": "1cm 미만"}, "1mm 미만, 1cm 미만"),
        ({"PCP": "3", "SNO": "2"}, None),
        ({"PCP": "-998.9", "SNO": "null"}, None),
        ({}, None),
    ],
)
async def test_amounts_are_text_and_codes_are_none(
    vendor: VendorServer, kma: KmaWeather, figures: dict[str, str], amount: str | None
) -> None:
    answers(vendor, NODATA, NODATA, forecast({"202607011300": {"TMP": "20", **figures}}))

    assert (await kma.at(SEOUL)).hours[0].amount == amount


@pytest.mark.parametrize("missing", ["900", "-998.9", "999", "-999", "nan", "", "null"])
async def test_figures_beyond_900_are_missing(vendor: VendorServer, kma: KmaWeather, missing: str) -> None:
    figures = {"T1H": missing, "REH": missing, "RN1": missing, "PTY": missing}
    hours = {"202607011300": {"TMP": missing, "PTY": missing, "SKY": missing, "POP": missing}}
    answers(vendor, nowcast(**figures), forecast(hours), forecast(hours))

    report = await kma.at(SEOUL)

    assert (report.temperature_c, report.humidity_pct, report.rain_mm, report.precipitation) == (None,) * 4
    assert report.hours == (Hour(at("202607011300")),)


async def test_an_issue_of_several_pages_is_read_whole(vendor: VendorServer, kma: KmaWeather) -> None:
    answers(vendor, nowcast(), NODATA, NODATA)
    pages = [forecast({f"2026070{day}0900": {"TMP": "20"}}, total=3) for day in (2, 3, 4)]
    vendor.answer(VILLAGE.path, *pages)

    report = await kma.at(SEOUL)

    assert [hour.at.day for hour in report.hours] == [2, 3, 4]
    assert [query["pageNo"] for query in vendor.queries(VILLAGE.path)] == ["1", "2", "3"]


async def test_an_issue_that_is_late_is_replaced_by_the_one_before_once(
    vendor: VendorServer, kma: KmaWeather
) -> None:
    answers(vendor, NODATA, NODATA, NODATA)
    vendor.answer(NOWCAST.path, NODATA, nowcast("202607011100"))

    report = await kma.at(SEOUL)

    assert report.observed_at == at("202607011100")
    for product, tries in (
        (NOWCAST, ["1200", "1100"]),
        (ULTRA_SHORT, ["1230", "1130"]),
        (VILLAGE, ["1100", "0800"]),
    ):
        assert [query["base_time"] for query in vendor.queries(product.path)] == tries


async def test_before_midnights_issue_the_day_before_is_asked_for(
    vendor: VendorServer, kma: KmaWeather, clock: Clock
) -> None:
    clock.now = at("202607010020")
    answers(vendor, nowcast("202606302300"), NODATA, NODATA)

    await kma.at(SEOUL)

    asked = vendor.queries(NOWCAST.path)[0]
    assert (asked["base_date"], asked["base_time"]) == ("20260630", "2300")


async def test_an_issue_is_not_asked_for_twice(vendor: VendorServer, kma: KmaWeather, clock: Clock) -> None:
    answers(vendor, nowcast(), forecast(ULTRA), forecast(DAYS))
    await kma.at(SEOUL)
    await kma.at(SEOUL)
    assert len(vendor.asked) == 3

    clock.now += timedelta(minutes=50)
    await kma.at(SEOUL)
    assert len(vendor.queries(NOWCAST.path)) == 2
    assert len(vendor.queries(VILLAGE.path)) == 1

    await kma.at(BUSAN)
    assert len(vendor.queries(VILLAGE.path)) == 2


async def test_hours_that_are_over_are_left_out(vendor: VendorServer, kma: KmaWeather, clock: Clock) -> None:
    answers(vendor, nowcast(), forecast(ULTRA), forecast(DAYS))
    await kma.at(SEOUL)

    clock.now += timedelta(minutes=15)

    assert (await kma.at(SEOUL)).hours[0].at == at("202607011300")


async def test_the_village_forecast_serves_alone(vendor: VendorServer, kma: KmaWeather) -> None:
    answers(vendor, gateway_error("99"), HANGS, forecast(DAYS))

    report = await kma.at(SEOUL)

    assert report.observed_at is None
    assert report.temperature_c is None
    assert report.hours[0] == Hour(at("202607011300"), 22, Precipitation.RAIN, 60, "2.0mm", Sky.MOSTLY_CLOUDY)
    assert not report.is_stale


async def test_the_last_report_serves_for_three_hours_and_says_that_it_is_old(
    vendor: VendorServer, kma: KmaWeather, clock: Clock
) -> None:
    answers(vendor, nowcast(), forecast(ULTRA), forecast(DAYS))
    await kma.at(SEOUL)
    down = Reply(b"", 500)
    answers(vendor, down, down, down)

    clock.now += timedelta(hours=3)
    report = await kma.at(SEOUL)

    assert report.is_stale
    assert report.temperature_c == 24.6
    assert report.hours[0].at == at("202607020600")
    with pytest.raises(Transient):
        await kma.at(BUSAN)
    clock.now += timedelta(seconds=1)
    with pytest.raises(Transient):
        await kma.at(SEOUL)


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([NODATA, NODATA, NODATA], NoData),
        ([NODATA, gateway_error("30"), NODATA], AuthError),
        ([gateway_error("22")] * 3, QuotaExceeded),
        ([nowcast(PTY="8"), NODATA, NODATA], SchemaDrift),
        ([nowcast(T1H="warm"), NODATA, NODATA], SchemaDrift),
        ([nowcast("202613991200"), NODATA, NODATA], SchemaDrift),
        ([NODATA, forecast({"202607011300": {"SKY": "2"}}), NODATA], SchemaDrift),
        ([NODATA, NODATA, items([{"category": "TMP", "value": "20"}])], SchemaDrift),
    ],
)
async def test_when_nothing_answers_the_reason_is_told(
    vendor: VendorServer, kma: KmaWeather, replies: list[Reply], error: type[VendorError]
) -> None:
    answers(vendor, *replies)

    with pytest.raises(error):
        await kma.at(SEOUL)


async def test_a_point_outside_the_grid_is_not_asked_for(vendor: VendorServer, kma: KmaWeather) -> None:
    with pytest.raises(NoData):
        await kma.at(Location(latitude=48.85, longitude=2.35))

    assert vendor.asked == []


async def test_those_who_ask_for_one_cell_at_a_time_share_the_requests(
    vendor: VendorServer, kma: KmaWeather
) -> None:
    answers(vendor, nowcast(), forecast(ULTRA), forecast(DAYS))

    reports = await asyncio.gather(*(kma.at(SEOUL) for _ in range(20)))

    assert len(vendor.asked) == 3
    assert all(report == reports[0] for report in reports)


async def test_one_who_gives_up_leaves_the_requests_to_the_others(
    vendor: VendorServer, kma: KmaWeather
) -> None:
    answers(vendor, nowcast(), forecast(ULTRA), forecast(DAYS))
    first = asyncio.create_task(kma.at(SEOUL))
    second = asyncio.create_task(kma.at(SEOUL))
    await asyncio.sleep(0)

    first.cancel()

    assert (await second).temperature_c == 24.6
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_when_everybody_gives_up_the_requests_end_and_the_next_one_begins_anew(
    vendor: VendorServer, kma: KmaWeather
) -> None:
    answers(vendor, HANGS, HANGS, HANGS)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await kma.at(SEOUL)

    answers(vendor, nowcast(), forecast(ULTRA), forecast(DAYS))

    assert (await kma.at(SEOUL)).temperature_c == 24.6
    assert not [task for task in asyncio.all_tasks() if "KmaWeather" in repr(task.get_coro())]


async def test_the_key_reaches_neither_log_nor_error_nor_span(
    vendor: VendorServer, kma: KmaWeather, leaks: Leaks
) -> None:
    answers(vendor, gateway_error("30"), Reply(b"", 500), HANGS)

    with pytest.raises(VendorError) as caught:
        await kma.at(SEOUL)

    assert any("part of the weather" in record.message for record in leaks.caplog.records)
    assert leaks.holding(CANARY, caught.value) == []

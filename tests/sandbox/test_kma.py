from datetime import datetime, timedelta
from itertools import groupby, pairwise

import pytest
from eco2_sandbox.vendors.kma import items
from eco2_sandbox.vendors.kma.climate import Air
from eco2_sandbox.vendors.kma.issues import KST

from tests.sandbox.vendors import KMA, NOW

NOWCAST, ULTRA, VILLAGE = "getUltraSrtNcst", "getUltraSrtFcst", "getVilageFcst"
SEOUL = {"nx": 60, "ny": 127}


@pytest.fixture
def ask(vendors):
    def send(operation, base, **params):
        date, _, time = base.partition(" ")
        asked = {"serviceKey": "key", "dataType": "JSON", "numOfRows": 1000, **SEOUL, **params}
        reply = vendors.get(f"{KMA}/{operation}", {"base_date": date, "base_time": time, **asked})
        return reply.json()["response"]

    return send


def rows(reply):
    return reply["body"]["items"]["item"]


def test_a_nowcast_has_eight_observations_and_none_of_the_sky(ask):
    found = rows(ask(NOWCAST, "20260114 1200"))
    assert [row["category"] for row in found] == ["PTY", "REH", "RN1", "T1H", "UUU", "VEC", "VVV", "WSD"]
    assert set(found[0]) == {"baseDate", "baseTime", "category", "nx", "ny", "obsrValue"}
    assert all(float(row["obsrValue"]) is not None for row in found)


def test_an_ultra_short_forecast_has_six_hours_of_ten_categories(ask):
    found = rows(ask(ULTRA, "20260114 1130"))
    assert len(found) == 60
    assert {row["fcstTime"] for row in found} == {"1200", "1300", "1400", "1500", "1600", "1700"}
    assert {row["category"] for row in found} >= {"T1H", "RN1", "SKY", "LGT", "PTY"}


def test_a_village_forecast_is_long_hourly_near_and_three_hourly_far(ask):
    found = rows(ask(VILLAGE, "20260114 1100"))
    assert 700 <= len(found) <= 1000
    times = [datetime.strptime(key[0] + key[1], "%Y%m%d%H%M") for key, _ in groupby(found, _when)]
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert times[0] == datetime(2026, 1, 14, 12)
    assert steps[0] == timedelta(hours=1)
    assert steps[-1] == timedelta(hours=3)
    assert {row["fcstTime"] for row in found if row["category"] == "TMN"} == {"0600"}
    assert {row["fcstTime"] for row in found if row["category"] == "TMX"} == {"1500"}


def _when(row):
    return row["fcstDate"], row["fcstTime"]


def test_far_days_tell_rain_and_wind_by_class(ask):
    far = [row for row in rows(ask(VILLAGE, "20260114 1100")) if row["fcstDate"] == "20260117"]
    assert {row["fcstValue"] for row in far if row["category"] == "PCP"} <= {"0", "1", "2", "3"}
    assert {row["fcstValue"] for row in far if row["category"] == "WSD"} <= {"1", "2", "3"}


@pytest.mark.parametrize(
    ("operation", "base"),
    [
        (NOWCAST, "20260114 1300"),
        (NOWCAST, "20260114 1230"),
        (NOWCAST, "20260112 1200"),
        (ULTRA, "20260114 1230"),
        (ULTRA, "20260114 1200"),
        (VILLAGE, "20260114 1400"),
        (VILLAGE, "20260114 1200"),
        (VILLAGE, "20260112 1100"),
    ],
)
def test_what_was_not_issued_or_is_no_longer_kept_is_no_data(ask, operation, base):
    assert ask(operation, base)["header"] == {"resultCode": "03", "resultMsg": "NODATA_ERROR"}


def test_the_clock_is_korea_s(ask):
    assert NOW.hour == 3
    assert ask(NOWCAST, "20260114 1200")["header"]["resultCode"] == "00"
    assert ask(NOWCAST, "20260114 0300")["header"]["resultCode"] == "00"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"nx": 0}, "10"),
        ({"nx": 150}, "10"),
        ({"ny": 254}, "10"),
        ({"ny": "x"}, "10"),
        ({"nx": ""}, "11"),
        ({"base_date": "2026-01-14"}, "10"),
        ({"base_time": ""}, "11"),
    ],
)
def test_parameters_are_checked(ask, wrong, code):
    assert ask(NOWCAST, "20260114 1200", **wrong)["header"]["resultCode"] == code


def test_the_same_hour_has_the_same_weather_in_every_forecast(ask):
    hour = {"fcstDate": "20260114", "fcstTime": "1200"}
    told = {
        operation: next(
            row["fcstValue"]
            for row in rows(ask(operation, base))
            if row["category"] == category and hour.items() <= row.items()
        )
        for operation, base, category in ((ULTRA, "20260114 1130", "T1H"), (VILLAGE, "20260114 1100", "TMP"))
    }
    seen = {row["category"]: row["obsrValue"] for row in rows(ask(NOWCAST, "20260114 1200"))}
    assert told[ULTRA] == told[VILLAGE] == f"{float(seen['T1H']):.0f}"


def test_places_differ_and_the_same_place_does_not(ask):
    seoul, again = ask(NOWCAST, "20260114 1200"), ask(NOWCAST, "20260114 1200")
    assert seoul == again
    assert rows(ask(NOWCAST, "20260114 1200", nx=98, ny=76)) != rows(seoul)


def test_at_sea_a_number_stands_for_missing(ask):
    seen = {row["category"]: row["obsrValue"] for row in rows(ask(NOWCAST, "20260114 1200", nx=5))}
    assert float(seen["T1H"]) < -900


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "강수없음"),
        (0.5, "1mm 미만"),
        (1, "1.0mm"),
        (29.9, "29.9mm"),
        (31, "30.0~50.0mm"),
        (60, "50.0mm 이상"),
    ],
)
def test_rain_is_told_in_the_vendor_s_words(amount, text):
    assert items.rain_text(amount) == text


def test_a_year_has_every_kind_of_precipitation_in_its_season():
    seen, forecast = set(), set()
    for day in range(365):
        at = datetime(2026, 1, 1, tzinfo=KST) + timedelta(days=day)
        for hour in range(0, 24, 3):
            base = at.replace(hour=hour)
            found = {row["category"]: row["obsrValue"] for row in items.nowcast(base, 60, 127)}
            seen.add(found["PTY"])
            if found["PTY"] in "367":
                assert float(found["T1H"]) < 2
    for day in range(0, 365, 3):
        base = datetime(2026, 1, 1, 2, tzinfo=KST) + timedelta(days=day)
        forecast |= {
            row["fcstValue"] for row in items.village_forecast(base, 60, 127) if row["category"] == "PTY"
        }
    assert seen >= {"0", "1", "3", "5"}
    assert seen <= set("0123567")
    assert forecast <= set("01234")


def test_wind_has_its_parts():
    air = Air(20, 50, 0, 1, wind_to_deg=90, wind_m_s=3)
    assert (air.east_m_s, air.north_m_s) == (3.0, 0.0)

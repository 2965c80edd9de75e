"""The price survey: its month, its shapes, its slowness, and the snapshot in its stead."""

import asyncio
import csv
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

import pytest
from chat_worker.adapters.keco_prices import KecoPrices
from chat_worker.adapters.keco_prices_names import ItemName, asked_names, region_of
from chat_worker.adapters.keco_prices_snapshot import snapshot
from chat_worker.adapters.vendor_http import HttpLimits
from chat_worker.errors import AuthError, NoData, QuotaExceeded, SchemaDrift, Transient, VendorError
from chat_worker.ports.prices import RecyclablePrice
from pydantic import SecretStr

from tests.worker.world import until
from tests.worker_vendors.conftest import CANARY, QUICK, Leaks, Traces
from tests.worker_vendors.vendor_server import HANGS, Reply, VendorServer, gateway_error, json_reply

PATH = "/getlist"
JULY_20 = datetime(2026, 7, 20, 3, tzinfo=UTC)
MakePrices = Callable[..., KecoPrices]


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self, now: datetime = JULY_20) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def price(
    item: str = "골판지", won: Any = "91.8", month: str = "202607", region: str = "전국"
) -> dict[str, Any]:
    return {"exmnYmd": month, "stdgNm": region, "itemNm": item, "mrktPrc": won}


def survey(items: Any, total: int | str = 1) -> Reply:
    body = {"items": items, "totalCount": total, "numOfRows": 100, "pageNo": 1}
    return json_reply(
        {"response": {"header": {"resultCode": "00", "resultMsg": "NORMAL SERVICE."}, "body": body}}
    )


def refreshes() -> list[asyncio.Task[None]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "prices 전국"]


def no_data() -> Reply:
    return json_reply({"response": {"header": {"resultCode": "03", "resultMsg": "NODATA_ERROR"}}})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def make_prices(
    vendor: VendorServer, traces: Traces, key: SecretStr, clock: Clock
) -> AsyncIterator[MakePrices]:
    made: list[KecoPrices] = []

    def make(key: SecretStr = key, limits: HttpLimits = QUICK, patience_s: float = 2) -> KecoPrices:
        options = {"base_url": vendor.base_url, "limits": limits, "patience_s": patience_s, "clock": clock}
        made.append(KecoPrices(key, traces.tracer, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for prices in made:
        await prices.close()


@pytest.mark.parametrize(
    "items",
    [[price()], {"item": [price()]}, [{"item": price()}], {"item": price()}],
    ids=["list", "item list", "list of items", "single item"],
)
async def test_each_shape_of_items_is_read(
    vendor: VendorServer, make_prices: MakePrices, items: object
) -> None:
    vendor.answer(PATH, survey(items))

    assert await make_prices().prices("골판지") == [RecyclablePrice("골판지", "전국", 91.8, "2026-07")]

    query = vendor.queries(PATH)[0]
    assert (query["exmnYmd"], query["stdgNm"], query["returnType"]) == ("202607", "전국", "JSON")


@pytest.mark.parametrize(
    ("now", "month"),
    [
        (datetime(2026, 7, 15, 14, 59, tzinfo=UTC), "202606"),
        (datetime(2026, 7, 15, 15, 0, tzinfo=UTC), "202607"),
        (datetime(2026, 1, 10, 0, 0, tzinfo=UTC), "202512"),
        (datetime(2026, 3, 31, 0, 0, tzinfo=UTC), "202603"),
    ],
    ids=["23:59 KST on the 15th", "0:00 KST on the 16th", "January", "the 31st"],
)
async def test_the_current_month_is_asked_for_only_after_the_15th_in_korea(
    vendor: VendorServer, make_prices: MakePrices, clock: Clock, now: datetime, month: str
) -> None:
    clock.now = now
    vendor.answer(PATH, survey([price(month=month)]))

    (found,) = await make_prices().prices("골판지")

    assert vendor.queries(PATH)[0]["exmnYmd"] == month
    assert found.month == f"{month[:4]}-{month[4:]}"


async def test_a_month_without_data_is_stepped_back_from_once(
    vendor: VendorServer, make_prices: MakePrices
) -> None:
    vendor.answer(PATH, no_data(), survey([price(month="202606")]))

    (found,) = await make_prices().prices("골판지")

    assert [query["exmnYmd"] for query in vendor.queries(PATH)] == ["202607", "202606"]
    assert (found.month, found.is_snapshot) == ("2026-06", False)


@pytest.mark.parametrize(
    ("won", "read"), [("1,234.5", 1234.5), (" 91.8 ", 91.8), (80, 80.0), ("1,000,000", 1e6)]
)
async def test_a_price_may_have_commas(
    vendor: VendorServer, make_prices: MakePrices, won: object, read: float
) -> None:
    vendor.answer(PATH, survey([price(won=won)]))

    (found,) = await make_prices().prices("골판지")

    assert found.won_per_kg == read


async def test_an_item_without_a_price_is_left_out(vendor: VendorServer, make_prices: MakePrices) -> None:
    rows = [price("신문지", "-"), price("신문지", None), price("신문지", ""), price("신문지 A", "100")]
    vendor.answer(PATH, survey(rows, "4"))

    assert [found.item for found in await make_prices().prices("신문지")] == ["신문지 A"]


@pytest.mark.parametrize(
    "rows",
    [
        [price(won="about 90")],
        [price(won="nan")],
        [{"month": "202607", "price": 1}],
        [price(region="수도권")],
        [price(month="202501")],
        [price(month="recently")],
    ],
)
async def test_rows_of_another_shape_or_not_what_was_asked_for_never_become_prices(
    vendor: VendorServer, make_prices: MakePrices, rows: list[dict[str, Any]]
) -> None:
    vendor.answer(PATH, survey(rows))

    with pytest.raises(SchemaDrift):
        await make_prices().prices("신문지")


@pytest.mark.parametrize(
    ("asked", "name", "fits"),
    [
        ("압축 PET", "압축 (PET)", True),
        ("압축PET", "압축-PET(잡색)", True),
        ("페트병", "압축-PET(잡색)", True),
        ("PET병", "플레이크 PET무색", True),
        ("무색 페트", "플레이크 PET무색", True),
        ("무색 페트", "플레이크 PET유색", False),
        ("PE", "압축 PET", False),
        ("PE", "펠렛 PE", True),
        ("플라스틱", "플레이크 PP", True),
        ("골판지 가격", "골판지", True),
        ("택배 상자", "골판지", True),
        ("cardboard boxes", "골판지", True),
        ("신문", "신문지", True),
        ("newspapers", "신문지", True),
        ("폐지", "신문지", True),
        ("종이팩", "골판지", False),
        ("캔", "알루미늄캔", True),
        ("aluminum cans", "알루미늄캔", True),
        ("고철", "철스크랩", True),
        ("스티로폼 박스", "EPS 잉고트", True),
        ("스티로폼 박스", "골판지", False),
        ("유리병", "유리병", True),
        ("가격", "골판지", False),
        ("", "골판지", False),
    ],
)
def test_peoples_words_fit_the_surveys_names(asked: str, name: str, fits: bool) -> None:
    assert any(ItemName.of(name).fits(one) for one in asked_names(asked)) is fits


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("수도권", "수도권"),
        ("서울특별시 강남구", "수도권"),
        ("경기", "수도권"),
        ("전라북도", "전북"),
        ("강원특별자치도 춘천시", "강원"),
        ("충남", "충남"),
        ("제주", "전국"),
        ("어딘가", "전국"),
        ("", "전국"),
    ],
)
async def test_a_province_belongs_to_a_region_and_else_the_nation_answers(
    vendor: VendorServer, make_prices: MakePrices, text: str, region: str
) -> None:
    vendor.answer(PATH, survey([price(region=region)]))

    (found,) = await make_prices().prices("골판지", text)

    assert found.region == region == region_of(text)
    assert vendor.queries(PATH)[0]["stdgNm"] == region


async def test_prices_are_fetched_once_and_served_from_memory(
    vendor: VendorServer, make_prices: MakePrices, clock: Clock
) -> None:
    vendor.answer(PATH, survey([price()]))
    prices = make_prices()

    await asyncio.gather(*(prices.prices("골판지") for _ in range(5)))
    clock.now += timedelta(hours=11)
    await prices.prices("골판지")

    assert len(vendor.asked) == 1


async def test_old_prices_are_served_while_new_ones_are_fetched(
    vendor: VendorServer, make_prices: MakePrices, clock: Clock
) -> None:
    vendor.answer(PATH, survey([price()]))
    prices = make_prices()
    await prices.prices("골판지")
    vendor.answer(PATH, survey([price(won="95")]))
    clock.now += timedelta(hours=13)

    (old,) = await prices.prices("골판지")

    assert old.won_per_kg == 91.8
    await until(lambda: len(vendor.asked) == 2 and not refreshes())
    (new,) = await prices.prices("골판지")
    assert new.won_per_kg == 95


async def test_prices_once_known_outlive_the_vendor(
    vendor: VendorServer, make_prices: MakePrices, clock: Clock
) -> None:
    vendor.answer(PATH, survey([price("신문지")]))
    prices = make_prices()
    await prices.prices("신문지")
    vendor.answer(PATH, gateway_error("22"))
    clock.now += timedelta(days=1)

    (found,) = await prices.prices("신문지")

    assert (found.month, found.is_snapshot) == ("2026-07", False)


async def test_warming_up_fetches_before_anybody_asks(vendor: VendorServer, make_prices: MakePrices) -> None:
    vendor.answer(PATH, survey([price()]))
    prices = make_prices()

    prices.warm()

    await until(lambda: vendor.asked)
    assert not (await prices.prices("골판지"))[0].is_snapshot
    assert len(vendor.asked) == 1


async def test_nobody_waits_for_a_slow_vendor(vendor: VendorServer, make_prices: MakePrices) -> None:
    vendor.answer(PATH, HANGS)
    prices = make_prices(limits=HttpLimits(read_s=60, budget_s=60), patience_s=0.1)
    began = asyncio.get_running_loop().time()

    (found,) = await prices.prices("골판지")
    with pytest.raises(Transient, match="still being fetched"):
        await prices.prices("신문지")

    assert found.is_snapshot
    assert asyncio.get_running_loop().time() - began < 1
    assert len(vendor.asked) == 1


async def test_a_question_that_is_cancelled_leaves_the_refresh_running(
    vendor: VendorServer, make_prices: MakePrices
) -> None:
    vendor.answer(PATH, HANGS)
    prices = make_prices(limits=HttpLimits(read_s=60, budget_s=60), patience_s=60)
    asking = asyncio.create_task(prices.prices("골판지"))
    await until(lambda: vendor.asked)

    asking.cancel()
    await asyncio.wait({asking})

    (refresh,) = refreshes()
    await prices.close()
    assert refresh.cancelled()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (gateway_error("22"), QuotaExceeded),
        (gateway_error("31"), AuthError),
        (Reply(b"", 503), Transient),
        (HANGS, Transient),
        (no_data(), NoData),
    ],
)
async def test_when_the_vendor_is_down_the_snapshot_answers_and_says_so(
    vendor: VendorServer, make_prices: MakePrices, reply: Reply, error: type[VendorError]
) -> None:
    vendor.answer(PATH, reply)
    prices = make_prices()

    assert await prices.prices("골판지", "서울") == [
        RecyclablePrice("골판지", "수도권", 91.8, "2026-06", is_snapshot=True)
    ]
    with pytest.raises(error):
        await prices.prices("신문지", "서울")


async def test_a_region_that_the_snapshot_lacks_gets_the_nations_price(
    make_prices: MakePrices,
) -> None:
    (found,) = await make_prices(SecretStr("")).prices("골판지", "강원")

    assert (found.region, found.won_per_kg, found.is_snapshot) == ("전국", 81.5, True)


async def test_without_a_key_the_snapshot_answers_and_what_it_lacks_is_said_to_need_one(
    vendor: VendorServer, make_prices: MakePrices
) -> None:
    prices = make_prices(SecretStr(""))

    assert (await prices.prices("종이 박스"))[0].is_snapshot
    with pytest.raises(AuthError):
        await prices.prices("신문지")
    assert vendor.asked == []


async def test_a_vendor_that_failed_is_left_alone_for_a_while(
    vendor: VendorServer, make_prices: MakePrices, clock: Clock
) -> None:
    vendor.answer(PATH, Reply(b"", 404))
    prices = make_prices()
    await prices.prices("골판지")
    await prices.prices("골판지")
    assert len(vendor.asked) == 1
    vendor.answer(PATH, survey([price()]))
    clock.now += timedelta(minutes=11)

    (found,) = await prices.prices("골판지")

    assert not found.is_snapshot


async def test_an_item_that_is_not_surveyed_is_no_data(vendor: VendorServer, make_prices: MakePrices) -> None:
    vendor.answer(PATH, survey([price()]))

    with pytest.raises(NoData):
        await make_prices().prices("금괴")


async def test_a_refresh_is_no_part_of_the_question_that_began_it(
    vendor: VendorServer, make_prices: MakePrices, traces: Traces
) -> None:
    vendor.answer(PATH, survey([price()]))

    with traces.tracer.start_as_current_span("question"):
        await make_prices().prices("골판지")

    (get,) = [span for span in traces.spans if span.name == "GET"]
    assert get.parent is None


@pytest.mark.parametrize("reply", [gateway_error("30"), Reply(b"oops", 500), HANGS])
async def test_the_key_stays_inside(
    vendor: VendorServer, make_prices: MakePrices, leaks: Leaks, reply: Reply
) -> None:
    vendor.answer(PATH, reply)

    with pytest.raises(VendorError) as caught:
        await make_prices().prices("신문지")

    assert leaks.traces.spans
    assert leaks.holding(CANARY, caught.value) == []


def test_the_snapshot_names_its_month_and_source_and_says_what_it_is() -> None:
    text = resources.files("chat_worker.adapters").joinpath("data/keco_prices_2026-06.csv").read_text("utf-8")
    words = [line for line in text.splitlines() if line.startswith("#")]
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))

    assert all(said in " ".join(words) for said in ("Survey data", "sample", "15156640", "[1SRC]"))
    assert len(rows) == len(snapshot()) == 2
    assert all(found.is_snapshot and found.month == "2026-06" for found in snapshot())

"""The outside services as they are told to answer: what is asked of them is noted, and they can fail."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from chat_worker.domain import Intent, Language, Sighting, SubQuestion, TokenUsage, Turn
from chat_worker.errors import NoData
from chat_worker.ports import Tools
from chat_worker.ports.characters import Character
from chat_worker.ports.collection import Collected, CollectionPoint
from chat_worker.ports.disposal import BulkyFee, DisposalRules, PutOut
from chat_worker.ports.images import MadeImage
from chat_worker.ports.places import District, Place, PlaceCategory
from chat_worker.ports.prices import RecyclablePrice
from chat_worker.ports.weather import WeatherReport
from chat_worker.ports.web_search import SearchResult
from eco2_bus.job import Location

from tests.worker.fakes import MODEL, FakeGuide, FakeModel

GANGNAM = District("서울특별시", "강남구", "역삼동")
STATION = Location(latitude=37.4979, longitude=127.0276)
HOME = Location(latitude=37.5, longitude=127.1)
PNG = b"\x89PNG\r\n\x1a\n" + b"the bytes of a picture" * 40

T = TypeVar("T")


def turn(
    question: str = "어떻게 버려?",
    *,
    language: Language = "ko",
    location: Location | None = None,
    confidence: float = 0.9,
    **entities: str,
) -> Turn:
    """A branch's task, as an agent sees it."""
    asked = SubQuestion(
        intent=Intent.WASTE, confidence=confidence, question=question, language=language, **entities
    )
    return Turn(asked, location, owner="someone", session_id="s1")


def tools(**vendors: Any) -> Tools:
    """The tools of an agent: a model, a guide, and these."""
    return Tools(FakeModel(), vendors.pop("guide", None) or FakeGuide(), **vendors)


def _given(replies: list[T] | T, fails: Exception | None) -> Any:
    if fails is not None:
        raise fails
    return replies


@dataclass(frozen=True)
class FakePlaces:
    """A map of one district, with the points that it knows by name."""

    points: dict[str, Location] = field(default_factory=lambda: {"강남구": STATION})
    places: tuple[Place, ...] = ()
    district: District = GANGNAM
    fails: Exception | None = None
    asked: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])

    async def search(
        self, query: str, near: Location | None = None, *, radius_m: int = 5_000, limit: int = 5
    ) -> list[Place]:
        self.asked.append(("search", query, near))
        return _given([*self.places], self.fails)

    async def nearby(
        self, category: PlaceCategory, near: Location, *, radius_m: int = 5_000, limit: int = 5
    ) -> list[Place]:
        self.asked.append(("nearby", category, near))
        return _given([*self.places], self.fails)

    async def district_at(self, location: Location) -> District:
        self.asked.append(("district_at", location))
        return _given(self.district, self.fails)

    async def locate(self, name: str) -> Location:
        self.asked.append(("locate", name))
        if self.fails is None and name not in self.points:
            raise NoData(name)
        return _given(self.points.get(name), self.fails)


@dataclass(frozen=True)
class FakeWeather:
    """The same weather everywhere."""

    report: WeatherReport = field(default_factory=lambda: report())
    fails: Exception | None = None
    asked: list[Location] = field(default_factory=list[Location])

    async def at(self, location: Location) -> WeatherReport:
        self.asked.append(location)
        return _given(self.report, self.fails)


def report(**changed: Any) -> WeatherReport:
    """A mild, dry day."""
    mild: dict[str, Any] = {
        "observed_at": datetime(2026, 11, 25, 14, 0),
        "temperature_c": 12.5,
        "humidity_pct": 40,
        "precipitation": None,
        "rain_mm": 0,
        "hours": (),
    }
    return WeatherReport(**{**mild, **changed})


@dataclass(frozen=True)
class FakeHouseholdWaste:
    """The rules of one municipality."""

    zones: tuple[DisposalRules, ...]
    fails: Exception | None = None
    asked: list[District] = field(default_factory=list[District])

    async def rules(self, district: District) -> list[DisposalRules]:
        self.asked.append(district)
        return _given([*self.zones], self.fails)


def rules(area: str = "역삼동, 삼성동", **changed: Any) -> DisposalRules:
    """A zone's rules."""
    usual: dict[str, Any] = {
        "district": GANGNAM,
        "zone": "1권역",
        "area": area,
        "place": "집 앞",
        "general": PutOut("월·수·금", "20:00", "24:00"),
        "food": PutOut("매일"),
        "recycling": PutOut("화", "20:00", "24:00"),
        "bulky": PutOut(how="스티커를 붙여 내놓아요"),
        "no_collection": "토",
        "department": "청소행정과",
        "phone": "02-123-4567",
        "revised": "2026-01-02",
    }
    return DisposalRules(**{**usual, **changed})


@dataclass(frozen=True)
class FakeBulkyFees:
    """What one municipality charges."""

    known: tuple[BulkyFee, ...] = ()
    fails: Exception | None = None
    asked: list[tuple[District, str]] = field(default_factory=list[tuple[District, str]])

    async def fees(self, district: District, item: str) -> list[BulkyFee]:
        self.asked.append((district, item))
        return _given([*self.known], self.fails)


def fee(lowest: int = 5_000, highest: int | None = None, item: str = "의자", **changed: Any) -> BulkyFee:
    """A fee, or a range of fees."""
    usual: dict[str, Any] = {
        "item": item,
        "category": "가구",
        "lowest_won": lowest,
        "highest_won": lowest if highest is None else highest,
        "sizes": (),
        "district": GANGNAM,
        "institution": "강남구청",
        "revised": "2026-01-02",
    }
    return BulkyFee(**{**usual, **changed})


@dataclass(frozen=True)
class FakeCollectionPoints:
    """The registered points of one district."""

    points: tuple[CollectionPoint, ...] = ()
    fails: Exception | None = None
    asked: list[tuple[Collected, District, Location | None]] = field(
        default_factory=list[tuple[Collected, District, Location | None]]
    )

    async def near(
        self, takes: Collected, district: District, location: Location | None = None, *, limit: int = 5
    ) -> list[CollectionPoint]:
        self.asked.append((takes, district, location))
        return _given([*self.points], self.fails)


@dataclass(frozen=True)
class FakePrices:
    """The survey."""

    known: tuple[RecyclablePrice, ...] = ()
    fails: Exception | None = None
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    async def prices(self, item: str, region: str = "전국") -> list[RecyclablePrice]:
        self.asked.append((item, region))
        return _given([*self.known], self.fails)


@dataclass(frozen=True)
class FakeWebSearch:
    """The web."""

    results: tuple[SearchResult, ...] = ()
    fails: Exception | None = None
    asked: list[tuple[str, Language]] = field(default_factory=list[tuple[str, Language]])

    async def search(self, query: str, language: Language = "ko", *, limit: int = 5) -> list[SearchResult]:
        self.asked.append((query, language))
        return _given([*self.results], self.fails)


PET = Character("페티", "플라스틱", "밝아요", "비워 줘!", "라벨을 떼요", "Petty", "Empty me!", "Peel it")
CANNY = Character("캔디", "캔", "단단해요", "눌러 줘!", "헹궈요")


@dataclass(frozen=True)
class FakeCharacters:
    """The catalogue."""

    everybody: tuple[Character, ...] = (PET, CANNY)
    fails: Exception | None = None
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    async def match(self, material: str) -> Character:
        return self._one("match", material, {one.material: one for one in self.everybody})

    async def named(self, name: str) -> Character:
        return self._one("named", name, {one.name: one for one in self.everybody})

    async def all(self) -> list[Character]:
        self.asked.append(("all", ""))
        return _given([*self.everybody], self.fails)

    def _one(self, how: str, word: str, known: dict[str, Character]) -> Character:
        self.asked.append((how, word))
        if self.fails is None and word not in known:
            raise NoData(word)
        return _given(known.get(word), self.fails)


@dataclass(frozen=True)
class FakeImages:
    """Draws the same picture for every wish."""

    made: MadeImage = field(default_factory=lambda: MadeImage("image/png", PNG, "초록 고양이"))
    fails: Exception | None = None
    asked: list[str] = field(default_factory=list[str])

    async def make(self, wish: str) -> MadeImage:
        self.asked.append(wish)
        return _given(self.made, self.fails)


@dataclass(frozen=True)
class FakeVision:
    """Sees the same thing in every picture."""

    sighting: Sighting = field(
        default_factory=lambda: Sighting(item="우유팩", material="종이", confidence=0.9)
    )
    fails: Exception | None = None
    looked_at: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    async def look(self, image_url: str, question: str) -> tuple[Sighting, TokenUsage]:
        self.looked_at.append((image_url, question))
        usage = TokenUsage(input_tokens=900, output_tokens=20, model=MODEL)
        return _given(self.sighting, self.fails), usage

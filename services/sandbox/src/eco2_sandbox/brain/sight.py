"""Says what a picture shows, without eyes: by the words in its file or its address, else by its colour.

A stand-in for a model that sees. The same picture is always the same thing, and a test chooses what a
picture "shows" by a text chunk, by the name in its address, or by painting it in one colour.
"""

import binascii
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from eco2_sandbox.brain.words import any_of, listed
from eco2_sandbox.drawing.png import Colour
from eco2_sandbox.drawing.read import colour_in, words_in

_BY_WORDS, _BY_COLOUR, _UNSEEN = 0.9, 0.5, 0.1


@dataclass(frozen=True)
class Thing:
    """A thing that a picture may show, its material, and the words that give it away."""

    item: str
    material: str
    words: str


PET = Thing("페트병", "플라스틱", "페트병, pet bottle, plastic bottle, bottle")
GLASS = Thing("유리병", "유리", "유리병, 유리, glass, glass bottle, jar")
CAN = Thing("캔", "금속", "캔, can, cans, tin")
BOX = Thing("골판지 상자", "종이", "상자, 박스, 골판지, cardboard, box")
FOAM = Thing("스티로폼", "스티로폼", "스티로폼, styrofoam, foam")
# The first that fits: the particular before the common.
THINGS = (
    GLASS,
    Thing("소파", "가구", "소파, sofa, couch"),
    Thing("건전지", "금속", "건전지, 배터리, battery, batteries"),
    Thing("우유팩", "종이", "우유팩, 종이팩, carton, milk carton"),
    Thing("종이컵", "종이", "종이컵, paper cup, cup"),
    Thing("비닐봉지", "비닐", "비닐, 봉지, plastic bag, bag"),
    Thing("형광등", "유리", "형광등, lamp, fluorescent"),
    Thing("옷", "의류", "옷, 의류, clothes, shirt, jeans"),
    Thing("신문지", "종이", "신문지, 신문, newspaper, paper"),
    FOAM,
    BOX,
    PET,
    CAN,
)
_WORDS = tuple((thing, any_of(listed(thing.words))) for thing in THINGS)


@dataclass(frozen=True)
class Sight:
    """What was seen; nothing is None."""

    item: str | None
    material: str | None
    confidence: float


def look(image_url: str) -> Sight:
    """Return what the picture of an address or a data URL shows, in Korean; nothing outside is fetched."""
    data = _data_of(image_url)
    words = unquote(urlsplit(image_url).path) if data is None else words_in(data)
    named = _named(words)
    if named is not None:
        return Sight(named.item, named.material, _BY_WORDS)
    colour = None if data is None else colour_in(data)
    painted = None if colour is None else _painted(colour)
    if painted is None:
        return Sight(None, None, _UNSEEN)
    return Sight(painted.item, painted.material, _BY_COLOUR)


def _data_of(image_url: str) -> bytes | None:
    if not image_url.startswith("data:"):
        return None
    try:
        return binascii.a2b_base64(image_url.partition(",")[2])
    except binascii.Error:
        return b""


def _named(words: str) -> Thing | None:
    plain = words.replace("-", " ").replace("_", " ").replace("/", " ").replace(".", " ")
    return next((thing for thing, pattern in _WORDS if pattern.search(plain)), None)


def _painted(colour: Colour) -> Thing | None:
    red, green, blue = colour
    spread = max(colour) - min(colour)
    if spread < 24:
        return FOAM if min(colour) > 224 else CAN if min(colour) > 64 else None
    if max(colour) == green:
        return GLASS
    if max(colour) == blue:
        return PET
    return BOX if blue < green < red < 224 else None

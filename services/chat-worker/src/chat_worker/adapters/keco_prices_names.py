"""What the price survey calls things and regions, and what people call them."""

import re
from dataclasses import dataclass

from chat_worker.adapters.korean_districts import official_names

NATION = "전국"
REGIONS = ("수도권", "강원", "충북", "충남", "전북", "전남", "경북", "경남", NATION)
_REGION_OF_PROVINCE = {
    "서울특별시": "수도권",
    "인천광역시": "수도권",
    "경기도": "수도권",
    "강원특별자치도": "강원",
    "충청북도": "충북",
    "충청남도": "충남",
    "전북특별자치도": "전북",
    "전라남도": "전남",
    "경상북도": "경북",
    "경상남도": "경남",
}
# People's words, and the survey's.
_KOREAN = {
    "스티로폼": ("EPS",),
    "종이팩": ("종이팩",),
    "종이컵": ("종이컵",),
    "페트": ("PET",),
    "플라스틱": ("PET", "PE", "PP", "PVC"),
    "박스": ("골판지",),
    "상자": ("골판지",),
    "폐지": ("골판지", "신문지"),
    "종이": ("골판지", "신문지"),
    "고철": ("철스크랩",),
}
_ENGLISH = {
    "cardboard": ("골판지",),
    "box": ("골판지",),
    "newspaper": ("신문지",),
    "paper": ("골판지", "신문지"),
    "plastic": ("PET", "PE", "PP", "PVC"),
    "can": ("캔",),
    "aluminium": ("알루미늄",),
    "aluminum": ("알루미늄",),
    "glass": ("유리병",),
    "steel": ("철스크랩",),
    "iron": ("철스크랩",),
    "styrofoam": ("EPS",),
}
_KINDS = re.compile(r"압축|플레이크|펠렛|무색|유색|잡색|잉고트")
_HANGUL = re.compile(r"[가-힣]+")
_LATIN = re.compile(r"[a-z]+")
_CHATTER = re.compile(r"가격|시세|단가|얼마")


@dataclass(frozen=True, slots=True)
class ItemName:
    """A name without spaces and punctuation: Hangul in a row, and Latin words apart, for PE is not PET."""

    hangul: str
    latin: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "ItemName":
        """Of a name as the survey writes it: "압축 (PET)", "압축-PET(잡색)"."""
        return cls("".join(_HANGUL.findall(text)), frozenset(_LATIN.findall(text.casefold())))

    def fits(self, asked: "ItemName") -> bool:
        """Whether this is what was asked for, or one kind of it."""
        if not asked.hangul and not asked.latin:
            return False
        if asked.hangul in self.hangul:
            return asked.latin <= self.latin
        return len(self.hangul) > 1 and self.hangul in asked.hangul and asked.latin == self.latin


def asked_names(text: str) -> list[ItemName]:
    """What a user's words ask for, in the survey's words; any of them will do."""
    plain = _CHATTER.sub("", re.sub(r"\s+", "", text))
    kinds = "".join(_KINDS.findall(plain))
    for peoples, surveys in _KOREAN.items():
        if peoples in plain:
            return [ItemName.of(f"{kinds} {survey}") for survey in surveys]
    for word in _LATIN.findall(text.casefold()):
        if surveys := _ENGLISH.get(word) or _ENGLISH.get(word.removesuffix("s").removesuffix("e")):
            return [ItemName.of(f"{kinds} {survey}") for survey in surveys]
    asked = ItemName.of(plain)
    # "PET병": the survey knows the material, not the thing.
    return [ItemName(kinds, asked.latin)] if asked.latin else [asked]


def region_of(text: str) -> str:
    """The survey's region for a region or a province; the nation where the survey names no region of it."""
    first = text.split(maxsplit=1)[0] if text.split() else NATION
    official = official_names(text)
    return first if first in REGIONS else _REGION_OF_PROVINCE.get(official[0] if official else "", NATION)

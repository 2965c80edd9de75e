"""Which of a municipality's bulky things somebody means, and what they cost."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, TypeAdapter

from chat_worker.adapters.mois_household_reply import readable_date
from chat_worker.adapters.vendor_text import CleanText, cleaned
from chat_worker.ports.disposal import BulkyFee
from chat_worker.ports.places import District

_FREE = "무료"
_SPELLINGS = (
    ("쇼파", "소파"),
    ("장농", "장롱"),
    ("씽크", "싱크"),
    ("메트리스", "매트리스"),
    ("텔레비젼", "텔레비전"),
    ("tv", "텔레비전"),
)


def _won(value: object) -> int | None:
    found = re.fullmatch(r"(\d{1,9})(?:\.0+)?원?", re.sub(r"[,\s]", "", cleaned(value)))
    return int(found[1]) if found else None


class FeeRow(BaseModel):
    """One fee of one thing; its size is seldom filled in."""

    ctpvNm: CleanText = ""
    sggNm: CleanText = ""
    larWasNm: CleanText
    larWasSeNm: CleanText = ""
    larWasSpcfct: CleanText = ""
    paidFreeYn: CleanText = ""
    fee: Annotated[int | None, BeforeValidator(_won)]
    mngInstNm: CleanText = ""
    crtrYmd: Annotated[str | None, BeforeValidator(readable_date)] = None

    @property
    def won(self) -> int | None:
        """The fee; 0 for what is taken for nothing, None where no fee is told."""
        return 0 if self.fee is None and self.paidFreeYn == _FREE else self.fee


FEE_ROWS = TypeAdapter(list[FeeRow])


class _Likeness(IntEnum):
    SAME = 0
    NAMES_IT = 1
    """침대(2인용) for 침대, and for 2인용 침대."""
    IS_NAMED = 2
    """소파 for 3인용 소파; but also 레인지 for 전자레인지, so this counts only where nothing else does."""


def fees_of(rows: Iterable[FeeRow], item: str) -> list[BulkyFee]:
    """A fee per district and name that may mean the thing, the likeliest first."""
    groups: defaultdict[tuple[_Likeness, str, str, str], list[FeeRow]] = defaultdict(list)
    for row in rows:
        name = _folded(row.larWasNm)
        if row.won is not None and (likeness := _likeness(name, item)) is not None:
            groups[likeness, name, row.ctpvNm, row.sggNm].append(row)
    best = min((key[0] for key in groups), default=_Likeness.SAME)
    return [
        _range(group)
        for key, group in sorted(groups.items(), key=lambda entry: entry[0])
        if key[0] is not _Likeness.IS_NAMED or best is _Likeness.IS_NAMED
    ]


def _likeness(name: str, item: str) -> _Likeness | None:
    wanted = _folded(item)
    if name == wanted:
        return _Likeness.SAME
    # One syllable (농, 상, 문) is a part of too many words.
    if len(wanted) > 1 and all(_folded(word) in name for word in item.split()):
        return _Likeness.NAMES_IT
    if len(name) > 1 and name in wanted:
        return _Likeness.IS_NAMED
    return None


def _folded(name: str) -> str:
    folded = re.sub(r"[\W_]+", "", name.casefold())
    for spelling, usual in _SPELLINGS:
        folded = folded.replace(spelling, usual)
    return folded


def _range(rows: Sequence[FeeRow]) -> BulkyFee:
    """The span of all fees under one name, never one of them."""
    fees = [row.won for row in rows if row.won is not None]
    sized = [f"{row.larWasSpcfct} {row.won:,}원" for row in rows if row.larWasSpcfct and row.won is not None]
    first = rows[0]
    return BulkyFee(
        item=first.larWasNm,
        category=first.larWasSeNm,
        lowest_won=min(fees),
        highest_won=max(fees),
        sizes=tuple(dict.fromkeys(sized)),
        district=District(first.ctpvNm, first.sggNm),
        institution=first.mngInstNm,
        revised=max((row.crtrYmd for row in rows if row.crtrYmd), default=None),
    )

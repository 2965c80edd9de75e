"""What municipalities fill in about household waste, made readable."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, TypeAdapter, model_validator

from chat_worker.adapters.vendor_text import CleanText, cleaned
from chat_worker.ports.disposal import DisposalRules, PutOut
from chat_worker.ports.places import District

_WEEK = "월화수목금토일"
_DAY = rf"([{_WEEK}])(?:요일)?"
_RANGE = re.compile(rf"{_DAY}\s*[~-]\s*{_DAY}")
_SEPARATORS = re.compile(r"[+,/·ㆍ、\s]+")
_CLOCK = re.compile(r"(\d{1,2}):?(\d{2})(?::\d{2})?")
_SPOKEN_CLOCK = re.compile(r"(\d{1,2})\s*시(?:\s*(\d{1,2})\s*분)?")
_RULE_FIELDS = ("_DOW", "_TM", "_MTHD")


def readable_days(text: str) -> str:
    """Days of the week in one spelling ("월, 수, 금"); anything else as it is."""
    if span := _RANGE.fullmatch(text):
        first, last = (_WEEK.index(day) for day in span.groups())
        days = [_WEEK[n % 7] for n in range(first, last + 1 + (7 if last < first else 0))]
    else:
        parts = [re.sub(r"요일$", "", part) for part in _SEPARATORS.split(text) if part]
        days = [day for part in parts for day in part]
        if any(day not in _WEEK for day in days):
            return ", ".join(part.strip() for part in text.split("+"))
    return "매일" if set(days) == set(_WEEK) else ", ".join(dict.fromkeys(days))


def readable_time(text: str) -> str:
    """A time of day as HH:MM; anything else as it is."""
    found = _CLOCK.fullmatch(text) or _SPOKEN_CLOCK.fullmatch(text)
    if not found:
        return text
    hour, minute = int(found[1]), int(found[2] or 0)
    return f"{hour:02}:{minute:02}" if hour <= 24 and minute < 60 else text


def readable_date(value: object) -> str | None:
    """A day as YYYY-MM-DD, or None."""
    found = re.match(r"(\d{4})\D?(\d{2})\D?(\d{2})(?!\d)", cleaned(value))
    return "-".join(found.groups()) if found else None


_Days = Annotated[CleanText, AfterValidator(readable_days)]
_Clock = Annotated[CleanText, AfterValidator(readable_time)]


class HouseholdRow(BaseModel):
    """One zone of a municipality: general (LF), food (FOD), recyclable (RCYCL) and bulky waste."""

    CTPV_NM: CleanText
    SGG_NM: CleanText
    MNG_ZONE_NM: CleanText = ""
    MNG_ZONE_TRGT_RGN_NM: CleanText = ""
    EMSN_PLC_TYPE: CleanText = ""
    EMSN_PLC: CleanText = ""
    UNCLLT_DAY: _Days = ""
    LF_WST_EMSN_DOW: _Days = ""
    LF_WST_EMSN_BGNG_TM: _Clock = ""
    LF_WST_EMSN_END_TM: _Clock = ""
    LF_WST_EMSN_MTHD: CleanText = ""
    FOD_WST_EMSN_DOW: _Days = ""
    FOD_WST_EMSN_BGNG_TM: _Clock = ""
    FOD_WST_EMSN_END_TM: _Clock = ""
    FOD_WST_EMSN_MTHD: CleanText = ""
    RCYCL_EMSN_DOW: _Days = ""
    RCYCL_EMSN_BGNG_TM: _Clock = ""
    RCYCL_EMSN_END_TM: _Clock = ""
    RCYCL_EMSN_MTHD: CleanText = ""
    TMPRY_BULK_WASTE_EMSN_BGNG_TM: _Clock = ""
    TMPRY_BULK_WASTE_EMSN_END_TM: _Clock = ""
    TMPRY_BULK_WASTE_EMSN_MTHD: CleanText = ""
    TMPRY_BULK_WASTE_EMSN_PLC: CleanText = ""
    MNG_DEPT_NM: CleanText = ""
    MNG_DEPT_TELNO: CleanText = ""
    DAT_CRTR_YMD: Annotated[str | None, BeforeValidator(readable_date)] = None

    @model_validator(mode="before")
    @classmethod
    def _holds_rules(cls, row: Any) -> Any:
        if not any(str(name).endswith(_RULE_FIELDS) for name in row):
            raise ValueError("a row without a single rule")
        return row

    @property
    def zone_text(self) -> str:
        """Everything that says where in the municipality these rules hold."""
        return f"{self.MNG_ZONE_NM} {self.MNG_ZONE_TRGT_RGN_NM}"

    def rules(self) -> DisposalRules:
        """The same as the rest of the worker knows it."""
        return DisposalRules(
            district=District(self.CTPV_NM, self.SGG_NM),
            zone=self.MNG_ZONE_NM,
            area=", ".join(part.strip() for part in self.MNG_ZONE_TRGT_RGN_NM.split("+")),
            place=_joined(self.EMSN_PLC_TYPE, self.EMSN_PLC),
            general=self._put_out("LF_WST_EMSN"),
            food=self._put_out("FOD_WST_EMSN"),
            recycling=self._put_out("RCYCL_EMSN"),
            bulky=self._put_out("TMPRY_BULK_WASTE_EMSN"),
            no_collection=self.UNCLLT_DAY,
            department=self.MNG_DEPT_NM,
            phone=self.MNG_DEPT_TELNO,
            revised=self.DAT_CRTR_YMD,
        )

    def _put_out(self, kind: str) -> PutOut:
        figures: dict[str, str] = self.model_dump()
        return PutOut(
            days=figures.get(f"{kind}_DOW", ""),
            begins=figures[f"{kind}_BGNG_TM"],
            ends=figures[f"{kind}_END_TM"],
            how=_joined(figures[f"{kind}_MTHD"], figures.get(f"{kind}_PLC", "")),
        )


HOUSEHOLD_ROWS = TypeAdapter(list[HouseholdRow])


def _joined(what: str, where: str) -> str:
    return f"{what} ({where})" if what and where and what != where else what or where


def in_part(rows: Sequence[HouseholdRow], part: str) -> list[HouseholdRow]:
    """The rows that name a part of the municipality, else all: many municipalities name none."""
    return [row for row in rows if part in row.zone_text] or list(rows)

"""Conditions such as `cond[SGG_NM::LIKE]=강남구`, as MOIS and odcloud take them."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence

from eco2_sandbox.vendors.tables import Row

_FORM = re.compile(r"cond\[(?P<column>[^\[\]]+)::(?P<sign>EQ|LIKE|GT|GTE|LT|LTE)\]")


def _contains(value: str, wanted: str) -> bool:
    return wanted in value


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "EQ": operator.eq,
    "LIKE": _contains,
    "GT": operator.gt,
    "GTE": operator.ge,
    "LT": operator.lt,
    "LTE": operator.le,
}


class BadCondition(ValueError):
    """A condition on an unknown column, or with an unknown sign."""


def matching(rows: Sequence[Row], params: Mapping[str, str]) -> list[Row]:
    """Return the rows that meet all conditions; an empty value is no condition. Raises `BadCondition`."""
    found = list(rows)
    for name, wanted in params.items():
        if not name.startswith("cond[") or not wanted:
            continue
        form = _FORM.fullmatch(name)
        if form is None or (rows and form["column"] not in rows[0]):
            raise BadCondition(name)
        test, column = _TESTS[form["sign"]], form["column"]
        found = [row for row in found if test(row[column], wanted)]
    return found


def equal(rows: Sequence[Row], wanted: Mapping[str, str]) -> list[Row]:
    """Return the rows with exactly these values."""
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

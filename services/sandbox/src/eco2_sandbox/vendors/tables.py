"""The sample rows of the vendors, one file per data set, as people can edit them."""

import csv
from functools import lru_cache
from importlib import resources

Row = dict[str, str]

_FOLDER = resources.files("eco2_sandbox.vendors").joinpath("data")


@lru_cache
def rows(name: str) -> tuple[Row, ...]:
    """Return the rows of `data/{name}.csv`; its first line names the columns."""
    text = _FOLDER.joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))

"""The price survey of one month, as it ships with the product."""

import csv
from functools import cache
from importlib import resources

from chat_worker.ports.prices import RecyclablePrice

FILE = "keco_prices_2026-06.csv"


@cache
def snapshot() -> tuple[RecyclablePrice, ...]:
    """Every price of the file, marked as what it is."""
    text = resources.files("chat_worker.adapters").joinpath("data", FILE).read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return tuple(
        RecyclablePrice(row["item"], row["region"], float(row["won_per_kg"]), row["month"], is_snapshot=True)
        for row in rows
    )

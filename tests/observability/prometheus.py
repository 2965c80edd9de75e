"""Asking Prometheus, and waiting for what it has seen."""

import math
import time
from typing import Any

import httpx

IN_TIME_S = 40.0


class Prometheus:
    """The HTTP API of a running Prometheus."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str, **params: str | float) -> Any:
        with httpx.Client(trust_env=False, timeout=10) as client:
            reply = client.get(f"{self._url}/api/v1/{path}", params=params).json()
        assert reply["status"] == "success", reply
        return reply["data"]

    def values(self, expr: str) -> list[float]:
        """The numbers that an expression comes to now; NaN is none."""
        found = [float(series["value"][1]) for series in self.get("query", query=expr)["result"]]
        return [value for value in found if not math.isnan(value)]

    def until(self, condition: str) -> None:
        """Waits until an expression with a comparison has a result."""
        deadline = time.monotonic() + IN_TIME_S
        while not self.get("query", query=condition)["result"]:
            assert time.monotonic() < deadline, f"waited {IN_TIME_S:g} s in vain for {condition}"
            time.sleep(0.1)

    def rest_for_scrapes(self, times: int) -> None:
        """Waits until each target has been scraped so many times more."""
        began = time.time()
        self.until(f"min(count_over_time(up[1h]) and timestamp(up) > {began + times}) > 0")

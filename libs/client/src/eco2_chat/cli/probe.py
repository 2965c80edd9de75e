"""Timed chunks of a server, and when each came in."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from eco2_chat.sse import SseReader

PATH = "/api/v1/probe"
SENT_HEADERS = {"Last-Event-ID": "1-1", "Idempotency-Key": "eco2-doctor"}


@dataclass
class Probe:
    """What one probe saw; times of arrival are seconds since its request, the server's are Unix ms."""

    status: int = 0
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    hello: dict[str, Any] = field(default_factory=dict[str, Any])
    began_ms: float = 0.0
    arrived_ms: list[float] = field(default_factory=list[float])
    """Of each chunk, by our clock."""
    sent_ms: list[float] = field(default_factory=list[float])
    """Of each chunk, by the server's clock."""
    reads: int = 0
    longest_silence_s: float = 0.0
    is_whole: bool = False

    @property
    def delays_ms(self) -> list[float]:
        """How much longer than the quickest each chunk was on its way."""
        ways = [came - went for came, went in zip(self.arrived_ms, self.sent_ms, strict=True)]
        return [way - min(ways) for way in ways]


def run(http: httpx.Client, *, chunks: int, every_ms: int, idle_s: float) -> Probe:
    """Reads a probe to its end, or to the point where somebody cut it."""
    probe, reader = Probe(began_ms=_now_ms()), SseReader()
    params = {"chunks": str(chunks), "every_ms": str(every_ms), "idle_s": f"{idle_s:g}"}
    last = time.monotonic()
    try:
        with http.stream("GET", PATH, params=params, headers=SENT_HEADERS) as response:
            probe.status, probe.headers = response.status_code, response.headers
            if response.status_code != 200:
                return probe
            for chunk in response.iter_bytes():
                probe.longest_silence_s = max(probe.longest_silence_s, time.monotonic() - last)
                last = time.monotonic()
                _take(probe, reader, chunk)
    except (httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout):
        probe.longest_silence_s = max(probe.longest_silence_s, time.monotonic() - last)
    return probe


def _take(probe: Probe, reader: SseReader, chunk: bytes) -> None:
    blocks = reader.feed(chunk)
    probe.reads += 1
    for block in blocks:
        data = json.loads(block.data)
        if block.event == "hello":
            probe.hello = data
        elif block.event == "chunk":
            probe.arrived_ms.append(_now_ms())
            probe.sent_ms.append(data["now_ms"])
        elif block.event == "end":
            probe.is_whole = True


def _now_ms() -> float:
    return time.time() * 1000

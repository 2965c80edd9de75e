"""Finds out what lies between a public address and its server: who holds streams back or cuts them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Self

import httpx

from eco2_chat import calls
from eco2_chat.cli import probe
from eco2_chat.cli.probe import SENT_HEADERS, Probe
from eco2_chat.patience import Patience

CHUNKS, EVERY_MS = 20, 100
HELD_BACK_MS = 300
SKEW_MAX_S = 2.0
IDLE_FACTOR = 1.3
"""So much longer than the server's heartbeat the silence would be without one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and how it is."""

    state: Literal["ok", "note", "bad"]
    subject: str
    detail: str

    @property
    def is_bad(self) -> bool:
        """Somebody should do something about it."""
        return self.state == "bad"

    def __str__(self) -> str:
        return f"{self.state:<4} {self.subject:<12} {self.detail}"


class Doctor:
    """Examines one address; raises httpx.HTTPError when there is nothing to examine."""

    def __init__(self, url: str, *, api_key: str | None = None) -> None:
        options = calls.options(url, api_key, Patience(silence_s=70))
        # As a browser asks, so that whoever likes to compress does.
        options["headers"]["Accept-Encoding"] = "gzip, deflate"
        self._http = httpx.Client(**options)

    def examine(self, *, waits_for_heartbeat: bool = True) -> Iterator[Finding]:
        """One finding after the other; with the heartbeat it takes some 20 s."""
        short = probe.run(self._http, chunks=1, every_ms=10, idle_s=0)
        if short.status == 401:
            yield Finding("bad", "server", "HTTP 401: it wants to know who is calling; set ECO2_API_KEY")
            return
        if short.status != 200:
            yield Finding("bad", "server", f"HTTP {short.status}: no Eco² Chat of this version")
            return
        yield _clock(short)
        timed = probe.run(self._http, chunks=CHUNKS, every_ms=EVERY_MS, idle_s=0)
        yield _buffering(timed)
        yield _compression(timed)
        yield from _headers(timed)
        if waits_for_heartbeat:
            heartbeat_s = float(timed.hello.get("heartbeat_s", 15.0))
            idle = probe.run(self._http, chunks=1, every_ms=10, idle_s=heartbeat_s * IDLE_FACTOR)
            yield _idle(idle, heartbeat_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()


def _clock(short: Probe) -> Finding:
    if not short.arrived_ms:
        return Finding("bad", "clock", "the stream brought nothing to measure it by")
    # The server's time lies between our asking and our hearing of it.
    took_s = (short.arrived_ms[0] - short.began_ms) / 1000
    skew_s = (short.sent_ms[0] - short.began_ms) / 1000 - took_s / 2
    detail = f"the server's is {skew_s:+.2f} s off ours, give or take {took_s / 2:.2f} s"
    return Finding("bad" if abs(skew_s) > SKEW_MAX_S + took_s / 2 else "ok", "clock", detail)


def _buffering(timed: Probe) -> Finding:
    if len(timed.arrived_ms) < CHUNKS:
        detail = f"only {len(timed.arrived_ms)} of {CHUNKS} chunks came before the stream was cut"
        return Finding("bad", "buffering", detail)
    late = sum(delay > HELD_BACK_MS for delay in timed.delays_ms)
    worst_s = max(timed.delays_ms) / 1000
    detail = f"{CHUNKS} chunks in {timed.reads} reads, the latest {worst_s:.2f} s behind the quickest"
    if late > CHUNKS // 4:
        return Finding("bad", "buffering", f"{detail}: switch response buffering off for text/event-stream")
    return Finding("ok", "buffering", detail)


def _compression(timed: Probe) -> Finding:
    encoding = timed.headers.get("content-encoding", "identity")
    if encoding == "identity":
        return Finding("ok", "compression", "none")
    return Finding("bad", "compression", f"{encoding}: it holds small chunks back; exclude text/event-stream")


def _headers(timed: Probe) -> Iterator[Finding]:
    kind = timed.headers.get("content-type", "none")
    if not kind.startswith("text/event-stream"):
        yield Finding("bad", "headers", f"Content-Type is {kind}, not text/event-stream")
    wanted = {"no-store", "no-transform"}
    given = {part.strip() for part in timed.headers.get("cache-control", "").split(",")}
    if missing := sorted(wanted - given):
        yield Finding("bad", "headers", f"Cache-Control has lost {', '.join(missing)}")
    if "x-accel-buffering" not in timed.headers:
        yield Finding("note", "headers", "X-Accel-Buffering is gone: an nginx has heeded it, or eaten it")
    heard = set(timed.hello.get("heard", ()))
    for name in (*SENT_HEADERS,):
        if name.lower() not in heard:
            yield Finding("bad", "headers", f"{name} did not reach the server")
    if {name.lower() for name in SENT_HEADERS} <= heard and not missing:
        yield Finding("ok", "headers", "those that matter come through in both directions")


def _idle(idle: Probe, heartbeat_s: float) -> Finding:
    silence = f"longest silence {idle.longest_silence_s:.1f} s, heartbeat {heartbeat_s:g} s"
    if not idle.is_whole:
        detail = f"{silence}: the stream was cut while it was quiet; raise the idle timeout"
        return Finding("bad", "idle", detail)
    if idle.longest_silence_s > heartbeat_s * 1.2:
        return Finding("bad", "idle", f"{silence}: heartbeats are held back")
    return Finding("ok", "idle", silence)

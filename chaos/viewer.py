"""Someone who watches one job: goes away in the middle, comes back after the last id, at another API."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from chaos.ledger import Asked, Ledger, View

NETWORK = (aiohttp.ClientError, OSError, TimeoutError)
"""What a client may meet while everything breaks."""
# Longer than two heartbeats of the APIs (5 s): what is silent for so long is dead.
_SILENT_S = 12.0


@dataclass(frozen=True)
class Habits:
    """How a viewer behaves."""

    restless: float = 0.01
    """The chance per event to hang up and come back."""
    sip_s: float = 0.0
    """A pause before every read, which makes a viewer slow."""
    sips_until: float = 0.0
    """When it stops being slow, in monotonic seconds."""


class Viewer:
    """Watches a job through any of `doors` until it has seen the end."""

    def __init__(
        self,
        job: Asked,
        view: View,
        doors: list[str],
        ledger: Ledger,
        chance: random.Random,
        habits: Habits,
    ) -> None:
        self._job = job
        self._view = view
        self._doors = doors
        self._ledger = ledger
        self._chance = chance
        self._habits = habits

    async def watch(self, http: aiohttp.ClientSession) -> None:
        """Return once the end has been seen; the owner of the task sets a limit."""
        while not self._view.has_ended:
            try:
                await self._read_on(http)
            except NETWORK as error:
                self._ledger.count(f"events {type(error).__name__}")
            await asyncio.sleep(self._chance.uniform(0.02, 0.4))

    async def _read_on(self, http: aiohttp.ClientSession) -> None:
        url = f"{self._chance.choice(self._doors)}/api/v1/chat/{self._job.job_id}/events"
        headers = {"Last-Event-ID": self._view.last_id} if self._view.last_id else {}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=3, sock_read=_SILENT_S)
        async with http.get(url, headers=headers, timeout=timeout) as reply:
            self._ledger.count(f"events {reply.status}")
            if reply.status == 410:
                self._view.is_expired = True
            if reply.status != 200:
                await asyncio.sleep(0.3)
                return
            async for event_id, event, data in _events(self._sips(reply)):
                self._view.see(event_id, event, data)
                if self._view.end:
                    self._job.ended_at = self._job.ended_at or time.monotonic()
                    # Whatever comes behind the end is taken down as well.
                    continue
                if self._chance.random() < self._habits.restless:
                    return

    async def _sips(self, reply: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        while data := await reply.content.readany():
            yield data
            if self._habits.sip_s and time.monotonic() < self._habits.sips_until:
                await asyncio.sleep(self._habits.sip_s)


async def _events(pieces: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, str, Any]]:
    """Whole events only, as a browser does it: one that breaks off was not seen."""
    rest = b""
    async for piece in pieces:
        *blocks, rest = (rest + piece).split(b"\n\n")
        for block in blocks:
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if b"data" in fields:
                event_id, event = fields.get(b"id", b"").decode(), fields.get(b"event", b"").decode()
                yield event_id, event, orjson.loads(fields[b"data"])

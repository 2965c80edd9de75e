"""Someone who watches one job's events, goes away in the middle and comes back."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

TERMINAL = ("done", "error", "cancelled")


def _order(event_id: str) -> tuple[int, int]:
    attempt, seq = event_id.split("-")
    return int(attempt), int(seq)


@dataclass
class Viewer:
    """One viewer; `restless` is the chance per event to hang up and resume from the last id."""

    client: httpx.AsyncClient
    url: str
    chance: random.Random
    restless: float = 0.05
    events: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])
    connections: int = 0
    gaps: int = 0

    async def watch(self) -> None:
        """Returns once the terminal event has been seen."""
        await asyncio.sleep(self.chance.uniform(0, 0.5))
        while not self.has_ended:
            try:
                await self._connect()
            except httpx.HTTPError:
                await asyncio.sleep(self.chance.uniform(0.05, 0.3))

    async def _connect(self) -> None:
        self.connections += 1
        headers = {"Last-Event-ID": self.events[-1][0]} if self.events else {}
        async with self.client.stream("GET", self.url, headers=headers) as response:
            if response.status_code != 200:
                await asyncio.sleep(0.2)
                return
            event_id = name = ""
            async for line in response.aiter_lines():
                if line.startswith("id: "):
                    event_id = line[4:]
                elif line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    self._see(event_id, name, orjson.loads(line[6:]))
                    if self.chance.random() < self.restless:
                        return

    def _see(self, event_id: str, name: str, data: Any) -> None:
        if name == "gap":
            self.gaps += 1
            self.events.clear()
        else:
            self.events.append((event_id, name, data))

    @property
    def has_ended(self) -> bool:
        return bool(self.events) and self.events[-1][1] in TERMINAL

    @property
    def end(self) -> str:
        return self.events[-1][1] if self.has_ended else ""

    @property
    def ended(self) -> Any:
        """The data of the terminal event."""
        return self.events[-1][2]

    @property
    def text(self) -> str:
        """The answer text after the last reset."""
        text = ""
        for _, name, data in self.events:
            text = "" if name == "reset" else text + data["text"] if name == "token" else text
        return text

    def all(self, event: str) -> list[Any]:
        """The data of every event of this name."""
        return [data for _, name, data in self.events if name == event]

    @property
    def is_doubled(self) -> bool:
        ids = [event_id for event_id, _, _ in self.events]
        return len(set(ids)) < len(ids) or sum(name in TERMINAL for _, name, _ in self.events) > 1

    @property
    def is_misordered(self) -> bool:
        ids = [_order(event_id) for event_id, _, _ in self.events]
        return ids != sorted(ids) or (self.end in ("done", "cancelled") and self.text != self.ended["answer"])

"""A viewer as a browser is one: it comes back with the last id that it has seen."""

import asyncio
import random
from dataclasses import dataclass, field

import orjson

from bench.http_stream import BadReply, HttpConnection

TERMINAL = frozenset({b"done", b"error", b"cancelled"})


@dataclass
class Storm:
    """What happened to the viewers on the way back."""

    refused: int = 0
    failed: int = 0
    back: int = 0


@dataclass
class Viewer:
    """One browser: it comes back with the last id it has seen, after the pause that the server asked for."""

    events_url: str
    address: tuple[str, int]
    storm: Storm
    text: str = ""
    answer: str | None = None
    ids: list[bytes] = field(default_factory=list)
    retry_s: float = 2.0
    breaks: int = 0
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self) -> None:
        """Returns after the job's last event."""
        while self.answer is None:
            try:
                await self._watch_once()
            except OSError:
                self.storm.refused += 1
            except BadReply as error:
                if "closed in mid-answer" not in str(error):
                    self.storm.failed += 1
            if self.answer is None:
                self.breaks += 1
                self.is_open.clear()
                await asyncio.sleep(self.retry_s * random.uniform(0.5, 1.5))

    async def _watch_once(self) -> None:
        connection = await HttpConnection.open(*self.address)
        try:
            headers = {"accept": "text/event-stream"}
            if self.ids:
                headers["last-event-id"] = self.ids[-1].decode()
            reading = asyncio.ensure_future(connection.request("GET", self.events_url, headers))
            opening = asyncio.ensure_future(connection.first_byte.wait())
            await asyncio.wait({reading, opening}, return_when=asyncio.FIRST_COMPLETED)
            opening.cancel()
            if not self.is_open.is_set() and connection.reply.status == 200:
                self.is_open.set()
                self.storm.back += 1
            try:
                await reading
            finally:
                self._read(b"".join(data for _, data in connection.reply.chunks))
        finally:
            await connection.close()

    def _read(self, data: bytes) -> None:
        """All whole events; the piece after them comes again."""
        *blocks, _ = data.replace(b"\r\n", b"\n").split(b"\n\n")
        for block in blocks:
            fields = {
                name: value.strip()
                for name, _, value in (line.partition(b":") for line in block.split(b"\n"))
            }
            if b"retry" in fields:
                self.retry_s = int(fields[b"retry"]) / 1000
            if b"id" in fields:
                self.ids.append(fields[b"id"])
            event, body = fields.get(b"event", b""), fields.get(b"data", b"")
            if event == b"token":
                self.text += orjson.loads(body)["text"]
            elif event == b"reset":
                self.text = ""
            elif event in TERMINAL:
                self.answer = orjson.loads(body).get("answer", "")

    @property
    def faults(self) -> list[str]:
        """What the contract forbids."""
        keys = [tuple(int(part) for part in id_.split(b"-")) for id_ in self.ids]
        found = [] if self.text == self.answer else ["lost"]
        if len(set(keys)) < len(keys):
            found.append("doubled")
        if keys != sorted(keys):
            found.append("misordered")
        return found

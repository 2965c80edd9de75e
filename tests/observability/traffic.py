"""Users of every kind, so that every figure moves: all intents, resumes, cancels, refusals, failures."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from observability.embedded import SandboxServer

EVERY_INTENT = (
    "페트병 어떻게 버려?",
    "소파 버리는 방법 알려줘",
    "이코 소개해줘",
    "강남역 근처 제로웨이스트샵 어디 있어?",
    "강남구 폐의약품 수거함 어디 있어?",
    "요즘 고철 시세 얼마야?",
    "서울 오늘 날씨 어때?",
    "최근 일회용컵 보증금제 뉴스 검색해줘",
    "분리수거하는 곰 그림 그려줘",
    "안녕하세요",
)
UNKNOWN = "플루토늄은 어떻게 버려?"
"""What the guide does not know goes through the feedback chain."""
ENDS = ("done", "error", "cancelled")
SLOW = {"first_token_ms": 100, "token_ms": 150, "for_requests": "stream"}


class Traffic:
    """Asks, watches, leaves, comes back; remembers the trace of each question."""

    def __init__(
        self, url: str, sandbox: SandboxServer, *, streams_are_seen: Callable[[], Awaitable[None]]
    ) -> None:
        """`streams_are_seen` returns once whoever watches the product has seen a stream open."""
        self._streams_are_seen = streams_are_seen
        self.trace_ids: set[str] = set()
        self._sandbox = sandbox
        self._api = httpx.AsyncClient(base_url=url, timeout=60, trust_env=False)

    async def drive(self) -> None:
        """All of it, once."""
        async with self._api:
            answered = await asyncio.gather(*(self._answered(message) for message in EVERY_INTENT * 3))
            await self._answered(UNKNOWN)
            await self._come_back(answered[0])
            await self._change_ones_mind()
            await self._lose_the_model_midway()
            await self._be_refused_by_the_model()
            await self._find_a_vendor_down()
            await self._be_turned_away()

    async def _ask(self, message: str, **fields: Any) -> str:
        response = await self._api.post("/api/v1/chat", json={"message": message, **fields})
        assert response.status_code == 202, response.text
        self.trace_ids.add(response.json()["trace_id"])
        return response.json()["job_id"]

    async def _answered(self, message: str) -> str:
        job_id = await self._ask(message)
        heard = await self._watch(job_id)
        if heard[-1] == "input_required":
            raise AssertionError(f"{message!r} waits for a place")
        return job_id

    async def _watch(self, job_id: str, until: tuple[str, ...] = ENDS, **headers: str) -> list[str]:
        """The names of the events up to one of these."""
        names: list[str] = []
        async with self._api.stream("GET", f"/api/v1/chat/{job_id}/events", headers=headers) as response:
            assert response.status_code == 200
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    names.append(line.removeprefix("event: "))
                elif not line and names and names[-1] in until:
                    return names
        return names

    async def _come_back(self, job_id: str) -> None:
        """With an id of the log, with one that is not in it, and when the log has expired."""
        kept = await self._ask("캔은 어떻게 버려?")
        await self._watch(kept)
        await self._watch(kept, **{"Last-Event-ID": "1-1"})
        await self._watch(kept, **{"Last-Event-ID": "9-9"})
        async with asyncio.timeout(20):
            while (await self._api.get(f"/api/v1/chat/{job_id}/events")).status_code != 410:  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    async def _change_ones_mind(self) -> None:
        self._sandbox.put("behaviour", SLOW)
        job_id = await self._ask("유리병은 어떻게 버려?")
        watching = asyncio.create_task(self._watch(job_id))
        await self._streams_are_seen()
        await self._api.post(f"/api/v1/chat/{job_id}/cancel")
        assert (await watching)[-1] == "cancelled"

    async def _lose_the_model_midway(self) -> None:
        """The first attempt breaks off; a later one answers."""
        self._sandbox.put("behaviour", {"break_after_tokens": 3, "for_requests": "stream"})
        job_id = await self._ask("우유팩은 어떻게 버려?")
        await self._watch(job_id, until=("token",))
        self._sandbox.reset("behaviour")
        heard = await self._watch(job_id)
        assert "reset" in heard, heard
        assert heard[-1] == "done"

    async def _be_refused_by_the_model(self) -> None:
        self._sandbox.put("behaviour", {"fail": {"status": 401}, "for_requests": "stream"})
        assert (await self._watch(await self._ask("종이컵은 어떻게 버려?")))[-1] == "error"
        self._sandbox.reset("behaviour")

    async def _find_a_vendor_down(self) -> None:
        # Another town than before: what is known of that one is not asked for again.
        self._sandbox.put("vendors/kma/behaviour", {"fail": {"status": 500}})
        assert (await self._watch(await self._ask("대전 오늘 날씨 어때?")))[-1] == "done"
        self._sandbox.reset("vendors")

    async def _be_turned_away(self) -> None:
        self._sandbox.put("behaviour", SLOW)
        job_id = await self._ask("비닐은 어떻게 버려?", session_id="busy")
        again = {"message": "또", "session_id": "busy"}
        assert (await self._api.post("/api/v1/chat", json=again)).status_code == 409
        await self._api.post(f"/api/v1/chat/{job_id}/cancel")
        await self._watch(job_id)
        self._sandbox.reset("behaviour")
        too_long = {"message": "x" * 50_000}
        assert (await self._api.post("/api/v1/chat", json=too_long)).status_code == 413

"""The users: they ask, watch, go away, cancel, ask twice; each at a human pace."""

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import Coroutine, Sequence
from typing import Any

import aiohttp

from chaos.ledger import Asked, Ledger
from chaos.question import Question
from chaos.viewer import NETWORK, Habits, Viewer

ASK_WITHIN_S = 60.0
WATCH_WITHIN_S = 100.0
_SMALL_BUFFER = 4_096


class Crowd:
    """Users of all APIs. `doors` lead through the network that breaks, `back_doors` straight to the APIs."""

    def __init__(
        self, doors: Sequence[str], back_doors: Sequence[str], ledger: Ledger, chance: random.Random
    ) -> None:
        self.ledger = ledger
        self._doors = list(doors)
        self._back_doors = list(back_doors)
        self._chance = chance
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_asking = True
        # Connections are not kept: one that the other side has just closed says nothing about the service.
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True))
        narrow = aiohttp.TCPConnector(limit=0, force_close=True, socket_factory=_narrow_socket)
        self._slow_http = aiohttp.ClientSession(connector=narrow, read_bufsize=1_024)

    async def close(self) -> None:
        """End every user."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.close()
        await self._slow_http.close()

    def come(self, users: int) -> None:
        """Have so many users ask one question after the other."""
        for _ in range(users):
            self._spawn(self._live(random.Random(self._chance.random())))

    def stop_asking(self) -> None:
        """Have nobody begin anything new; what is under way is watched to its end."""
        self._is_asking = False

    async def _live(self, chance: random.Random) -> None:
        await asyncio.sleep(chance.uniform(0, 3))
        session_id: str | None = None
        while self._is_asking:
            job = self.ledger.open(_question(chance), session_id)
            answer = await self._ask(job, chance)
            if answer is not None:
                cancels = self._cancel_later(job, chance) if chance.random() < 0.08 else None
                await self._watch(job, chance, viewers=chance.choice((1, 1, 2)), beside=cancels)
            # Every third conversation goes on with another question in the same session.
            goes_on = answer is not None and job.ended_at and chance.random() < 0.35
            session_id = answer["session_id"] if goes_on and answer else None
            await asyncio.sleep(chance.uniform(0.5, 4))

    def ask_aside(self, question: Question, *, copies: int = 1, slow_for_s: float = 0.0) -> None:
        """Have a user come with this very question, asked so many times at once under one key."""
        chance = random.Random(self._chance.random())
        self._spawn(self._aside(self.ledger.open(question, None), chance, copies, slow_for_s))

    async def _aside(self, job: Asked, chance: random.Random, copies: int, slow_for_s: float) -> None:
        asking = (self._ask(job, random.Random(chance.random())) for _ in range(copies))
        if any(await asyncio.gather(*asking)):
            await self._watch(job, chance, viewers=2, slow_for_s=slow_for_s)

    async def cancel_storm(self, share: float) -> int:
        """Cancel this share of what is under way, twice each and at once; returns how many."""
        chance = random.Random(self._chance.random())
        chosen = [job for job in self.ledger.under_way() if chance.random() < share]
        await asyncio.gather(*(self._cancel(job, chance) for job in chosen for _ in range(2)))
        return len(chosen)

    async def _cancel_later(self, job: Asked, chance: random.Random) -> None:
        await asyncio.sleep(chance.uniform(0, 2.5))
        if not job.ended_at:
            await self._cancel(job, chance)

    async def _cancel(self, job: Asked, chance: random.Random) -> None:
        job.is_cancel_asked = True
        url = f"{chance.choice(self._doors)}/api/v1/chat/{job.job_id}/cancel"
        with contextlib.suppress(*NETWORK):
            async with self._http.post(url, timeout=aiohttp.ClientTimeout(total=10)) as reply:
                self.ledger.count(f"cancel {reply.status}")

    async def _ask(self, job: Asked, chance: random.Random) -> dict[str, Any] | None:
        """Ask until it is accepted, under one key; None when that takes too long."""
        body = {"message": job.question.message, "session_id": job.session_id}
        deadline = time.monotonic() + ASK_WITHIN_S
        while time.monotonic() < deadline and (self._is_asking or job.is_accepted):
            url = f"{chance.choice(self._doors)}/api/v1/chat"
            try:
                timeout = aiohttp.ClientTimeout(total=12, sock_connect=3)
                headers = {"Idempotency-Key": job.key}
                async with self._http.post(url, json=body, headers=headers, timeout=timeout) as reply:
                    self.ledger.count(f"submit {reply.status}")
                    if reply.status == 202:
                        answer = await reply.json()
                        job.accepted_at = job.accepted_at or time.monotonic()
                        job.job_ids.append(answer["job_id"])
                        return answer
            except NETWORK as error:
                self.ledger.count(f"submit {type(error).__name__}")
            await asyncio.sleep(chance.uniform(0.2, 1.0))
        return None

    async def _watch(
        self,
        job: Asked,
        chance: random.Random,
        *,
        viewers: int,
        slow_for_s: float = 0.0,
        beside: Coroutine[Any, Any, None] | None = None,
    ) -> None:
        """Watch a job to its end, as long as anybody would; what has not ended then is judged later."""
        habits = Habits()
        http, doors = self._http, self._doors
        if slow_for_s:
            habits = Habits(sip_s=0.15, sips_until=time.monotonic() + slow_for_s)
            # A proxy would take in what a slow viewer does not.
            http, doors = self._slow_http, self._back_doors
        watching = [
            self._viewer(job, f"viewer {number + 1}", doors, chance, habits).watch(http)
            for number in range(viewers)
        ]
        everything = asyncio.gather(*watching, *([beside] if beside is not None else []))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(everything, WATCH_WITHIN_S)

    def _viewer(
        self, job: Asked, name: str, doors: list[str], chance: random.Random, habits: Habits
    ) -> Viewer:
        return Viewer(job, job.new_view(name), doors, self.ledger, random.Random(chance.random()), habits)

    async def settle(self, within_s: float) -> None:
        """Wait until everything under way has been watched to its end, or time is up."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)

    async def look_back(self, job: Asked) -> None:
        """One viewer more who comes when all is over, and the status call."""
        late = self._viewer(job, "late viewer", self._back_doors, self._chance, Habits(restless=0.0))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(late.watch(self._http), 10)
        url = f"{self._back_doors[0]}/api/v1/chat/{job.job_id}"
        with contextlib.suppress(*NETWORK):
            async with self._http.get(url, timeout=aiohttp.ClientTimeout(total=10)) as reply:
                self.ledger.count(f"status {reply.status}")
                job.status = await reply.json() if reply.status == 200 else {}

    def _spawn(self, life: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(life)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A user must not go missing in silence: it is the driver's own bug.
            asyncio.get_running_loop().call_exception_handler({"message": "a user broke", "exception": error})


def _question(chance: random.Random) -> Question:
    """What a user usually asks: 100 to 200 words at 50 to 100 words a second."""
    return Question(
        tag=new_tag(chance),
        words=chance.randint(100, 200),
        first_word_ms=chance.randint(50, 400),
        word_ms=chance.randint(10, 20),
    )


def new_tag(chance: random.Random) -> str:
    """A tag that no other question of a run has."""
    return f"q{chance.getrandbits(60):015x}"


def _narrow_socket(address: Any) -> socket.socket:
    """A socket that takes little in, so that a viewer who does not read is felt by the server."""
    family, kind, protocol, *_ = address
    narrow = socket.socket(family, kind, protocol)
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
    narrow.setblocking(False)
    return narrow

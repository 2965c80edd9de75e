"""Puts questions by the dozen, watches them all with restless viewers, and draws up the account."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, field, fields
from typing import Any

import httpx

from tests.e2e.stack import until
from tests.e2e.viewer import Viewer

ITEMS = ("페트병", "건전지", "형광등", "종이컵", "스티로폼", "유리병", "우산", "프라이팬")
WITHIN_S = 90.0


@dataclass
class Account:
    """What became of the jobs of one run."""

    accepted: int = 0
    completed: int = 0
    cancelled: int = 0
    errors: int = 0
    lost: int = 0
    doubled: int = 0
    misordered: int = 0
    foreign: int = 0


@dataclass
class Job:
    """One question with those who watch it."""

    job_id: str
    question: str
    session_id: str
    viewers: list[Viewer]


@dataclass
class Load:
    """One run."""

    label: str
    api: httpx.AsyncClient
    sandbox: httpx.AsyncClient
    seed: int = 1
    jobs: list[Job] = field(default_factory=list[Job])
    refused: int = 0
    account: Account = field(default_factory=Account)
    _watching: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def ask(self, question: str, viewers: int = 2, **body: Any) -> Job:
        """Submits until it is accepted, and has it watched."""
        chance = random.Random(f"{self.seed}/{len(self.jobs)}")
        while True:
            with contextlib.suppress(httpx.HTTPError):
                reply = await self.api.post("/api/v1/chat", json={"message": question, **body})
                if reply.status_code == 202:
                    break
                assert reply.status_code == 503, reply.text
            self.refused += 1
            await asyncio.sleep(chance.uniform(0.1, 0.4))
        queued = reply.json()
        watchers = [
            Viewer(self.api, queued["events_url"], random.Random(chance.random())) for _ in range(viewers)
        ]
        job = Job(queued["job_id"], question, queued["session_id"], watchers)
        self.jobs.append(job)
        self._watching += [asyncio.create_task(viewer.watch()) for viewer in watchers]
        return job

    async def streaming(self, jobs: int) -> None:
        """Waits until this many jobs are in mid-answer at once."""

        async def are_so() -> bool:
            return (await self.sandbox.get("/sandbox/requests")).json()["stream"]["open"] >= jobs

        await until(are_so)
        await until(self._is_seen)

    async def _is_seen(self) -> bool:
        return any(viewer.all("token") for job in self.jobs for viewer in job.viewers)

    async def ended(self, within_s: float = WITHIN_S) -> None:
        """Waits until every viewer has seen its end, or time is up."""
        if self._watching:
            _, late = await asyncio.wait(self._watching, timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._watching, return_exceptions=True)

    async def settle_up(self, expected: Callable[[str], str | None]) -> None:
        """Draws up the account; `expected` gives the one right answer to a question."""
        kinds = {"done": "completed", "cancelled": "cancelled", "error": "errors"}
        for job in self.jobs:
            self.account.accepted += 1
            status = (await self.api.get(f"/api/v1/chat/{job.job_id}")).json()
            if not all(viewer.has_ended for viewer in job.viewers):
                self.account.lost += 1
                continue
            first = job.viewers[0]
            name = kinds[first.end]
            setattr(self.account, name, getattr(self.account, name) + 1)
            self.account.doubled += any(viewer.is_doubled for viewer in job.viewers)
            self.account.misordered += any(viewer.is_misordered for viewer in job.viewers)
            self.account.foreign += any(
                not _is_own(job, viewer, status, expected(job.question)) for viewer in job.viewers
            )

    async def listed(self, job: Job) -> dict[str, Any]:
        """The job's turn in the history of its session; it may come a moment after the end."""
        url, found = f"/api/v1/sessions/{job.session_id}/turns", list[dict[str, Any]]()

        async def is_there() -> bool:
            turns = (await self.api.get(url)).json()["turns"]
            found[:] = [turn for turn in turns if turn["job_id"] == job.job_id]
            return bool(found)

        await until(is_there, 10)
        return found[0]

    def row(self) -> str:
        """One line of the table."""
        figures = " ".join(f"{figure:>10}" for figure in astuple(self.account))
        resets = sum(len(job.viewers[0].all("reset")) for job in self.jobs)
        resumes = sum(viewer.connections - 1 for job in self.jobs for viewer in job.viewers)
        return f"{self.label:<44} {figures} {resets:>7} {resumes:>8} {self.refused:>8}"


def header() -> str:
    """The first line of the table."""
    names = " ".join(f"{one.name:>10}" for one in fields(Account))
    return f"{'run':<44} {names} {'resets':>7} {'resumes':>8} {'refused':>8}"


def _is_own(job: Job, viewer: Viewer, status: dict[str, Any], expected: str | None) -> bool:
    (queued,) = viewer.all("queued")
    if queued["job_id"] != job.job_id or status["status"] != viewer.end:
        return False
    if viewer.end == "error":
        return viewer.ended["code"] == status["error"]["code"]
    if viewer.ended["answer"] != status["answer"]:
        return False
    if expected is None:
        return True
    return expected.startswith(viewer.text) if viewer.end == "cancelled" else expected == viewer.text


@asynccontextmanager
async def load(
    run: Load, questions: int, expected: dict[str, str], table: list[str], spread_s: float
) -> AsyncGenerator[Load]:
    """Puts questions about different things; at the end of the block the account is drawn up."""

    async def ask(number: int) -> None:
        await asyncio.sleep(spread_s * number / questions)
        await run.ask(f"{ITEMS[number % len(ITEMS)]}은 어떻게 버려?")

    asking = [asyncio.create_task(ask(number)) for number in range(questions)]
    try:
        yield run
        await asyncio.wait_for(asyncio.gather(*asking), WITHIN_S)
        await run.ended()
        await run.settle_up(expected.get)
        table.append(run.row())
        print(f"\n{header()}\n{run.row()}")
    finally:
        for task in asking:
            task.cancel()
        await run.ended(0.01)

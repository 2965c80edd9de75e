"""The page as a user sees it, and what it sends."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
from playwright.async_api import Error, Locator, Page, Request, Route, expect

WAIT_S = 20
QUESTION = "페트병이랑 배달 용기는 어떻게 버려?"
LIST = "eco2.conversations"
ONE = "eco2.conversation."
JOB = "0" * 32
QUEUED = {
    "job_id": JOB,
    "session_id": "s",
    "status": "queued",
    "status_url": f"/api/v1/chat/{JOB}",
    "events_url": f"/api/v1/chat/{JOB}/events",
    "cancel_url": f"/api/v1/chat/{JOB}/cancel",
    "trace_id": "",
}


class ChatPage:
    """A browser tab with the chat in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.submits: list[Request] = []
        self.follows: list[Request] = []
        page.on("request", self._note)
        self.question = page.get_by_label("질문", exact=True)
        self.send = page.get_by_role("button", name="보내기")
        self.stop = page.get_by_role("button", name="답변 멈추기")
        self.turns = page.locator(".turn")
        self.text = self.turns.last.locator(".text")
        self.notice = page.locator("#notice")
        self.problem = self.turns.last.get_by_role("alert")

    async def open(self, url: str | None = None) -> None:
        for _ in range(3):
            try:
                await self.page.goto(url or self.url)
                break
            except Error as error:
                # Chromium drops every load when an interface of the machine comes or goes.
                if "ERR_NETWORK_CHANGED" not in error.message:
                    raise
        await expect(self.page.locator("#examples button:enabled")).to_have_count(4)

    async def ask(self, text: str = QUESTION) -> None:
        await self.question.fill(text)
        await self.question.press("Enter")

    async def hears(self, characters: int = 10) -> str:
        """Waits until the answer in progress shows this many characters, and returns them."""

        async def shown() -> str:
            text = await self.text.text_content() or ""
            return text if len(text) >= characters else ""

        return await self.until(shown)

    async def ends(self, status: str = "done") -> None:
        await expect(self.turns.last).to_have_attribute("data-status", status, timeout=WAIT_S * 1000)

    async def until(self, condition: Callable[[], Awaitable[Any]]) -> Any:
        # The page's Content-Security-Policy forbids Playwright's own wait_for_function.
        deadline = time.monotonic() + WAIT_S
        while not (found := await condition()):
            assert time.monotonic() < deadline, "the condition did not come true"
            await asyncio.sleep(0.01)
        return found

    async def stored(self) -> dict[str, Any]:
        """The newest turn, as it is kept for a reload."""
        kept = await self.page.evaluate(
            f"localStorage.getItem('{ONE}' + JSON.parse(sessionStorage.getItem('eco2.current')"
            " ?? localStorage.getItem('eco2.current')))"
        )
        return json.loads(kept)["turns"][-1]

    async def shows_exactly(self, answer: str) -> None:
        """The text was heard once and whole, and all of it is to be seen."""
        assert (await self.stored())["text"] == answer
        await expect(self.text).to_have_count(1)
        assert bare(await self.text.text_content() or "") == bare(answer)

    async def answer_of_the_api(self) -> str:
        job = (await self.stored())["job"]
        async with httpx.AsyncClient(base_url=self.url) as client:
            status = (await client.get(job["statusUrl"])).json()
        assert status["status"] in ("done", "cancelled"), status
        return status["answer"]

    async def is_told(self, *events: tuple[str, Any], status: int = 200) -> None:
        """Has every following question answered with these events instead of the product's."""

        async def queue(route: Route) -> None:
            await route.fulfill(status=202, json=QUEUED)

        async def stream(route: Route) -> None:
            await route.fulfill(status=status, content_type="text/event-stream", body=frames(events))

        await self.page.route("**/api/v1/chat", queue)
        await self.page.route("**/events*", stream)

    def again(self, name: str = "다시 시도") -> Locator:
        return self.turns.last.get_by_role("button", name=name)

    def _note(self, request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/api/v1/chat"):
            self.submits.append(request)
        elif "/events" in request.url:
            self.follows.append(request)


def frames(events: Sequence[tuple[str, Any]]) -> str:
    """A job's event stream; a viewer that does not close it comes back at once."""
    lines = ["retry: 1\n\n"]
    for number, (name, data) in enumerate([("queued", QUEUED), ("started", {"attempt": 1}), *events], 1):
        id_line = "" if name == "gap" else f"id: 1-{number}\n"
        lines.append(f"{id_line}event: {name}\ndata: {json.dumps(data)}\n\n")
    return "".join(lines)


def token(text: str) -> tuple[str, Any]:
    return "token", {"text": text, "node": "answer"}


def done(answer: str, **fields: Any) -> tuple[str, Any]:
    return "done", {"answer": answer, "duration_ms": 1_200, "sources": [], "sample_data": False, **fields}


def bare(text: str) -> str:
    """Text without the signs of lists and bold, and without white space."""
    return re.sub(r"\s+|\*\*", "", re.sub(r"^- ", "", text, flags=re.MULTILINE))

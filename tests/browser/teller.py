"""The page, served with one long answer that is told at a steady pace."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from typing import Any

import uvicorn
from chat_api import page_routes
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from tests.browser.chat_page import QUEUED

TOKEN_CHARS = 3
SOURCES = [
    {
        "title": title,
        "url": "https://example.org/guide",
        "document": "생활폐기물 분리배출 누리집 자료",
        "section": "버리는 방법",
        "revised": "2025-03-02",
    }
    for title in ("무색 페트병", "배달 용기", "비닐류")
]
# What answers are made of: headings, paragraphs, both kinds of list, bold phrases, citations, links.
BLOCK = """## 무색 페트병
**라벨을 떼고** 물로 헹군 뒤 찌그러뜨려 뚜껑을 닫아 내놓으세요. 남은 음료가 있으면 다른 병까지 더러워져서 \
재활용하기 어려워져요 [1]. 자세한 내용은 [안내](https://example.org/guide)에 있어요.

1. 내용물을 비우고 헹궈요.
2. 라벨과 **비닐**을 떼요 [3].
3. 뚜껑을 닫아 전용 수거함에 넣어요.

- 양념이 밴 배달 용기는 닦아도 지워지지 않으면 종량제 봉투에 넣어요 [2].
- 색이 있는 병은 플라스틱 수거함에 넣어요.

"""
COURSE = [
    ("stage", {"node": "intent", "status": "started"}),
    ("stage", {"node": "intent", "status": "completed", "duration_ms": 420}),
    ("stage", {"node": "waste_rag", "status": "started"}),
    ("stage", {"node": "weather", "status": "started"}),
    ("stage", {"node": "waste_rag", "status": "completed", "duration_ms": 95}),
    ("stage", {"node": "weather", "status": "completed", "duration_ms": 310}),
    ("stage", {"node": "answer", "status": "started"}),
    ("sources", SOURCES),
]


def tokens_of(block: str, count: int) -> list[str]:
    """So many tokens, of a block again and again."""
    length = count * TOKEN_CHARS
    text = (block * (length // len(block) + 1))[:length]
    return [text[at : at + TOKEN_CHARS] for at in range(0, length, TOKEN_CHARS)]


class Teller:
    """Answers every question with the same tokens; `tokens_per_s` may be changed between questions."""

    def __init__(self, tokens: Sequence[str], tokens_per_s: float) -> None:
        self.tokens = tokens
        self.tokens_per_s = tokens_per_s

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncGenerator[str]:
        """Serves until the block ends; gives the address."""
        config = uvicorn.Config(self._app(), port=0, log_config=None, lifespan="off")
        config.timeout_graceful_shutdown = 1
        server = _Inner(config)
        task = asyncio.create_task(server.serve())
        try:
            async with asyncio.timeout(20):
                await server.is_up.wait()
            host, port = server.servers[0].sockets[0].getsockname()
            yield f"http://{host}:{port}/"
        finally:
            server.should_exit = True
            await task

    def _app(self) -> FastAPI:
        app = FastAPI()
        app.include_router(page_routes.router)
        app.post("/api/v1/chat", status_code=202)(self._take)
        app.get("/api/v1/chat/{job_id}/events")(self._events)
        return app

    async def _take(self) -> dict[str, Any]:
        return QUEUED

    async def _events(self, job_id: str) -> StreamingResponse:
        return StreamingResponse(self._told(), media_type="text/event-stream")

    async def _told(self) -> AsyncIterator[str]:
        clock = asyncio.get_running_loop().time
        number, begun = 0, clock()
        for name, data in [("queued", QUEUED), ("started", {"attempt": 1}), *COURSE]:
            number += 1
            yield frame(number, name, data)
        for index, text in enumerate(self.tokens):
            # By the clock, so that one late token does not delay those after it.
            await asyncio.sleep(max(0, begun + index / self.tokens_per_s - clock()))
            number += 1
            yield frame(number, "token", {"text": text, "node": "answer"})
        took = {"node": "answer", "status": "completed", "duration_ms": 1000 * (clock() - begun)}
        yield frame(number + 1, "stage", took)
        answer = {"answer": "".join(self.tokens), "sources": SOURCES, "duration_ms": 12_000}
        yield frame(number + 2, "done", answer)


class _Inner(uvicorn.Server):
    """A server that leaves the signals of the process alone, and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def frame(number: int, name: str, data: Any) -> str:
    """One event of the stream."""
    return f"id: 1-{number}\nevent: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"

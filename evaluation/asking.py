"""Asks the running product over HTTP, and reads its answers from the event stream."""

import asyncio
from collections.abc import Iterable
from typing import Any

import httpx
import orjson

from evaluation.reply import Reply

AT_ONCE = 20
TIMEOUT_S = 200
"""Longer than the worker's deadline for a job, which is to be heard first."""
# Seoul's city hall, as a browser would send it: nobody is there to be asked where they are.
WHERE = {"latitude": 37.5665, "longitude": 126.978}


async def ask_all(url: str, questions: Iterable[str], at_once: int = AT_ONCE) -> list[Reply]:
    """The replies in the order of the questions, each asked in a session of its own."""
    slots = asyncio.Semaphore(at_once)
    limits = httpx.Limits(max_connections=at_once)
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=False, limits=limits) as client:

        async def ask_in_turn(question: str) -> Reply:
            async with slots:
                return await ask(client, question)

        return await asyncio.gather(*map(ask_in_turn, questions))


async def ask(client: httpx.AsyncClient, question: str) -> Reply:
    """One question in a new session; a product that gives no answer is a reply with a failure."""
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            client.stream(
                "POST",
                "/api/v1/chat",
                json={"message": question, "location": WHERE},
                headers={"Accept": "text/event-stream"},
            ) as response,
        ):
            if response.status_code != 200:
                return Reply(failure=f"HTTP {response.status_code}")
            return await _read(response)
    except (httpx.HTTPError, TimeoutError) as error:
        return Reply(failure=f"no answer ({type(error).__name__})")


async def _read(response: httpx.Response) -> Reply:
    text, event = "", ""
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            event = value
        elif name == "data":
            if event == "token":
                text += orjson.loads(value)["text"]
            elif event == "reset":
                text = ""
            elif event in ("done", "error", "cancelled", "input_required"):
                return _ended(event, orjson.loads(value), text)
    return Reply(answer=text, failure="the stream ended without `done`")


def _ended(event: str, data: dict[str, Any], text: str) -> Reply:
    if event != "done":
        return Reply(answer=text, failure=f"{event} {data.get('code', '')}".strip())
    if text != data["answer"]:
        return Reply(answer=text, failure="the streamed text is not the answer")
    return Reply(text, tuple(data["intents"]), data["usage"]["model"], data["duration_ms"])

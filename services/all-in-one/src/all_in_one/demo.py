"""`python -m all_in_one.demo`: one question through the whole product, told as it happens."""

import argparse
import os
import sys
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import uvloop

from all_in_one.product import CannotListen, open_product

DEFAULT_QUESTION = "다 쓴 페트병은 어떻게 버려?"
TIMEOUT_S = 120
HERE = {"latitude": 37.5665, "longitude": 126.9780}
"""Seoul City Hall: what the demo answers when the assistant asks where its user is."""


class DemoFailed(Exception):
    """The question was not answered; the text says why."""


@dataclass
class _Heard:
    text: str = ""
    stages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    sources: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    done: dict[str, Any] | None = None


async def ask(question: str) -> None:
    """Starts the product on a free port, asks, prints; raises DemoFailed."""
    # A proxy of the environment has no business between us and our own machine.
    local = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
    async with open_product("127.0.0.1", 0) as product, local as client:
        print(f"Q: {question}\n", flush=True)
        heard = _Heard()
        request = client.stream(
            "POST",
            f"{product.url}/api/v1/chat",
            json={"message": question},
            headers={"Accept": "text/event-stream"},
        )
        async with request as response:
            if response.status_code != 200:
                raise DemoFailed(f"HTTP {response.status_code}: {(await response.aread()).decode()}")
            event = ""
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    _hear(heard, event, orjson.loads(line.removeprefix("data: ")))
                    if event == "input_required":
                        await _say_where(client, f"{product.url}{response.headers['Location']}/input")
        _report(heard)


async def _say_where(client: httpx.AsyncClient, url: str) -> None:
    """A question of its own is answered beside the stream, as a page does."""
    reply = await client.post(url, json={"location": HERE})
    if reply.status_code != 202:
        raise DemoFailed(f"the place was not taken: HTTP {reply.status_code}")


def _hear(heard: _Heard, event: str, data: Any) -> None:
    match event:
        case "token":
            heard.text += data["text"]
            print(data["text"], end="", flush=True)
        case "stage":
            heard.stages.append(data)
        case "sources":
            heard.sources = data
        case "input_required":
            print(f"{data['message']}  (the demo says: Seoul City Hall)\n", flush=True)
        case "image":
            print(f"[{data['alt']}: {data['url']}]\n", flush=True)
        case "reset":
            heard.text = ""
        case "error":
            raise DemoFailed(f"{data['code']}: {data['detail']}")
        case "done":
            heard.done = data
        case _:
            pass


def _report(heard: _Heard) -> None:
    print("\n")
    if heard.done is None:
        raise DemoFailed("the stream ended without `done`")
    if not heard.text.strip():
        raise DemoFailed("the answer is empty")
    if heard.text != heard.done["answer"]:
        raise DemoFailed("the streamed text is not the answer")
    for source in {source["document"]: source for source in heard.sources}.values():
        print(f"source   {source['document']} ({source['revised'] or 'undated'})")
    for stage in heard.stages:
        if stage["status"] != "started":
            print(f"stage    {stage['node']:<10} {stage['status']:<10} {stage.get('duration_ms', 0):8.1f} ms")
    done = heard.done
    print(f"intents  {', '.join(done['intents'])}")
    print(f"took     {done['duration_ms']} ms, {done['usage']['output_tokens']} tokens")
    print(f"trace    {done['trace_id']}")
    if done["sample_data"]:
        print("note     sample data: a stand-in model answered")


def main() -> int:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="all_in_one.demo", description=__doc__)
    parser.add_argument("--question", default="")
    question = parser.parse_args().question.strip() or DEFAULT_QUESTION
    # The demo tells its own story.
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    try:
        uvloop.run(ask(question))
    except (DemoFailed, CannotListen, httpx.HTTPError, OSError) as error:
        print(f"demo failed: {error or type(error).__name__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The real npm packages `ai` and `openai` against the façades, in a process of node's."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from eco2_bus.events import Image, InputRequired, to_json
from eco2_bus.log import Claim, LogSummary

from tests import npm
from tests.api.conversation import PNG, turn
from tests.api.services import MemoryWorld, World, new_id
from tests.api.serving import QUESTION, Api
from tests.api.worker import SOURCE, Worker, answer

PACKAGES = ("ai@6.0.326", "openai@6.49.0")
IN_TIME_S = 30

HARNESS = """
import readline from 'node:readline';
import { AbstractChat, DefaultChatTransport } from 'ai';

const say = (fields) => console.log(JSON.stringify(fields));
const textOf = (messages) =>
  (messages.at(-1)?.parts ?? []).filter((part) => part.type === 'text').map((part) => part.text);

class State {
  constructor(messages) { this.messages = messages; }
  status = 'ready';
  error = undefined;
  pushMessage(message) { this.messages = [...this.messages, message]; this.tell(); }
  popMessage() { this.messages = this.messages.slice(0, -1); }
  replaceMessage(index, message) {
    this.messages = this.messages.map((one, at) => (at === index ? structuredClone(message) : one));
    this.tell();
  }
  snapshot(thing) { return structuredClone(thing); }
  tell() { say({ shown: textOf(this.messages).join('|') }); }
}
class Chat extends AbstractChat {
  constructor({ messages = [], ...init }) { super({ ...init, state: new State(messages) }); }
}

const [api, id] = process.argv.slice(2);
let data, finish, chat;
function begin(messages) {
  data = []; finish = undefined;
  chat = new Chat({
    id, messages, transport: new DefaultChatTransport({ api }),
    onData: (part) => data.push(part), onFinish: (end) => { finish = end; }, onError: () => {},
  });
}
begin([]);
const verbs = {
  send: ({ message }) => chat.sendMessage(message),
  regenerate: () => chat.regenerate(),
  resume: () => chat.resumeStream(),
  stop: () => chat.stop(),
  reload: () => begin(chat.messages.filter((one) => one.role === 'user')),
};
for await (const line of readline.createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  Promise.resolve(verbs[asked.do](asked)).then(() => say({
    did: asked.do, status: chat.status, error: chat.error?.message ?? null, messages: chat.messages, data,
    isDisconnect: finish?.isDisconnect ?? null,
  }));
}
"""

OPENAI = """
import OpenAI from 'openai';
const client = new OpenAI({ baseURL: process.argv[2] + '/v1', apiKey: 'any', maxRetries: 0 });
const asked = { model: 'eco2-chat', messages: [{ role: 'user', content: process.argv[3] }] };
const stream = await client.chat.completions.create(
  { ...asked, stream: true, stream_options: { include_usage: true } });
let text = '', usage = null, error = null;
try {
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? '';
    usage = chunk.usage ?? usage;
  }
} catch (thrown) { error = { code: thrown.code, type: thrown.type }; }
const models = (await client.models.list()).data.map((model) => model.id);
console.log(JSON.stringify({ text, usage, error, models }));
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages in it, from npm's cache where they are there."""
    folder = tmp_path_factory.mktemp("npm")
    (folder / "chat.mjs").write_text(HARNESS)
    (folder / "openai.mjs").write_text(OPENAI)
    npm.install(folder, *PACKAGES)
    return folder


class Page:
    """A page with a chat on it: the package's own chat and transport, told what to do line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def open(cls, folder: Path, api_url: str, chat_id: str) -> "Page":
        command = (npm.NODE, folder / "chat.mjs", f"{api_url}/api/v1/ai-sdk/chat", chat_id)
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=2**22))

    def begin(self, verb: str, **fields: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": verb, **fields}).encode() + b"\n")

    async def shows(self, text: str) -> None:
        """Returns once the page shows exactly this as the text of the last message."""
        while (await self._line()).get("shown") != text:
            pass

    async def did(self, verb: str) -> dict[str, Any]:
        """What there is once the verb is through."""
        while (told := await self._line()).get("did") != verb:
            pass
        return told

    async def do(self, verb: str, **fields: Any) -> dict[str, Any]:
        self.begin(verb, **fields)
        return await self.did(verb)

    async def close(self) -> None:
        self._process.kill()
        await self._process.communicate()

    async def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(IN_TIME_S):
            line = await self._process.stdout.readline()
        assert line, "the page's process has ended"
        return json.loads(line)


@pytest.fixture
async def page(packages: Path, api: Api) -> AsyncIterator[Page]:
    made = await Page.open(packages, api.url, "chat-1")
    yield made
    await made.close()


@pytest.fixture
async def quick_page(packages: Path, memory_api: Api) -> AsyncIterator[Page]:
    made = await Page.open(packages, memory_api.url, "chat-1")
    yield made
    await made.close()


def ask(page: Page, text: str = QUESTION) -> None:
    page.begin("send", message={"text": text})


async def next_job(world: World) -> Any:
    jobs: list[Any] = []
    async with asyncio.timeout(IN_TIME_S):
        while not jobs:
            jobs = await world.waiting_jobs()
            await asyncio.sleep(0.01)
    assert len(jobs) == 1
    return jobs[0]


def text_of(told: dict[str, Any]) -> str:
    return "|".join(part["text"] for part in told["messages"][-1]["parts"] if part["type"] == "text")


async def test_a_chat_shows_the_answer_with_its_sources_and_stages(world: World, page: Page) -> None:
    ask(page)
    job = await next_job(world)
    worker = await Worker.begin(world.log, job.job_id)
    await worker.everything_else()
    await worker.say("라벨을 ")
    await page.shows("라벨을 ")
    await worker.say("떼요.")
    await worker.end()
    told = await page.did("send")

    message = told["messages"][-1]
    assert (told["status"], told["error"], text_of(told)) == ("ready", None, "라벨을 떼요.")
    assert (job.message, job.session_id, message["id"]) == (QUESTION, "chat-1", job.job_id)
    source = next(part for part in message["parts"] if part["type"] == "source-url")
    assert (source["url"], source["title"], source["sourceId"]) == (SOURCE.url, SOURCE.document, "1")
    assert [part["data"]["status"] for part in told["data"]] == ["started", "completed"]
    assert message["metadata"]["usage"]["output_tokens"] == 34
    assert message["metadata"]["session_id"] == "chat-1"


async def test_a_cut_answer_is_resumed_and_shown_exactly_once(world: World, page: Page) -> None:
    ask(page)
    worker = await Worker.begin(world.log, (await next_job(world)).job_id)
    await worker.say("라벨을 ", "떼고 ")
    await page.shows("라벨을 떼고 ")
    await page.do("stop")
    await worker.say("헹군 뒤 ")
    page.begin("resume")
    await page.shows("라벨을 떼고 헹군 뒤 ")
    await worker.say("내놓아요.")
    await worker.end()
    told = await page.did("resume")

    assert (told["status"], text_of(told)) == ("ready", "라벨을 떼고 헹군 뒤 내놓아요.")
    assert [message["role"] for message in told["messages"]] == ["user", "assistant"]


async def test_a_page_that_is_loaded_again_finds_the_answer_under_way(world: World, page: Page) -> None:
    ask(page)
    worker = await Worker.begin(world.log, (await next_job(world)).job_id)
    await worker.say("라벨을 ")
    await page.shows("라벨을 ")
    await page.do("stop")
    await page.do("reload")
    page.begin("resume")
    await page.shows("라벨을 ")
    await worker.say("떼요.")
    await worker.end()

    assert text_of(await page.did("resume")) == "라벨을 떼요."


async def test_an_attempt_that_begins_anew_ends_in_an_error_that_a_resume_mends(
    world: World, page: Page
) -> None:
    ask(page)
    job_id = (await next_job(world)).job_id
    await (await Worker.begin(world.log, job_id)).say("절반")
    await page.shows("절반")
    second = await Worker.begin(world.log, job_id, Claim.REDELIVERED)
    told = await page.did("send")
    await second.say("처음부터 ")
    page.begin("resume")
    await page.shows("처음부터 ")
    await second.say("다시.")
    await second.end()
    mended = await page.did("resume")

    assert told["status"] == "error"
    assert "anew" in told["error"]
    assert (mended["status"], text_of(mended)) == ("ready", "처음부터 다시.")


async def test_text_before_a_wait_for_the_user_is_kept_when_it_is_resumed(
    memory_world: MemoryWorld, memory_api: Api, quick_page: Page
) -> None:
    ask(quick_page)
    job_id = (await next_job(memory_world)).job_id
    worker = await Worker.begin(memory_world.log, job_id)
    await worker.say("잠시만요. ")
    wanted = InputRequired(kind="location", message="어디에 계세요?", expires_in_s=120)
    worker.writer.event("input_required", to_json(wanted))
    await worker.writer.flush()
    await quick_page.shows("잠시만요. ")
    await quick_page.do("stop")
    quick_page.begin("resume")
    await quick_page.shows("잠시만요. ")
    cancelled = await memory_api.cancel(job_id)
    told = await quick_page.did("resume")

    waiting = next(part for part in told["messages"][-1]["parts"] if part["type"] == "data-input-required")
    assert cancelled.status_code in (200, 202)
    assert waiting["data"]["message"] == "어디에 계세요?"
    assert waiting["data"]["input_url"] == f"/api/v1/chat/{job_id}/input"
    assert text_of(told) == "잠시만요. "


async def test_there_is_nothing_to_resume_before_and_after_an_answer(
    memory_world: MemoryWorld, quick_page: Page
) -> None:
    before = await quick_page.do("resume")
    ask(quick_page)
    await answer(memory_world.log, (await next_job(memory_world)).job_id, "네.")
    await quick_page.did("send")
    after = await quick_page.do("resume")

    assert (before["status"], before["error"], before["messages"]) == ("ready", None, [])
    assert (after["status"], after["error"], text_of(after)) == ("ready", None, "네.")


@pytest.mark.parametrize(("event", "status"), [("error", "error"), ("cancelled", "ready")])
async def test_a_job_that_fails_is_told_and_one_that_is_cancelled_keeps_its_text(
    memory_world: MemoryWorld, quick_page: Page, event: str, status: str
) -> None:
    ask(quick_page)
    await answer(memory_world.log, (await next_job(memory_world)).job_id, "반쯤", event=event)
    told = await quick_page.did("send")

    assert (told["status"], text_of(told)) == (status, "반쯤")
    assert told["error"] == ("It failed too often." if event == "error" else None)


async def test_pictures_go_in_and_out(memory_world: MemoryWorld, memory_api: Api, quick_page: Page) -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    file = {"type": "file", "mediaType": "image/png", "url": url}
    quick_page.begin("send", message={"files": [file], "text": "이건?"})
    job = await next_job(memory_world)
    worker = await Worker.begin(memory_world.log, job.job_id)
    worker.writer.event("image", to_json(Image(url="/api/v1/images/x", alt="그림")))
    await worker.say("그렸어요.")
    await worker.end()
    told = await quick_page.did("send")

    shown = next(part for part in told["messages"][-1]["parts"] if part["type"] == "file")
    assert job.message == "이건?"
    assert job.image_url
    assert shown["url"] == f"{memory_api.url}/api/v1/images/x"


async def test_another_answer_can_be_asked_for(memory_world: MemoryWorld, quick_page: Page) -> None:
    ask(quick_page)
    await answer(memory_world.log, (await next_job(memory_world)).job_id, "하나.")
    await quick_page.did("send")
    quick_page.begin("regenerate")
    job = await next_job(memory_world)
    await answer(memory_world.log, job.job_id, "둘.")
    told = await quick_page.did("regenerate")

    assert (job.message, text_of(told)) == (QUESTION, "둘.")
    assert len(told["messages"]) == 2


async def test_a_process_that_leaves_tells_the_page_to_resume(
    memory_world: MemoryWorld, quick_page: Page
) -> None:
    ask(quick_page)
    await (await Worker.begin(memory_world.log, (await next_job(memory_world)).job_id)).say("반쯤")
    await quick_page.shows("반쯤")
    memory_world.log.stop_following()
    told = await quick_page.did("send")

    assert told["status"] == "error"
    assert "Resume" in told["error"]


async def test_a_refused_question_is_an_error_of_the_chat(quick_page: Page) -> None:
    told = await quick_page.do("send", message={"text": "x" * 8_001})

    assert told["status"] == "error"
    assert json.loads(told["error"])["code"] == "invalid_fields"


@pytest.mark.parametrize(
    "body",
    [
        {"id": "chat-1", "messages": []},
        {"id": "no such id", "messages": [{"role": "user", "parts": [{"type": "text", "text": "x"}]}]},
        {"id": "chat-1", "messages": [{"role": "user", "parts": []}]},
    ],
)
async def test_what_is_no_chat_is_refused(memory_api: Api, body: dict[str, Any]) -> None:
    refused = await memory_api.client.post("/api/v1/ai-sdk/chat", json=body)

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_fields")


async def test_the_chat_of_somebody_else_cannot_be_resumed(
    memory_world: MemoryWorld, memory_api: Api
) -> None:
    session_id = new_id()
    await memory_world.made.turns.save(turn(session_id=session_id, owner="another"))

    refused = await memory_api.client.get(f"/api/v1/ai-sdk/chat/{session_id}/stream")

    assert (refused.status_code, refused.json()["code"]) == (404, "session_not_found")


async def test_to_resume_costs_no_more_in_a_long_session_than_in_a_new_one(
    memory_world: MemoryWorld, memory_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = new_id()
    for _ in range(5):
        job_id = (await memory_api.submit(session_id=session_id))["job_id"]
        await answer(memory_world.log, job_id, "네.")
    under_way = (await memory_api.submit(session_id=session_id))["job_id"]
    asked: list[str] = []
    summary = memory_world.made.log.summary

    async def counting(job_id: str) -> LogSummary:
        asked.append(job_id)
        return await summary(job_id)

    monkeypatch.setattr(memory_world.made.log, "summary", counting)
    async with memory_api.client.stream("GET", f"/api/v1/ai-sdk/chat/{session_id}/stream") as response:
        assert (response.status_code, set(asked)) == (200, {under_way})
        await answer(memory_world.log, under_way, "네.")
        await response.aread()
    gone = await memory_api.client.get(f"/api/v1/ai-sdk/chat/{session_id}/stream")
    assert (gone.status_code, set(asked)) == (204, {under_way})


async def test_the_stream_says_what_it_is_and_takes_a_single_message(
    memory_world: MemoryWorld, memory_api: Api
) -> None:
    body = {"id": "chat-1", "message": {"role": "user", "parts": [{"type": "text", "text": "x"}]}}
    async with memory_api.client.stream("POST", "/api/v1/ai-sdk/chat", json=body) as response:
        await answer(memory_world.log, (await next_job(memory_world)).job_id, "네.")
        text = (await response.aread()).decode()

    assert response.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert response.headers["content-type"].startswith("text/event-stream")
    assert text.endswith("data: [DONE]\n\n")


async def openai_npm(packages: Path, api: Api) -> asyncio.subprocess.Process:
    command = (npm.NODE, packages / "openai.mjs", api.url, QUESTION)
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)


@pytest.mark.parametrize("event", ["done", "error"])
async def test_the_openai_package_of_npm_streams_an_answer(
    packages: Path, memory_world: MemoryWorld, memory_api: Api, event: str
) -> None:
    process = await openai_npm(packages, memory_api)
    await answer(memory_world.log, (await next_job(memory_world)).job_id, "라벨을 ", "떼요.", event=event)
    async with asyncio.timeout(IN_TIME_S):
        output, _ = await process.communicate()

    told = json.loads(output)
    assert told["text"].startswith("라벨을 떼요.")
    assert told["models"] == ["eco2-chat"]
    if event == "done":
        assert (told["usage"]["total_tokens"], told["error"]) == (46, None)
    else:
        assert told["error"] == {"code": "job_failed", "type": "server_error"}

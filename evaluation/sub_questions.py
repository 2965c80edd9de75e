"""Has the worker take messages apart, with the model that the product uses."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager

import uvicorn
from chat_api.server import listen
from chat_worker.adapters.openai_model import OpenAIModel
from chat_worker.domain import SubQuestion
from chat_worker.errors import AnswerError, ModelUnavailable
from chat_worker.graph.understand import understand
from chat_worker.ports import ChatModel
from chat_worker.settings import WorkerSettings
from eco2_sandbox.app import create_app
from eco2_sandbox.settings import Settings as SandboxSettings
from opentelemetry.trace import NoOpTracer
from pydantic import SecretStr

STARTS_WITHIN_S = 30


async def take_apart(messages: Iterable[str], at_once: int) -> list[list[SubQuestion]]:
    """The sub-questions of each message; none of one that the model refused."""
    slots = asyncio.Semaphore(at_once)
    async with _model() as model:

        async def in_turn(message: str) -> list[SubQuestion]:
            async with slots:
                return await _asked(message, model)

        return await asyncio.gather(*map(in_turn, messages))


async def _asked(message: str, model: ChatModel) -> list[SubQuestion]:
    try:
        understanding, _ = await understand(message, [], model)
    except (AnswerError, ModelUnavailable):
        return []
    return understanding.intents


@asynccontextmanager
async def _model() -> AsyncGenerator[ChatModel]:
    """The settings' model; without a key a stand-in like the product's own, which it lends to nobody."""
    settings = WorkerSettings()
    async with contextlib.AsyncExitStack() as stack:
        name, key, url = settings.openai_model, settings.openai_api_key, settings.openai_base_url
        if not key.get_secret_value():
            stand_in = SandboxSettings()
            address = await stack.enter_async_context(_stand_in(stand_in))
            name, key, url = stand_in.chat_model, SecretStr("stand-in"), f"{address}/v1"
        model = OpenAIModel(name, key, url, NoOpTracer())
        stack.push_async_callback(model.close)
        yield model


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # Ctrl-C is the evaluation's to hear.
        yield


@asynccontextmanager
async def _stand_in(settings: SandboxSettings) -> AsyncGenerator[str]:
    config = uvicorn.Config(create_app(settings), log_config=None, access_log=False, lifespan="off")
    server = _Server(config)
    with contextlib.closing(listen("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(STARTS_WITHIN_S):
                # uvicorn offers no event for this.
                while not server.started and not task.done():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task

"""`POST {base_url}/chat/completions` of a server that speaks the OpenAI API, over aiohttp."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from eco2_telemetry import propagation
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from yarl import URL

from chat_worker.errors import ModelRejected, ModelUnavailable

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
MAX_TRIES = 3
REPLY_MAX_BYTES = 1_000_000
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MAY_PASS = frozenset({408, 409, 425, 429})


class Completions:
    """A server that is busy or down is tried again, until its first byte.

    Every method raises ModelUnavailable, also in mid-stream, or ModelRejected.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._session = aiohttp.ClientSession(
            headers={**headers, "Content-Type": "application/json"},
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=READ_TIMEOUT_S
            ),
            # A proxy of the environment has no business between us and our own machine.
            trust_env=URL(base_url).host not in LOOPBACK,
        )

    async def reply(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The whole reply."""
        response = await self._open(body)
        async with response:
            raw = b"".join([data async for data in _chunks(response, REPLY_MAX_BYTES)])
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise ModelUnavailable("the model's reply is no JSON") from None

    @asynccontextmanager
    async def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[AsyncGenerator[bytes]]:
        """The reply's bytes as they come; leaving early closes the connection, and so stops the model."""
        response = await self._open(body)
        async with response:
            yield _chunks(response)

    async def close(self) -> None:
        """Closes all connections."""
        await self._session.close()

    async def _open(self, body: Mapping[str, Any]) -> aiohttp.ClientResponse:
        tries = AsyncRetrying(
            retry=retry_if_exception_type(ModelUnavailable),
            stop=stop_after_attempt(MAX_TRIES),
            wait=wait_random_exponential(multiplier=0.2, max=3),
            reraise=True,
        )
        response: aiohttp.ClientResponse = await tries(self._try, orjson.dumps(body))
        return response

    async def _try(self, body: bytes) -> aiohttp.ClientResponse:
        try:
            headers = propagation.inject_for_vendor()
            response = await self._session.post(self._url, data=body, headers=headers)
            if response.status == 200:
                return response
            async with response:
                raise _refusal(response.status, await response.content.read(REPLY_MAX_BYTES))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ModelUnavailable(type(error).__name__) from error


async def _chunks(response: aiohttp.ClientResponse, max_bytes: int | None = None) -> AsyncGenerator[bytes]:
    room = max_bytes
    try:
        async for data in response.content.iter_any():
            if room is not None and (room := room - len(data)) < 0:
                raise ModelUnavailable("the model's reply is too long")
            yield data
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ModelUnavailable(type(error).__name__) from error


def _refusal(status: int, body: bytes) -> Exception:
    if status >= 500 or (status in _MAY_PASS and b"insufficient_quota" not in body):
        return ModelUnavailable(f"HTTP {status}")
    return ModelRejected(f"HTTP {status}")

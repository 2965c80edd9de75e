"""The answer's stream from a server that speaks the OpenAI API, as raw bytes over aiohttp."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from chat_worker.errors import ModelRejected, ModelUnavailable

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
MAX_TRIES = 3
ERROR_MAX_BYTES = 16_384
_MAY_PASS = frozenset({408, 409, 425, 429})


class CompletionStreams:
    """Opens streams of `POST {base_url}/chat/completions`."""

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._session = aiohttp.ClientSession(
            headers={**headers, "Content-Type": "application/json"},
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=READ_TIMEOUT_S
            ),
            trust_env=True,
        )

    @asynccontextmanager
    async def open(self, body: Mapping[str, Any]) -> AsyncGenerator[AsyncGenerator[bytes]]:
        """The bytes of one stream; leaving early closes the connection, and so stops the model.

        A server that is busy or down is tried again, until the first byte. Raises ModelUnavailable, also
        in mid-stream, or ModelRejected.
        """
        tries = AsyncRetrying(
            retry=retry_if_exception_type(ModelUnavailable),
            stop=stop_after_attempt(MAX_TRIES),
            wait=wait_random_exponential(multiplier=0.2, max=3),
            reraise=True,
        )
        response: aiohttp.ClientResponse = await tries(self._post, orjson.dumps(body))
        async with response:
            yield _chunks(response)

    async def close(self) -> None:
        """Closes all connections."""
        await self._session.close()

    async def _post(self, body: bytes) -> aiohttp.ClientResponse:
        try:
            response = await self._session.post(self._url, data=body)
            if response.status == 200:
                return response
            async with response:
                raise _refusal(response.status, await response.content.read(ERROR_MAX_BYTES))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ModelUnavailable(type(error).__name__) from error


async def _chunks(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
    try:
        async for data in response.content.iter_any():
            yield data
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ModelUnavailable(type(error).__name__) from error


def _refusal(status: int, body: bytes) -> Exception:
    if status >= 500 or (status in _MAY_PASS and b"insufficient_quota" not in body):
        return ModelUnavailable(f"HTTP {status}")
    return ModelRejected(f"HTTP {status}")

"""`POST {base_url}/chat/completions` of a server that speaks the OpenAI API."""

from collections.abc import Mapping
from typing import Any

import orjson
from eco2_telemetry import propagation
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from chat_worker.adapters.http_link import HttpLink, LinkBroken, Take
from chat_worker.errors import ModelRejected, ModelUnavailable

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
MAX_TRIES = 3
REPLY_MAX_BYTES = 1_000_000
_MAY_PASS = frozenset({408, 409, 425, 429})


class _NotYet(ModelUnavailable):
    """Nothing has been answered, so the same may be asked again."""


class Completions:
    """A server that is busy or down is tried again, until it begins to answer.

    Every method raises ModelUnavailable, also in mid-stream, or ModelRejected.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        self._link = HttpLink(
            base_url.rstrip("/") + "/chat/completions",
            {**headers, "Content-Type": "application/json"},
            connect_timeout_s=CONNECT_TIMEOUT_S,
            read_timeout_s=READ_TIMEOUT_S,
        )

    async def reply(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The whole reply."""
        raw = bytearray()

        def take(data: bytes) -> bool:
            raw.extend(data)
            if len(raw) > REPLY_MAX_BYTES:
                raise ModelUnavailable("the model's reply is too long")
            return True

        await self._post(body, take)
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise ModelUnavailable("the model's reply is no JSON") from None

    async def stream(self, body: Mapping[str, Any], take: Take) -> None:
        """Gives the reply's bytes as they come, until it ends or no more is taken.

        What `take` raises, and a cancel, closes the connection, and so stops the model.
        """
        await self._post(body, take)

    async def close(self) -> None:
        """Closes all connections."""
        await self._link.close()

    async def _post(self, body: Mapping[str, Any], take: Take) -> None:
        tries = AsyncRetrying(
            retry=retry_if_exception_type(_NotYet),
            stop=stop_after_attempt(MAX_TRIES),
            wait=wait_random_exponential(multiplier=0.2, max=3),
            reraise=True,
        )
        await tries(self._try, orjson.dumps(body), take)

    async def _try(self, body: bytes, take: Take) -> None:
        heard = _Heard(take)
        try:
            await self._link.post(body, propagation.inject_for_vendor(), heard.answered)
        except LinkBroken as error:
            kind = ModelUnavailable if heard.status == 200 else _NotYet
            raise kind(str(error)) from error
        if heard.status != 200:
            raise _refused(heard.status, bytes(heard.refusal))


class _Heard:
    """What one try is answered: its text goes on to `take`, a refusal stays here."""

    def __init__(self, take: Take) -> None:
        self.status = 0
        self.refusal = bytearray()
        self._take = take

    def answered(self, status: int) -> Take:
        self.status = status
        return self._take if status == 200 else self._keep

    def _keep(self, data: bytes) -> bool:
        self.refusal.extend(data)
        return len(self.refusal) < REPLY_MAX_BYTES


def _refused(status: int, body: bytes) -> Exception:
    if status >= 500 or (status in _MAY_PASS and b"insufficient_quota" not in body):
        return _NotYet(f"HTTP {status}")
    return ModelRejected(f"HTTP {status}")

"""The issuer's public keys: fetched when they are needed, and kept while the issuer is away."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import jwt
import orjson

from chat_api.auth.caller import KeysUnavailable

_log = logging.getLogger(__name__)

MAX_BYTES = 256 * 1024
KEYS_MAX = 100
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class JwksTimes:
    """In seconds."""

    fresh_s: float = 300.0
    """Keys are fetched anew after this; one that the issuer took back is trusted no longer than that."""
    kept_s: float = 24 * 3600.0
    """Keys are trusted for so long without an issuer that answers."""
    pause_s: float = 10.0
    """Between two fetches, whatever key ids callers make up: an issuer is not flooded through us."""
    timeout_s: float = 5.0


TIMES = JwksTimes()


class Jwks:
    """The keys of one address by their ids. `now` gives seconds of a clock that only goes forward."""

    def __init__(
        self, url: str, *, times: JwksTimes = TIMES, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._times = times
        self._now = now
        # A proxy of the environment has no business between us and our own machine.
        is_local = urlsplit(url).hostname in _LOOPBACK
        self._http = httpx.AsyncClient(timeout=times.timeout_s, trust_env=not is_local)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, kid: str) -> jwt.PyJWK | None:
        """The key of that id, or None when the issuer has none; raises KeysUnavailable."""
        age_s = self._now() - self._fetched_at
        known = self._keys.get(kid) if age_s < self._times.kept_s else None
        if known is not None:
            if age_s >= self._times.fresh_s:
                # Behind the request: who has a good key does not wait for the issuer.
                self._fetch()
            return known
        if (fetching := self._fetch()) is not None:
            await asyncio.wait({fetching})
        if self._fetched_at < self._tried_at:
            raise KeysUnavailable
        return self._keys.get(kid)

    async def close(self) -> None:
        """Frees all connections."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait({self._fetching})
        await self._http.aclose()

    def _fetch(self) -> asyncio.Task[None] | None:
        """The fetch under way or a new one, shared by all who need it; None too soon after the last."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        now = self._now()
        if now - self._tried_at < self._times.pause_s:
            return None
        self._tried_at = now
        self._fetching = asyncio.create_task(self._renew(began_at=now), name="chat_api:jwks")
        return self._fetching

    async def _renew(self, began_at: float) -> None:
        try:
            async with asyncio.timeout(self._times.timeout_s):
                self._keys = _usable(orjson.loads(await self._document()))
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            _log.warning("the issuer's keys could not be fetched: %s: %s", type(error).__name__, error)
        else:
            self._fetched_at = began_at

    async def _document(self) -> bytes:
        body = b""
        async with self._http.stream("GET", self._url) as response:
            response.raise_for_status()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise ValueError("too large")
        return body


def _usable(document: Any) -> dict[str, jwt.PyJWK]:
    """Public keys for signatures, by their ids; raises ValueError for none, and the old ones stay."""
    listed: Any = cast(dict[str, Any], document).get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no key set")
    found = [_key(one) for one in cast(list[Any], listed)[:KEYS_MAX]]
    keys = {key.key_id: key for key in found if key is not None and key.key_id}
    if not keys:
        raise ValueError("no usable key")
    return keys


def _key(listed: Any) -> jwt.PyJWK | None:
    if not isinstance(listed, dict):
        return None
    fields = cast(dict[str, Any], listed)
    # A secret key in a public document is anybody's.
    if not isinstance(fields.get("kid"), str) or fields.get("kty") == "oct" or fields.get("use") == "enc":
        return None
    try:
        return jwt.PyJWK(fields)
    except jwt.PyJWTError:
        return None

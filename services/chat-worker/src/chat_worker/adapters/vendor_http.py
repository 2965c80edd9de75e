"""HTTP to one outside vendor: limits, tries, spans and typed errors in one place."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from ssl import SSLContext
from typing import Any, TypeVar

import httpx
import orjson
from eco2_telemetry import propagation
from opentelemetry.trace import Tracer
from pydantic import SecretStr, TypeAdapter, ValidationError
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from chat_worker.adapters.vendor_http_reply import body_of, error_of
from chat_worker.adapters.vendor_http_traces import client_span, keep_queries_out_of_logs
from chat_worker.errors import AuthError, BadRequest, SchemaDrift, Transient, VendorError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FAULTS = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError)

T = TypeVar("T")
Params = Mapping[str, str | int | float | SecretStr]
Read = Callable[[bytes], T]
Refusal = Callable[[int, bytes], VendorError | None]
"""Reads the vendor's own error body; None leaves it to the HTTP status."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a call may cost; `budget_s` is for all tries of one call together."""

    connect_s: float = 3.0
    read_s: float = 5.0
    pool_s: float = 2.0
    budget_s: float = 8.0
    tries: int = 3
    wait_s: float = 0.2
    reply_max_bytes: int = 2_000_000
    connections: int = 10


DEFAULT_LIMITS = HttpLimits()


class VendorHttp:
    """A vendor's HTTP interface.

    Every call raises a VendorError. A Transient fault is tried again, also when `read` finds it in the body.
    Neither logs, errors nor spans hold a query or a header, which is where the keys are; and the vendor is
    not told of our traces.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        tracer: Tracer,
        *,
        headers: Mapping[str, str] | None = None,
        limits: HttpLimits = DEFAULT_LIMITS,
        refusal: Refusal | None = None,
    ) -> None:
        keep_queries_out_of_logs()
        self.name = name
        self._tracer = tracer
        self._limits = limits
        self._refusal = refusal
        headers = {name: value.strip() for name, value in (headers or {}).items()}
        self._is_sendable = all(map(_is_header_text, headers.values()))
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"Accept-Encoding": "gzip", **(headers if self._is_sendable else {})},
            timeout=httpx.Timeout(limits.read_s, connect=limits.connect_s, pool=limits.pool_s),
            limits=httpx.Limits(max_connections=limits.connections, max_keepalive_connections=2),
            verify=_tls(),
            follow_redirects=False,
            # A proxy of the environment has no business between us and our own machine.
            trust_env=httpx.URL(base_url).host not in LOOPBACK,
        )

    async def get(self, path: str, params: Params, read: Read[T]) -> T:
        """What `read` makes of the reply to a GET; it may raise a VendorError itself."""
        plain = {name: _revealed(value) for name, value in params.items()}
        return await self._call(self._request("GET", path, params=plain), path, read)

    async def post(self, path: str, body: Mapping[str, Any], read: Read[T]) -> T:
        """What `read` makes of the reply to a POST of JSON."""
        headers = {"Content-Type": "application/json"}
        request = self._request("POST", path, content=orjson.dumps(body), headers=headers)
        return await self._call(request, path, read)

    async def get_json(self, path: str, params: Params) -> Any:
        """The JSON reply to a GET."""
        return await self.get(path, params, self.json)

    async def get_bytes(self, path: str, params: Params) -> bytes:
        """The bare reply to a GET."""
        return await self.get(path, params, bytes)

    async def post_json(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON reply to a POST of JSON."""
        return await self.post(path, body, self.json)

    def json(self, body: bytes) -> Any:
        """Parses a reply; raises SchemaDrift."""
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            raise SchemaDrift(f"{self.name}: the reply is no JSON") from None

    def shaped(self, shape: TypeAdapter[T], value: Any) -> T:
        """The value as the type it should have; raises SchemaDrift."""
        try:
            return shape.validate_python(value)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise SchemaDrift(f"{self.name}: {error.error_count()} unexpected fields, {where}") from None

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.aclose()

    def _request(self, method: str, path: str, **parts: Any) -> httpx.Request:
        # A path may come from a vendor's own listing; an absolute one would take the key elsewhere.
        if not path.startswith("/"):
            raise BadRequest(f"{self.name}: a path begins with a slash")
        try:
            return self._client.build_request(method, path, **parts)
        except httpx.InvalidURL:
            raise BadRequest(f"{self.name}: no URL can be made of this") from None

    async def _call(self, request: httpx.Request, path: str, read: Read[T]) -> T:
        if not self._is_sendable:
            raise AuthError(f"{self.name}: the key holds characters that no header can hold")
        tries = AsyncRetrying(
            retry=retry_if_exception_type(Transient),
            stop=stop_after_attempt(self._limits.tries) | stop_before_delay(self._limits.budget_s),
            wait=wait_random_exponential(multiplier=self._limits.wait_s, max=2),
            reraise=True,
        )
        try:
            async with asyncio.timeout(self._limits.budget_s):
                return await tries(self._try, request, path, read)
        except TimeoutError:
            raise Transient(f"{self.name}: no answer within {self._limits.budget_s:g} s") from None

    async def _try(self, request: httpx.Request, path: str, read: Read[T]) -> T:
        with client_span(self._tracer, self.name, request, path) as span:
            request.headers.update(propagation.inject_for_vendor())
            try:
                response = await self._client.send(request, stream=True)
                try:
                    span.set_attribute("http.response.status_code", response.status_code)
                    body = await body_of(self.name, response, self._limits.reply_max_bytes)
                finally:
                    await response.aclose()
            # Their texts may quote the URL or a header.
            except _FAULTS as error:
                raise Transient(f"{self.name}: {type(error).__name__}") from None
            except httpx.HTTPError as error:
                raise BadRequest(f"{self.name}: {type(error).__name__}") from None
            if response.status_code != 200:
                raise self._refused(response.status_code, body)
            return read(body)

    def _refused(self, status: int, body: bytes) -> VendorError:
        if self._refusal and (error := self._refusal(status, body)):
            return error
        return error_of(status)(f"{self.name}: HTTP {status}")


@cache
def _tls() -> SSLContext:
    """One for all vendors: reading the certificates takes 20 ms."""
    return httpx.create_ssl_context()


def _is_header_text(value: str) -> bool:
    """Whatever is not, httpcore would quote in its log."""
    return value.isascii() and value.isprintable()


def _revealed(value: str | int | float | SecretStr) -> str | int | float:
    return value.get_secret_value() if isinstance(value, SecretStr) else value

"""A vendor on a loopback port: answers with whatever it is told to, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class Reply:
    """One reply; with `hangs` the connection stays open and nothing is said."""

    body: bytes
    status: int = 200
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    hangs: bool = False


HANGS = Reply(b"", hangs=True)


def json_reply(value: Any, status: int = 200) -> Reply:
    return Reply(orjson.dumps(value), status)


def xml_reply(text: str, status: int = 200) -> Reply:
    return Reply(text.encode(), status, "text/xml")


def gateway_error(code: str, status: int = 200) -> Reply:
    """How the public data portal's gateway says no, whatever format was asked for."""
    return xml_reply(
        "<OpenAPI_ServiceResponse><cmmMsgHeader><errMsg>SERVICE ERROR</errMsg>"
        f"<returnAuthMsg>SOME_REASON</returnAuthMsg><returnReasonCode>{code}</returnReasonCode>"
        "</cmmMsgHeader></OpenAPI_ServiceResponse>",
        status,
    )


@dataclass(frozen=True)
class Asked:
    """A request; `query` is decoded once, as a server does."""

    method: str
    path: str
    query: dict[str, str]
    raw_query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class VendorServer:
    """Each path answers with the next of its replies; the last one again and again."""

    base_url: str = ""
    asked: list[Asked] = field(default_factory=list[Asked])
    _replies: dict[str, list[Reply]] = field(default_factory=dict[str, list[Reply]])

    def answer(self, path: str, *replies: Reply) -> None:
        """Sets what a path answers from now on."""
        self._replies[path] = list(replies)

    def queries(self, path: str) -> list[dict[str, str]]:
        """What was asked of a path so far."""
        return [asked.query for asked in self.asked if asked.path == path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw_query = request.url.raw_query_string
        query = dict(parse_qsl(raw_query, keep_blank_values=True))
        body = await request.read()
        self.asked.append(Asked(request.method, request.path, query, raw_query, dict(request.headers), body))
        replies = self._replies.get(request.path) or [Reply(b"no such path", 404, "text/plain")]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if reply.hangs:
            await asyncio.Event().wait()
        return web.Response(
            body=reply.body, status=reply.status, content_type=reply.kind, headers=dict(reply.headers)
        )


@asynccontextmanager
async def running_vendor() -> AsyncGenerator[VendorServer]:
    vendor = VendorServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", vendor.handle)
    server = TestServer(app, host="127.0.0.1", shutdown_timeout=0.1)
    await server.start_server(access_log=None)
    vendor.base_url = f"http://127.0.0.1:{server.port}"
    try:
        yield vendor
    finally:
        await server.close()

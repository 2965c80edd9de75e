"""Calls that read a body, of those only who may send one."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute

from chat_api.auth.access import Access


class GuardedRoute(APIRoute):
    """Knows its caller first: FastAPI reads a body, of megabytes, before it asks any dependency."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def known_first(request: Request) -> Response:
            access = cast(Access, request.app.state.access)
            request.state.caller = await access.caller(request.headers.getlist("authorization"))
            return await handle(request)

        return known_first

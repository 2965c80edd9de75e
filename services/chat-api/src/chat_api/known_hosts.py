"""The names that the API answers to where everybody may do everything.

A page elsewhere can have its own name lead to this machine (DNS rebinding): to the browser it is then of one
origin with the API, and only the `Host` of its requests tells.
"""

import ipaddress
from collections.abc import Set
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from chat_api import errors
from chat_api.auth.settings import AuthSettings

ANY = "*"


def known_hosts(settings: AuthSettings) -> Set[str] | None:
    """The names, in small letters; None where any will do: no page elsewhere has a caller's credential."""
    told = {name for part in settings.allowed_hosts.split(",") if (name := part.strip().lower())}
    if settings.auth_mode != "none" or ANY in told:
        return None
    return {"localhost", *told}


class KnownHosts:
    """ASGI middleware that refuses requests to other names.

    Unlike Starlette's, with a problem document, and not those without a `Host`: a browser always sends one, a
    probe need not. Nor those to an address, which no page elsewhere can have for a name.
    """

    def __init__(self, app: ASGIApp, names: Set[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_known(Headers(scope=scope).get("host", "")):
            await errors.unknown_host(Request(scope))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_known(self, host: str) -> bool:
        if not host:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

"""Callers with access keys, and an issuer of tokens that is up, down or has other keys by now."""

import contextlib
import time
from collections.abc import AsyncIterator
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import orjson
from aiohttp import web
from chat_api.auth.keys import digest_of
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.api import documented
from tests.api.services import World
from tests.api.serving import Api, client_of, serving

TICKET_SECRET = "a-secret-for-tests-of-enough-characters"
ALICE, BOB = "eco2_alice-and-a-random-tail", "eco2_bob-and-another-random-tail"
PAIRS = f"alice:{digest_of(ALICE).hex()}, bob:{digest_of(BOB).hex()}"
BY_KEY: dict[str, Any] = {"auth_mode": "api_key", "auth_api_keys": PAIRS, "ticket_secret": TICKET_SECRET}

ISSUER, AUDIENCE = "https://login.example/", "eco2-chat"


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


@contextlib.asynccontextmanager
async def known_as(api: Api, credential: str | None) -> AsyncIterator[Api]:
    """The same API, called with a credential or without any."""
    headers = {} if credential is None else bearer(credential)
    hooks: dict[str, list[Any]] = {"response": [documented.check]}
    # Nothing to verify on loopback; reading the authorities' certificates takes longer than a whole test.
    async with httpx.AsyncClient(
        base_url=api.url, headers=headers, timeout=20, event_hooks=hooks, trust_env=False, verify=False
    ) as client:
        yield Api(api.url, client, api.log)


@contextlib.asynccontextmanager
async def guarded(world: World, **changes: Any) -> AsyncIterator[Api]:
    """An API that knows Alice and Bob; nobody's credential is sent."""
    async with serving(world.services(**{**BY_KEY, **changes})) as (url, _), client_of(url) as client:
        yield Api(url, client, world.log)


def ticket_in(url: str) -> str:
    return parse_qs(urlsplit(url).query)["ticket"][0]


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    """One key per name for the whole run."""
    return ec.generate_private_key(ec.SECP256R1())


def jwk(kid: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, **more: Any) -> dict[str, Any]:
    kind: Any = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **more}


def token(
    key: Any = None, *, kid: Any = "one", alg: str = "ES256", expires_in_s: float = 60, **claims: Any
) -> str:
    """A token of the issuer's; a claim of None is left out."""
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "exp": int(time.time() + expires_in_s),
        **claims,
    }
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, ec_key("one") if key is None else key, algorithm=alg, headers={"kid": kid})


class Issuer:
    """Serves public keys over HTTP."""

    def __init__(self) -> None:
        self.url = ""
        self.keys = [jwk("one", ec_key("one"))]
        self.is_down = False
        self.asked = 0

    async def _serve(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.is_down:
            return web.Response(status=503)
        return web.Response(body=orjson.dumps({"keys": self.keys}), content_type="application/json")

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Issuer"]:
        app = web.Application()
        app.router.add_get("/keys", self._serve)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
            yield self
        finally:
            await runner.cleanup()

    def settings(self, **changes: Any) -> dict[str, Any]:
        """For an API that takes this issuer's tokens."""
        said: dict[str, Any] = {
            "auth_mode": "jwt",
            "auth_jwt_issuer": ISSUER,
            "auth_jwt_audience": AUDIENCE,
            "auth_jwt_jwks_url": self.url,
            "ticket_secret": TICKET_SECRET,
        }
        return {**said, **changes}

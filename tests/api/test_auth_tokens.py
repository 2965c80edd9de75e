"""Tokens of an issuer: only what it signed, for us, now."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import orjson
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.api import documented
from tests.api.credentials import AUDIENCE, Issuer, bearer, ec_key, guarded, jwk, known_as, rsa_key, token
from tests.api.services import MemoryWorld, new_id
from tests.api.serving import QUESTION, Api
from tests.api.viewer import Viewer, names
from tests.api.worker import answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEEWAY_S = 20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api() -> AsyncIterator[Api]:
    async with Issuer().open() as issuer:
        issuer.keys.append(jwk("rsa", rsa_key()))
        issuer.keys.append({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTMyYg", "kid": "shared"})
        issuer.keys.append({"kty": "unheard-of", "kid": "odd"})
        async with guarded(MemoryWorld(), **issuer.settings(auth_jwt_leeway_s=LEEWAY_S)) as made:
            yield made


async def code_of(api: Api, shown: str) -> str:
    """What a call with this token comes to: `job_not_found` is somebody who is let in."""
    response = await api.client.get(f"/api/v1/chat/{new_id()}", headers=bearer(shown))
    return response.json()["code"]


def pieces(header: dict[str, Any], claims: dict[str, Any]) -> bytes:
    return b".".join(base64.urlsafe_b64encode(orjson.dumps(one)).rstrip(b"=") for one in (header, claims))


def claims_of(shown: str) -> dict[str, Any]:
    return jwt.decode(shown, options={"verify_signature": False})


def by_hand(header: dict[str, Any], secret: bytes | None) -> str:
    """What PyJWT refuses to make: no signature, or an HMAC with whatever bytes."""
    signed = pieces(header, claims_of(token()))
    made = b"" if secret is None else hmac.digest(secret, signed, hashlib.sha256)
    return f"{signed.decode()}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def pem_of(key: Any) -> bytes:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, spki)


async def test_tokens_of_the_issuer_are_taken(api: Api) -> None:
    assert await code_of(api, token()) == "job_not_found"
    assert await code_of(api, token(rsa_key(), kid="rsa", alg="RS256")) == "job_not_found"
    assert await code_of(api, token(aud=["another", AUDIENCE])) == "job_not_found"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://login.example.evil/"},
        {"iss": None},
        {"aud": "another"},
        {"aud": []},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "a\0b"},
        {"sub": "x" * 300},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": int(time.time()) + 3_600},
    ],
    ids=str,
)
async def test_a_token_that_does_not_say_all_of_it_is_not_taken(api: Api, claims: dict[str, Any]) -> None:
    assert await code_of(api, token(**claims)) == "invalid_credential"


async def test_clocks_may_be_apart_by_the_leeway_and_no_more(api: Api) -> None:
    assert await code_of(api, token(expires_in_s=-LEEWAY_S / 2)) == "job_not_found"
    assert await code_of(api, token(nbf=int(time.time() + LEEWAY_S / 2))) == "job_not_found"
    assert await code_of(api, token(expires_in_s=-LEEWAY_S - 2)) == "credential_expired"
    assert await code_of(api, token(nbf=int(time.time() + LEEWAY_S + 20))) == "invalid_credential"


FORGERIES = {
    "none": lambda: by_hand({"alg": "none", "kid": "one"}, None),
    "none in capitals": lambda: by_hand({"alg": "NONE", "kid": "one"}, None),
    "no alg": lambda: by_hand({"kid": "one"}, None),
    "HMAC with the public key": lambda: by_hand({"alg": "HS256", "kid": "rsa"}, pem_of(rsa_key())),
    "HMAC with the other public key": lambda: by_hand({"alg": "HS256", "kid": "one"}, pem_of(ec_key("one"))),
    "HMAC with a published secret": lambda: by_hand(
        {"alg": "HS256", "kid": "shared"}, b"secret-secret-secret-secret-32b"
    ),
    "HMAC under an allowed name": lambda: by_hand({"alg": "RS256", "kid": "rsa"}, pem_of(rsa_key())),
    "an allowed alg with a key of another": lambda: token(kid="rsa"),
    "an alg that is not on the list": lambda: token(rsa_key(), kid="rsa", alg="PS256"),
    "somebody else's key": lambda: token(ec.generate_private_key(ec.SECP256R1())),
    "another kid": lambda: token(kid="two"),
    "no kid": lambda: jwt.encode(claims_of(token()), ec_key("one"), algorithm="ES256"),
    "kid as a path": lambda: token(kid="../../../../dev/null"),
    "kid as SQL": lambda: token(kid="x' UNION SELECT 'one"),
    "kid as an address": lambda: token(kid="https://evil.example/keys"),
    "kid as a list": lambda: by_hand({"alg": "ES256", "kid": ["one"]}, b"x"),
    "kid as null": lambda: by_hand({"alg": "ES256", "kid": None}, b"x"),
    "a key of its own": lambda: jwt.encode(
        claims_of(token()),
        ec_key("evil"),
        algorithm="ES256",
        headers={"kid": "evil", "jwk": jwk("evil", ec_key("evil")), "jku": "https://evil.example/keys"},
    ),
    "its own key under a known kid": lambda: jwt.encode(
        claims_of(token()),
        ec_key("evil"),
        algorithm="ES256",
        headers={"kid": "one", "jwk": jwk("one", ec_key("evil"))},
    ),
    "something critical": lambda: jwt.encode(
        claims_of(token()), ec_key("one"), algorithm="ES256", headers={"kid": "one", "crit": ["unknown"]}
    ),
    "changed claims": lambda: _with_claims(token(), sub="root"),
    "half a token": lambda: token().rpartition(".")[0],
    "dots": lambda: "..",
    "words": lambda: "let.me.in",
    "too much": lambda: token(sub="alice", note="x" * 9_000),
}


def _with_claims(shown: str, **claims: Any) -> str:
    header, _, signature = shown.split(".")
    body = base64.urlsafe_b64encode(json.dumps({**claims_of(shown), **claims}).encode()).rstrip(b"=").decode()
    return f"{header}.{body}.{signature}"


@pytest.mark.parametrize("name", FORGERIES)
async def test_what_the_issuer_did_not_sign_for_us_is_not_taken(api: Api, name: str) -> None:
    assert await code_of(api, FORGERIES[name]()) == "invalid_credential"


async def test_subjects_do_not_share_their_jobs(api: Api) -> None:
    async with known_as(api, token()) as alice, known_as(api, token(sub="bob")) as bob:
        job_id = await alice.new_job()

        assert (await bob.status(job_id)).status_code == 404
    # A later token of the same subject.
    async with known_as(api, token(expires_in_s=90)) as alice:
        assert (await alice.status(job_id)).status_code == 200


async def test_a_stream_ends_by_name_when_the_token_does() -> None:
    async with (
        Issuer().open() as issuer,
        guarded(MemoryWorld(), **issuer.settings(auth_jwt_leeway_s=0)) as api,
    ):
        shown = token(expires_in_s=5)
        async with known_as(api, shown) as alice:
            queued = await alice.submit()
        by_header = await Viewer.open(api.url, queued["events_url"].partition("?")[0], headers=bearer(shown))
        by_ticket = await Viewer.open(api.url, queued["events_url"])
        for viewer in (by_header, by_ticket):
            async with viewer:
                *_, last = await viewer.rest()

                assert (last.event, last.id) == ("credential_expired", None)
                assert last.json() == {"status_url": queued["status_url"]}
                documented.check_event(last.event, last.json())
                assert viewer.is_whole

        # Who comes back by itself, as browsers do, hears that it must not.
        async with await Viewer.open(api.url, queued["events_url"]) as again:
            assert again.status == 401
        async with known_as(api, token()) as alice:
            fresh = (await alice.status(queued["job_id"])).json()["events_url"]
        async with await Viewer.open(api.url, f"{fresh}&last_event_id=0-1") as resumed:
            await answer(api.log, queued["job_id"], "떼요")
            assert names(await resumed.rest())[-1] == "done"


async def test_other_protocols_streams_end_with_the_token_too() -> None:
    async with (
        Issuer().open() as issuer,
        guarded(MemoryWorld(), **issuer.settings(auth_jwt_leeway_s=0)) as api,
    ):
        asked = {"model": "eco2-chat", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
        async with known_as(api, token(expires_in_s=4)) as alice:
            told = (await alice.client.post("/v1/chat/completions", json=asked)).text

        assert "stream_broken_off" in told
        assert "[DONE]" not in told


async def test_a_whole_completion_is_not_waited_for_longer_than_its_token_lasts() -> None:
    async with (
        Issuer().open() as issuer,
        guarded(MemoryWorld(), **issuer.settings(auth_jwt_leeway_s=0)) as api,
    ):
        asked = {"model": "eco2-chat", "messages": [{"role": "user", "content": QUESTION}]}
        async with known_as(api, token(expires_in_s=4)) as alice:
            # Errors of this call have the protocol's shape, and not ours.
            alice.client.event_hooks = {}
            refused = await alice.client.post("/v1/chat/completions", json=asked)

        assert refused.status_code == 401
        assert refused.json()["error"]["code"] == "credential_expired"
        assert refused.json()["error"]["type"] == "authentication_error"

"""Access keys: who is let in, and who is not."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import pytest_asyncio
from chat_api.auth import keys

from tests.api import documented
from tests.api.credentials import ALICE, BOB, PAIRS, bearer, guarded, known_as
from tests.api.services import MemoryWorld, new_id
from tests.api.serving import Api, api_over
from tests.api.viewer import Viewer

UNLISTED = [
    ("POST", "/v1/chat/completions"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/eco2-chat"),
    ("POST", "/api/v1/ai-sdk/chat"),
    ("GET", "/api/v1/ai-sdk/chat/s-1/stream"),
    ("GET", "/api/v1/probe"),
]
OPEN = ["/livez", "/readyz", "/metrics", "/openapi.json", "/", "/page/app.js"]
LISTED = [
    (method.upper(), path.format(job_id=new_id(), session_id="s-1", picture_id=new_id()))
    for path, methods in documented.document()["paths"].items()
    for method in methods
    if path not in OPEN
]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api() -> AsyncIterator[Api]:
    async with guarded(MemoryWorld()) as made:
        yield made


@pytest.mark.parametrize(("method", "path"), [*LISTED, *UNLISTED])
@pytest.mark.parametrize("credential", [None, "eco2_of-nobody"])
async def test_no_call_is_answered_without_a_valid_key(
    api: Api, method: str, path: str, credential: str | None
) -> None:
    headers = {} if credential is None else bearer(credential)
    async with httpx.AsyncClient(base_url=api.url, trust_env=False, verify=False) as client:
        response = await client.request(method, path, headers=headers)

    assert response.status_code == 401
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="eco2"')
    assert ("invalid_token" in challenge) is (credential is not None)
    if path.startswith("/v1/"):
        assert response.json()["error"]["type"] == "authentication_error"
    else:
        documented.problem_of(401, dict(response.headers), response.content)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/chat", f"/api/v1/chat/{new_id()}/feedback", "/v1/chat/completions", "/api/v1/ai-sdk/chat"],
)
async def test_a_strangers_body_is_not_even_waited_for(api: Api, path: str) -> None:
    announced = {"Content-Type": "application/json", "Content-Length": "7000000"}

    async with await Viewer.open(api.url, path, headers=announced, method="POST") as stranger:
        assert stranger.status == 401


@pytest.mark.parametrize("path", OPEN)
async def test_what_tells_nothing_of_anybody_needs_no_key(api: Api, path: str) -> None:
    assert (await api.client.get(path)).status_code == 200


@pytest.mark.parametrize("key", [ALICE, BOB])
async def test_each_key_is_let_in(api: Api, key: str) -> None:
    async with known_as(api, key) as caller:
        queued = await caller.submit()

        assert (await caller.status(queued["job_id"])).json()["status"] == "queued"
        assert (await caller.client.get("/v1/models")).status_code == 200


@pytest.mark.parametrize(
    "shown",
    [
        [f"Basic {ALICE}"],
        [ALICE],
        ["Bearer"],
        [f"Bearer {ALICE}x"],
        [f"Bearer {ALICE[:-1]}"],
        [f"Bearer {ALICE.upper()}"],
        [f"Bearer {hashlib.sha256(ALICE.encode()).hexdigest()}"],
        [f"Bearer {BOB}", f"Bearer {ALICE}"],
        ["Bearer " + "x" * 20_000],
        ["Bearer \xff\xfe"],
    ],
)
async def test_what_is_no_key_lets_nobody_in(api: Api, shown: list[str]) -> None:
    headers = [(b"authorization", one.encode("latin-1")) for one in shown]
    response = await api.client.get(f"/api/v1/chat/{new_id()}", headers=headers)

    assert (response.status_code, response.json()["code"]) == (401, "invalid_credential")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
async def test_the_schemes_case_does_not_matter(api: Api, scheme: str) -> None:
    response = await api.client.get(
        f"/api/v1/chat/{new_id()}", headers={"Authorization": f"{scheme} {ALICE}"}
    )

    assert response.status_code == 404


FORGED = dict.fromkeys(("X-User-ID", "X-Forwarded-User", "X-Remote-User", "X-Api-Key", "X-Tenant"), "bob")


async def test_what_a_request_says_of_its_user_is_heard_by_nobody(api: Api) -> None:
    async with known_as(api, ALICE) as alice, known_as(api, BOB) as bob:
        job_id = (await alice.post(**FORGED)).json()["job_id"]

        assert (await bob.status(job_id)).status_code == 404
        assert (await alice.status(job_id)).status_code == 200
    assert (await api.post(**FORGED)).status_code == 401


async def test_without_authentication_everybody_is_the_same_whatever_they_say() -> None:
    async with api_over(MemoryWorld()) as open_api:
        queued = (await open_api.post(**FORGED)).json()

        assert "?" not in queued["events_url"]
        assert (await open_api.status(queued["job_id"])).status_code == 200


async def test_every_key_is_compared_in_constant_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def compare(shown: bytes, kept: bytes) -> bool:
        compared.append(kept)
        return hmac.compare_digest(shown, kept)

    monkeypatch.setattr(keys, "hmac", SimpleNamespace(compare_digest=compare))
    for key in (ALICE, BOB, "wrong"):
        compared.clear()
        async with known_as(api, key) as caller:
            await caller.client.get("/v1/models") if key != "wrong" else await caller.status(new_id())
        assert compared == [digest for _, digest in keys.read_pairs(PAIRS)]


async def test_a_second_key_of_the_same_name_reaches_the_same_jobs() -> None:
    pairs = f"alice:{keys.digest_of(ALICE).hex()}\nalice:{keys.digest_of('newer').hex()}\n"
    async with guarded(MemoryWorld(), auth_api_keys=pairs) as api:
        async with known_as(api, ALICE) as before:
            job_id = await before.new_job()
        async with known_as(api, "newer") as after:
            assert (await after.status(job_id)).status_code == 200


async def test_a_key_that_the_command_made_lets_its_caller_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert keys.main(["carol"]) == 0
    key, pair = (line.split()[-1] for line in capsys.readouterr().out.splitlines())
    (file := tmp_path / "keys").write_text(f"{pair}\n{PAIRS}\n")

    async with guarded(MemoryWorld(), auth_api_keys="", auth_api_keys_file=file) as api:
        for one in (key, ALICE):
            async with known_as(api, one) as caller:
                await caller.submit()
    assert key not in pair
    assert len(key) > 40


async def test_a_page_of_another_origin_may_send_its_credential() -> None:
    origin = "https://chat.example"
    async with guarded(MemoryWorld(), cors_origins=[origin]) as api:
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        response = await api.client.options("/api/v1/chat", headers=asked)

        assert response.status_code == 200
        assert "authorization" in response.headers["access-control-allow-headers"].lower()

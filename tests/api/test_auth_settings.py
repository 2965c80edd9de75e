"""What of access cannot work is told before anything listens."""

import io
from pathlib import Path
from typing import Any

import pytest
from chat_api.__main__ import main
from chat_api.app import create_app
from chat_api.auth import keys
from chat_api.auth.access import check_may_listen
from chat_api.auth.caller import UnusableSettings
from eco2_devservers import free_port

from tests.api.credentials import ALICE, BY_KEY, PAIRS
from tests.api.process import ApiProcess
from tests.api.services import memory_services, settings

BY_TOKEN: dict[str, Any] = {
    "auth_mode": "jwt",
    "auth_jwt_issuer": "https://login.example/",
    "auth_jwt_audience": "eco2-chat",
    "auth_jwt_jwks_url": "https://login.example/keys",
    "ticket_secret": BY_KEY["ticket_secret"],
}


def test_the_command_hashes_a_key_that_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ALICE}\n"))

    assert keys.main(["alice", "--stdin"]) == 0
    assert capsys.readouterr().out.split()[-1] == PAIRS.split(",")[0]
    with pytest.raises(SystemExit):
        keys.main(["with blanks"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ticket_secret": ""}, "TICKET_SECRET"),
        ({"ticket_secret": "short"}, "TICKET_SECRET"),
        ({"auth_api_keys": ""}, "AUTH_API_KEYS"),
        ({"auth_api_keys": f"alice:{ALICE}"}, "entry 1"),
        ({"auth_api_keys": f"{PAIRS},{PAIRS}"}, "twice"),
        ({"auth_api_keys_file": Path("/nowhere/keys"), "auth_api_keys": ""}, "AUTH_API_KEYS_FILE"),
        ({"auth_api_keys_file": Path("/nowhere/keys")}, "one of the two"),
        (BY_TOKEN | {"ticket_secret": ""}, "TICKET_SECRET"),
        (BY_TOKEN | {"auth_jwt_issuer": ""}, "AUTH_JWT_ISSUER"),
        (BY_TOKEN | {"auth_jwt_audience": ""}, "AUTH_JWT_AUDIENCE"),
        (BY_TOKEN | {"auth_jwt_jwks_url": ""}, "AUTH_JWT_JWKS_URL"),
        (BY_TOKEN | {"auth_jwt_jwks_url": "http://login.example/keys"}, "https"),
        (BY_TOKEN | {"auth_jwt_jwks_url": "file:///etc/keys"}, "https"),
        (BY_TOKEN | {"auth_jwt_algorithms": []}, "AUTH_JWT_ALGORITHMS"),
        (BY_TOKEN | {"auth_jwt_algorithms": ["RS256", "HS256"]}, "AUTH_JWT_ALGORITHMS"),
        (BY_TOKEN | {"auth_jwt_algorithms": ["none"]}, "AUTH_JWT_ALGORITHMS"),
    ],
)
def test_settings_that_would_let_the_wrong_ones_in_are_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UnusableSettings, match=told) as refused:
        create_app(memory_services(**{**BY_KEY, **changes}))
    assert ALICE not in str(refused.value)


async def test_a_process_without_the_secret_of_its_tickets_does_not_start() -> None:
    nowhere = f"{free_port()}"
    process = await ApiProcess.start(
        f"redis://127.0.0.1:{nowhere}/0",
        f"amqp://127.0.0.1:{nowhere}/",
        auth_mode="api_key",
        auth_api_keys=PAIRS,
    )
    try:
        assert await process.exit_code(within_s=60) == 1
    finally:
        await process.close()
    assert "chat-api does not start: TICKET_SECRET is missing" in process.errors
    assert "Traceback" not in process.errors


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", ""])
def test_without_authentication_nothing_listens_beyond_loopback(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AUTH_MODE", raising=False)
    monkeypatch.setattr("sys.argv", ["chat_api", "--host", host])

    assert main() == 1
    assert "AUTH_NONE_ANYWHERE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "changes"),
    [
        ("127.0.0.1", {}),
        ("127.8.8.8", {}),
        ("::1", {}),
        ("localhost", {}),
        ("0.0.0.0", {"auth_none_anywhere": True}),
        ("0.0.0.0", BY_KEY),
    ],
)
def test_loopback_the_operators_word_or_keys_let_it_listen(host: str, changes: dict[str, Any]) -> None:
    check_may_listen(settings(**changes), host)

"""Who may call a deployment: nobody by mistake."""

from typing import Any

import pytest
from chat_api.auth.access import check_may_listen, open_access
from chat_api.auth.caller import UnusableSettings
from chat_api.auth.keys import digest_of
from chat_api.known_hosts import known_hosts
from chat_api.settings import ApiSettings

from tests.deploy.compose import compose, example
from tests.deploy.rendered import config_of, workloads

EVERYWHERE = "0.0.0.0"
SECRETS = {"AUTH_API_KEYS": f"somebody:{digest_of('key').hex()}", "TICKET_SECRET": "s" * 32}


def told(environment: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> ApiSettings:
    """What a container with these variables has for settings."""
    for name in ApiSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, str(value))
    return ApiSettings(_env_file=None)  # type: ignore[call-arg]


def of_compose(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> ApiSettings:
    """`None` takes a variable of the example away."""
    chosen = {name: value for name, value in {**example(), **changes}.items() if value is not None}
    return told(compose(chosen)["services"]["chat-api-1"]["environment"], monkeypatch)


def test_the_example_serves_this_machine_without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = of_compose(monkeypatch)

    check_may_listen(settings, EVERYWHERE)
    assert open_access(settings).credentials is None


def test_the_containers_answer_to_the_names_that_others_call_them_by(monkeypatch: pytest.MonkeyPatch) -> None:
    names = known_hosts(of_compose(monkeypatch, ALLOWED_HOSTS="chat.example"))

    assert names == {"localhost", "chat-api-1", "chat-api-2", "chat.example"}


def test_without_the_examples_word_for_it_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnusableSettings):
        check_may_listen(of_compose(monkeypatch, AUTH_NONE_ANYWHERE=None), EVERYWHERE)


async def test_compose_can_be_told_who_may_call(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = {
        "AUTH_JWT_ISSUER": "https://login.example/",
        "AUTH_JWT_AUDIENCE": "eco2",
        "AUTH_JWT_JWKS_URL": "https://login.example/keys",
    }
    for mode in ({"AUTH_MODE": "api_key"}, {"AUTH_MODE": "jwt", **issuer}):
        settings = of_compose(monkeypatch, AUTH_NONE_ANYWHERE=None, **SECRETS, **mode)
        check_may_listen(settings, EVERYWHERE)
        access = open_access(settings)
        assert access.credentials is not None
        await access.close()


@pytest.mark.parametrize("overlay", ["dev", "prod"])
def test_a_cluster_serves_only_those_who_have_a_key(overlay: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(overlay, "chat-api")
    (api,) = [workload for workload in workloads(overlay) if workload.name == "chat-api"]
    referred = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in api.container["env"]}

    assert referred["TICKET_SECRET"] == {"name": "eco2-callers", "key": "TICKET_SECRET"}
    assert referred["AUTH_API_KEYS"]["name"] == "eco2-callers"
    with pytest.raises(UnusableSettings, match="TICKET_SECRET"):
        open_access(told(config, monkeypatch))
    assert open_access(told({**config, **SECRETS}, monkeypatch)).credentials is not None

"""The guide to operating names what is there: services, workloads, and settings that reach them."""

import re
from collections.abc import Iterator

import pytest
from chat_api.settings import ApiSettings
from chat_worker.settings import WorkerSettings
from pydantic_settings import BaseSettings

from tests.deploy.compose import compose, example
from tests.deploy.places import ROOT, names_of
from tests.deploy.rendered import manifests

NAMES = ("operate", "scale", "observability-setup")
GUIDES = [(ROOT / f"docs/guides/{name}.md").read_text("utf-8") for name in NAMES]
OPERATE = GUIDES[0]
NOT_HEARD = {
    # Files, which need a mount as well.
    "AUTH_API_KEYS_FILE", "TICKET_SECRET_FILE",
    # Put together of passwords.
    "AMQP_URL", "DATABASE_URL", "REDIS_URL",
    # Belong to stop_grace_period, to the image, and to the other name of the switch.
    "DRAIN_S", "METRICS_HOST", "METRICS_PORT", "LANGSMITH_TRACING",
}  # fmt: skip
OF_COMPOSE = {
    "AMQP_URL", "DATABASE_URL", "REDIS_URL", "CHARACTER_TARGET", "STAND_INS_URL", "IS_SAMPLE_DATA",
    "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "LANGCHAIN_TRACING_V2", "LANGSMITH_OTEL_ENABLED",
    "AUTH_NONE_ANYWHERE", "ALLOWED_HOSTS", "JOB_MAX_TOKENS", "LIMIT_OPEN_STREAMS",
}  # fmt: skip
"""What the compose file or its example sets to something else than a service has by itself."""
SERVED_BY = {"chat-api-1": ApiSettings, "chat-worker-1": WorkerSettings}


def told(service: str, environment: dict[str, str]) -> dict[str, str]:
    """What a container of the compose file has for variables."""
    return compose({**example(), **environment})["services"][service]["environment"]


def named_in_guides(settings: type[BaseSettings]) -> Iterator[str]:
    """The settings that an operator reads of."""
    for name in names_of(settings):
        if any(f"`{name}`" in guide or f"`{name}=" in guide for guide in GUIDES):
            yield name


@pytest.mark.parametrize("service", SERVED_BY)
def test_what_the_guides_speak_of_can_be_set_in_the_env_file(service: str) -> None:
    named = set(named_in_guides(SERVED_BY[service]))
    assert len(named) > 10

    heard = {name for name in named if "of-mine" in told(service, {name: "of-mine"}).get(name, "")}

    assert named - heard - NOT_HEARD == set()


@pytest.mark.parametrize("service", SERVED_BY)
def test_what_is_not_set_is_as_the_service_itself_has_it(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = SERVED_BY[service]
    given = {name: value for name, value in told(service, {}).items() if name in set(names_of(settings))}
    by_itself = settings(_env_file=None)  # type: ignore[call-arg]
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    in_compose = settings(_env_file=None)  # type: ignore[call-arg]

    changed = {
        name for name in given if getattr(in_compose, name.lower()) != getattr(by_itself, name.lower())
    }
    assert changed - OF_COMPOSE == set()


def test_a_command_of_compose_names_a_service() -> None:
    services = set(compose(example())["services"])
    named = re.findall(r"docker compose(?: --profile \w+)? (?:exec|up|logs) ([a-z][\w-]*)", OPERATE)
    assert {"redis", "load"} <= set(named)
    assert set(named) - services == set()


def test_a_command_of_kubectl_names_a_workload() -> None:
    kinds = {"deploy": "Deployment", "deployment": "Deployment", "job": "Job"}
    there = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests("prod")}
    found = re.findall(r"(?<= )(deploy|deployment|job)/([\w-]+)", OPERATE)
    named = {(kinds[kind], name) for kind, name in found}
    assert len(named) > 2
    assert named - there == set()


def test_a_roll_out_brings_workers_before_apis() -> None:
    section = OPERATE.partition("\n### A roll-out\n")[2].partition("\n### ")[0]
    steps = [line for line in section.splitlines() if line.startswith("kubectl ")]
    (workers,) = [i for i, step in enumerate(steps) if "'app.kubernetes.io/name!=chat-api'" in step]
    (waited,) = [i for i, step in enumerate(steps) if "rollout status deployment/chat-worker" in step]
    (everything,) = [i for i, step in enumerate(steps) if step == "kubectl apply -k k8s/overlays/prod"]
    assert workers < waited < everything

    labels = [one["metadata"]["labels"] for one in manifests("prod") if one["kind"] == "Deployment"]
    assert "chat-api" in {label["app.kubernetes.io/name"] for label in labels}

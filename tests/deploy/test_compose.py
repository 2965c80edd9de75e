import re
import tomllib
from typing import Any

import pytest
import yaml
from chat_api.server import ApiServer
from chat_worker.settings import WorkerSettings

from tests.deploy.compose import Missing, compose, example, mounted, seconds
from tests.deploy.places import ROOT, known_variables

PRODUCT = {
    "chat-api-1", "chat-api-2", "chat-worker-1", "chat-worker-2", "character",
    "rabbitmq", "redis", "postgres", "migrate",
}  # fmt: skip
OBSERVABILITY = {"jaeger", "prometheus", "alertmanager", "grafana", "redis-exporter"}
SECRETS = {"REDIS_PASSWORD", "RABBITMQ_USER", "RABBITMQ_PASSWORD", "POSTGRES_USER", "POSTGRES_PASSWORD"}
SECRETS |= {"GRAFANA_PASSWORD", "OPENAI_API_KEY"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return compose(example())["services"]


def _is_ours(service: dict[str, Any]) -> bool:
    return service["image"].startswith("eco2/")


def test_the_default_is_the_product_and_profiles_bring_the_rest(services: dict[str, Any]) -> None:
    profiles: dict[str, set[str]] = {}
    for name, service in services.items():
        profiles.setdefault(",".join(service.get("profiles", [])), set()).add(name)
    assert profiles == {"": PRODUCT, "sandbox": {"sandbox"}, "load": {"load"}, "observability": OBSERVABILITY}


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_has_no_default(name: str) -> None:
    environment = {key: value for key, value in example().items() if key != name}
    with pytest.raises(Missing, match=name):
        compose(environment)


def test_no_password_is_written_in_the_compose_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    written = re.findall(r"(?im)^\s*\w*(?:password|pass|_key|secret|token)\w*:\s*(.+)$", text)
    assert written
    assert [value for value in written if not value.startswith("${")] == []
    assert not re.search(r"://[^$\s/]*:[^$\s/@]+@", text)


def test_every_variable_of_the_example_is_one_that_compose_reads() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    read = set(re.findall(r"\$\{(\w+)", text)) | {"COMPOSE_PROFILES"}
    named = re.findall(r"(?m)^(?:# )?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"))
    assert set(named) - read == set()


def test_every_variable_of_our_services_is_a_setting_of_theirs(services: dict[str, Any]) -> None:
    strangers = {
        f"{name}: {variable}"
        for name, service in services.items()
        if _is_ours(service)
        for variable in service["environment"]
        if variable not in known_variables(re.sub(r"-\d$", "", name))
    }
    assert strangers == set()


def test_every_container_is_held_in(services: dict[str, Any]) -> None:
    for name, service in services.items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert int(service["user"].split(":")[0]) > 0, name
        if name != "redis-exporter":
            assert any(mount.startswith("/tmp") for mount in service["tmpfs"]), name


def test_every_image_has_an_exact_tag_and_no_digest(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert re.search(r":v?\d+(\.\d+){1,2}[\w.-]*$", service["image"]), name


def test_ports_are_published_on_this_machine_only_unless_told(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_whoever_is_waited_for_says_when_it_is_ready(services: dict[str, Any]) -> None:
    waited_for = {
        (other, condition["condition"])
        for service in services.values()
        for other, condition in service.get("depends_on", {}).items()
    }
    assert ("migrate", "service_completed_successfully") in waited_for
    for other, condition in waited_for - {("migrate", "service_completed_successfully")}:
        assert condition == "service_healthy"
        assert "healthcheck" in services[other] or _is_ours(services[other]), other


def test_api_and_workers_start_on_a_database_that_is_up_to_date(services: dict[str, Any]) -> None:
    for name in ("chat-api-1", "chat-api-2", "chat-worker-1", "chat-worker-2"):
        assert {"redis", "rabbitmq", "postgres", "migrate"} <= set(services[name]["depends_on"]), name
    assert services["migrate"]["entrypoint"] + services["migrate"]["command"] == [
        "python", "-m", "eco2_history", "upgrade",
    ]  # fmt: skip


def test_nobody_is_killed_while_it_drains(services: dict[str, Any]) -> None:
    hand_back_s, flush_s = 5, 2
    worker = services["chat-worker-1"]
    drain_s = WorkerSettings.model_validate({"drain_s": worker["environment"]["DRAIN_S"]}).drain_s
    assert seconds(worker["stop_grace_period"]) > drain_s + hand_back_s + flush_s
    grace_s = (ApiServer.__init__.__kwdefaults__ or {})["grace_s"]
    assert seconds(services["chat-api-1"]["stop_grace_period"]) > grace_s + flush_s
    character = services["character"]
    assert (
        seconds(character["stop_grace_period"])
        > float(character["environment"]["CHARACTER_GRACE_S"]) + flush_s
    )


def test_the_example_brings_the_sandbox_in_for_every_vendor(services: dict[str, Any]) -> None:
    worker = services["chat-worker-1"]["environment"]
    assert example()["COMPOSE_PROFILES"] == "sandbox"
    assert worker["OPENAI_BASE_URL"].startswith("http://sandbox:8090/")
    assert worker["STAND_INS_URL"] == "http://sandbox:8090"
    assert worker["IS_SAMPLE_DATA"] == "true"


def test_without_the_example_a_worker_asks_real_vendors() -> None:
    secrets = dict.fromkeys(SECRETS, "x")
    worker = compose(secrets)["services"]["chat-worker-1"]["environment"]
    assert (worker["STAND_INS_URL"], worker["IS_SAMPLE_DATA"]) == ("", "false")
    assert worker["OPENAI_BASE_URL"].startswith("https://")


def test_what_is_mounted_exists(services: dict[str, Any]) -> None:
    paths = [path for service in services.values() for path in mounted(service)]
    assert paths
    assert [path for path in paths if not path.exists()] == []


def test_redis_keeps_what_it_acknowledged() -> None:
    lines = (ROOT / "docker/redis/redis.conf").read_text().splitlines()
    assert {"appendonly yes", "maxmemory-policy noeviction"} <= set(lines)


def test_rabbitmq_has_its_management_and_its_metrics() -> None:
    assert (
        ROOT / "docker/rabbitmq/enabled_plugins"
    ).read_text() == "[rabbitmq_management,rabbitmq_prometheus].\n"


def test_prometheus_finds_every_container_of_the_product(services: dict[str, Any]) -> None:
    groups = yaml.safe_load((ROOT / "observability/prometheus/targets/compose.yml").read_text())
    hosts = {target.split(":")[0] for group in groups for target in group["targets"]}
    jobs = {group["labels"]["job"] for group in groups}
    assert hosts == (PRODUCT - {"postgres", "migrate", "redis"}) | {"redis-exporter"}
    assert jobs == {"chat-api", "chat-worker", "character", "rabbitmq", "redis"}


def test_the_version_of_the_images_is_the_product_s(services: dict[str, Any]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {s["image"].partition(":")[2] for s in services.values() if _is_ours(s)} == {version}

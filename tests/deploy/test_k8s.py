import json
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
from chat_api.server import ApiServer
from chat_worker.settings import WorkerSettings
from eco2_bus import topology

from tests.deploy.places import K8S, SERVICES, documents, known_variables
from tests.deploy.rendered import (
    Manifest,
    Workload,
    config_of,
    is_rendered,
    kustomizations,
    listed,
    manifests,
    sources,
    workloads,
)

SCHEMAS = Path(__file__).parent / "schemas"
VERSIONS = ("1.32", "1.37")
OVERLAYS = ("dev", "prod")
STORES = {"redis", "rabbitmq", "postgres"}
FLUSH_S, HAND_BACK_S = 2, 5


def _check(manifest: Manifest, version: str) -> None:
    own = SCHEMAS / f"{manifest['kind']}.json"
    if own.exists():
        jsonschema.validate(manifest, json.loads(own.read_text()))
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


def _of_kind(overlay: str, kind: str) -> dict[str, Manifest]:
    found = [m for m in manifests(overlay) if m["kind"] == kind]
    return {m["metadata"]["name"]: m for m in found}


def _ours(overlay: str) -> list[Workload]:
    return [workload for workload in workloads(overlay) if workload.name not in STORES]


@pytest.mark.parametrize("folder", kustomizations(), ids=lambda folder: folder.relative_to(K8S).as_posix())
def test_a_kustomization_names_files_that_exist_and_all_of_its_folder(folder: Path) -> None:
    named = list(listed(folder))
    assert [path for path in named if not path.exists()] == []
    files = {path.resolve() for path in folder.iterdir() if path.name != "kustomization.yaml"}
    assert files - {path.resolve() for path in named} == set()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_manifest_is_one_that_the_api_takes(overlay: str, version: str) -> None:
    checked = manifests(overlay)
    assert len(checked) > 20
    for manifest in checked:
        _check(manifest, version)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_source_is_valid_before_it_is_patched(overlay: str) -> None:
    for manifest in sources(K8S / "overlays" / overlay):
        # A patch of a component may be part of a manifest only; those are not listed as resources.
        _check(manifest, VERSIONS[0])


def test_a_misspelt_field_is_found() -> None:
    (deployment, *_) = documents(K8S / "base" / "chat-api.yaml")
    deployment["spec"]["template"]["spec"]["terminationGracePeriodSecond"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        _check(deployment, VERSIONS[0])
    (monitor, *_) = documents(K8S / "components" / "observability" / "service-monitors.yaml")
    monitor["spec"]["endpoint"] = []
    with pytest.raises(jsonschema.ValidationError):
        _check(monitor, VERSIONS[0])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_are_of_the_restricted_kind(overlay: str) -> None:
    namespace = _of_kind(overlay, "Namespace")["eco2"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for workload in workloads(overlay):
        pod, container = workload.pod["securityContext"], workload.container["securityContext"]
        assert pod["runAsNonRoot"] is True, workload.name
        assert pod["runAsUser"] > 0, workload.name
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}, workload.name
        assert container == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, workload.name
        assert workload.pod["automountServiceAccountToken"] is False, workload.name
        assert {"mountPath": "/tmp", "name": "tmp"} in workload.container["volumeMounts"], workload.name
        assert workload.container["resources"]["limits"]["memory"], workload.name
        assert workload.container["resources"]["requests"]["cpu"], workload.name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_link_of_a_service_is_taken_for_a_setting(overlay: str) -> None:
    """Kubernetes would set CHARACTER_PORT=tcp://..., which the settings of that service read."""
    assert "CHARACTER_PORT" in known_variables("character")
    for workload in workloads(overlay):
        assert workload.pod["enableServiceLinks"] is False, workload.name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_variable_is_a_setting_of_its_service(overlay: str) -> None:
    for workload in _ours(overlay):
        told = {variable["name"] for variable in workload.container.get("env", [])}
        if "envFrom" in workload.container:
            told |= set(config_of(overlay, workload.name))
        assert told, workload.name
        assert told - known_variables(workload.name) == set(), workload.name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_secrets_are_named_and_never_written(overlay: str) -> None:
    assert _of_kind(overlay, "Secret") == {}
    secret_words = ("PASSWORD", "PASS", "KEY", "SECRET", "REDIS_URL", "AMQP_URL", "DATABASE_URL")
    by_reference: dict[str, dict[str, Any]] = {}
    for workload in workloads(overlay):
        for variable in workload.container.get("env", []):
            if variable["name"].endswith(secret_words):
                by_reference[f"{workload.name}:{variable['name']}"] = variable["valueFrom"]["secretKeyRef"]
    for service in SERVICES[:3]:
        written = [name for name in config_of(overlay, service) if name.endswith(secret_words)]
        assert set(written) <= {"CHARACTER_TLS_KEY"}, service
    for sender in ("chat-worker", "chat-api"):
        assert by_reference[f"{sender}:LANGCHAIN_API_KEY"] == {
            "name": "langsmith-credentials",
            "key": "LANGCHAIN_API_KEY",
            "optional": True,
        }
    assert by_reference["chat-api:REDIS_URL"] == {"name": "eco2-stores", "key": "REDIS_URL"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_three_services_are_there_in_their_namespace(overlay: str) -> None:
    deployments = _of_kind(overlay, "Deployment")
    assert {"chat-api", "chat-worker", "character"} <= set(deployments)
    if is_rendered():
        outside = {m["kind"] for m in manifests(overlay) if m["metadata"].get("namespace") != "eco2"}
        assert outside == {"Namespace"}


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("service", SERVICES[:3])
def test_a_service_is_probed_spread_and_never_gone_at_once(overlay: str, service: str) -> None:
    (workload,) = [w for w in workloads(overlay) if w.name == service]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(workload.container)
    keys = {constraint["topologyKey"] for constraint in workload.pod["topologySpreadConstraints"]}
    assert keys == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    assert _of_kind(overlay, "PodDisruptionBudget")[service]["spec"]["maxUnavailable"] == 1
    assert workload.manifest["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nobody_is_killed_while_it_drains(overlay: str) -> None:
    pods = {workload.name: workload for workload in _ours(overlay)}

    def spare_s(service: str, drain_s: float) -> float:
        hook = pods[service].container.get("lifecycle", {}).get("preStop", {"sleep": {"seconds": 0}})
        given: float = pods[service].pod["terminationGracePeriodSeconds"]
        return given - hook["sleep"]["seconds"] - drain_s - FLUSH_S

    settings = WorkerSettings.model_validate(
        {name.lower(): value for name, value in config_of(overlay, "chat-worker").items()}
    )
    assert settings.drain_s > settings.job_deadline_s
    assert spare_s("chat-worker", settings.drain_s + HAND_BACK_S) > 0
    assert spare_s("chat-api", (ApiServer.__init__.__kwdefaults__ or {})["grace_s"]) > 0
    assert spare_s("character", float(config_of(overlay, "character")["CHARACTER_GRACE_S"])) > 0


def test_a_node_that_takes_none_of_ours_does_not_keep_the_others_empty() -> None:
    spread = [
        one for workload in workloads("prod") for one in workload.pod.get("topologySpreadConstraints", [])
    ]
    strict = [one for one in spread if one["whenUnsatisfiable"] == "DoNotSchedule"]
    assert len(strict) == (3 if is_rendered() else 0)
    assert {one.get("nodeTaintsPolicy") for one in strict} <= {"Honor"}


def test_the_schema_is_upgraded_by_a_job_before_anything_else() -> None:
    (job,) = [w for w in workloads("prod") if w.manifest["kind"] == "Job"]
    assert job.container["command"] == ["python", "-m", "eco2_history", "upgrade"]
    assert [variable["name"] for variable in job.container["env"]] == ["DATABASE_URL"]


def test_a_stream_passes_the_ingress_as_it_is_written() -> None:
    ingress = _of_kind("prod", "Ingress")["chat-api"]
    notes = {key.rpartition("/")[2]: value for key, value in ingress["metadata"]["annotations"].items()}
    assert notes["proxy-buffering"] == "off"
    assert min(int(notes["proxy-read-timeout"]), int(notes["proxy-send-timeout"])) >= 600
    paths = {path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]}
    assert "/api" in paths
    assert not {"/metrics", "/livez", "/readyz"} & paths
    # A prefix of "/" would let those three out.
    root = [p for p in ingress["spec"]["rules"][0]["http"]["paths"] if p["path"] == "/"]
    assert [path["pathType"] for path in root] == ["Exact"]


def test_what_scales_is_what_fills_up() -> None:
    hpa = _of_kind("prod", "HorizontalPodAutoscaler")["chat-api"]["spec"]
    pods = [metric["pods"]["metric"]["name"] for metric in hpa["metrics"] if metric["type"] == "Pods"]
    assert pods == ["chat_api_open_streams"]
    scaled = _of_kind("prod", "ScaledObject")["chat-worker"]["spec"]
    told = [trigger["metadata"] for trigger in scaled["triggers"]]
    assert [one["queueName"] for one in told] == list(topology.LANES)
    assert {one["mode"] for one in told} == {"QueueLength"}
    # Over AMQP KEDA counts what waits and not what is under way.
    assert {one["protocol"] for one in told} == {"http"}
    at_a_time = int(config_of("prod", "chat-worker")["WORKER_CONCURRENCY"])
    assert all(int(one["value"]) <= at_a_time for one in told)
    (reference,) = _of_kind("prod", "TriggerAuthentication")["chat-jobs"]["spec"]["secretTargetRef"]
    assert (reference["name"], reference["key"]) == ("eco2-stores", "RABBITMQ_MANAGEMENT_URL")


def test_the_scalers_own_the_replicas_where_it_is_rendered() -> None:
    deployments = _of_kind("prod", "Deployment")
    owned = {name for name, deployment in deployments.items() if "replicas" not in deployment["spec"]}
    assert owned == ({"chat-api", "chat-worker"} if is_rendered() else set())


def test_prometheus_knows_the_services_by_the_names_of_the_dashboards() -> None:
    monitors = _of_kind("prod", "ServiceMonitor")
    assert set(monitors) == {"chat-api", "chat-worker", "character"}
    services = _of_kind("prod", "Service")
    for name, monitor in monitors.items():
        assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/name"
        assert services[name]["metadata"]["labels"]["app.kubernetes.io/name"] == name
        ports = {port["name"] for port in services[name]["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports


def test_grpc_is_encrypted_in_production_and_trusted_by_its_callers() -> None:
    character, worker = config_of("prod", "character"), config_of("prod", "chat-worker")
    assert character["CHARACTER_PLAIN_OFF_LOOPBACK"] == "false"
    assert worker["CHARACTER_TLS"] == "true"
    (target,) = {worker["CHARACTER_TARGET"].removeprefix("dns:///").rpartition(":")[0]}
    assert target in _of_kind("prod", "Certificate")["character"]["spec"]["dnsNames"]

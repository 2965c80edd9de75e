"""Who may talk to whom: default-deny, and each edge that the picture of the product has."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.rendered import manifests, workloads

PICTURE_PROD = {
    "chat-api -> stores:6379", "chat-api -> stores:5672", "chat-api -> stores:5432",
    "chat-worker -> stores:6379", "chat-worker -> stores:5672", "chat-worker -> stores:5432",
    "chat-worker -> character:50051", "character <- chat-worker:50051", "chat-worker -> 0.0.0.0/0:443",
    "migrate -> stores:5432",
    "chat-api -> monitoring:4318", "chat-worker -> monitoring:4318", "character -> monitoring:4318",
    "chat-api <- monitoring:8000", "chat-worker <- monitoring:9100", "character <- monitoring:9101",
    "chat-api <- ingress-nginx:8000", "http01-solver <- ingress-nginx:8089",
    "* -> kube-dns:53", "* -> node-local-dns:53", "* -> 169.254.20.10/32:53",
}  # fmt: skip
OF_OTHERS = {"http01-solver"}
"""Pods that operators start in our namespace."""


def _names(selector: dict[str, Any]) -> list[str]:
    if "matchLabels" in selector:
        labels = selector["matchLabels"]
        # A pod that an operator starts has no such name, and is known by the last word of its own label.
        return [labels.get("app.kubernetes.io/name") or next(iter(labels)).rpartition("/")[2]]
    return [name for rule in selector.get("matchExpressions", []) for name in rule["values"]] or ["*"]


def _ends(peer: dict[str, Any]) -> list[str]:
    match peer:
        case {"ipBlock": block}:
            return [block["cidr"]]
        case {"podSelector": pods}:
            return _names(pods)
        case {"namespaceSelector": {"matchLabels": labels}}:
            return [labels.get("kubernetes.io/metadata.name", "stores")]
        case _:
            raise AssertionError(f"an edge to everybody: {peer}")


def edges(overlay: str) -> Iterator[str]:
    """`from -> to:port`, and `to <- from:port` for what is let in."""
    for policy in (m for m in manifests(overlay) if m["kind"] == "NetworkPolicy"):
        spec = policy["spec"]
        for key, peers, arrow in (("egress", "to", "->"), ("ingress", "from", "<-")):
            for rule in spec.get(key, []):
                for who in _names(spec["podSelector"]):
                    for end in (end for peer in rule[peers] for end in _ends(peer)):
                        yield from (f"{who} {arrow} {end}:{port['port']}" for port in rule["ports"])


@pytest.mark.parametrize("overlay", ["dev", "prod"])
def test_what_is_not_named_is_denied(overlay: str) -> None:
    policies = {m["metadata"]["name"]: m["spec"] for m in manifests(overlay) if m["kind"] == "NetworkPolicy"}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_production_has_the_edges_of_the_picture_and_no_other() -> None:
    assert set(edges("prod")) == PICTURE_PROD


def test_development_adds_the_stores_and_the_sandbox() -> None:
    of_prod = {edge for edge in PICTURE_PROD if "monitoring" in edge or "solver" in edge}
    stores = {
        f"{store} <- {caller}:{port}"
        for store, port in (("redis", 6379), ("rabbitmq", 5672), ("postgres", 5432))
        for caller in ("chat-api", "chat-worker")
    } | {"postgres <- migrate:5432"}
    sandbox = {"chat-worker -> sandbox:8090", "sandbox <- chat-worker:8090"}
    langsmith = {"chat-api -> 0.0.0.0/0:443"}
    assert set(edges("dev")) == (PICTURE_PROD - of_prod) | stores | sandbox | langsmith


@pytest.mark.parametrize("overlay", ["dev", "prod"])
def test_nobody_from_the_open_net_is_reached_at_an_inner_address(overlay: str) -> None:
    blocks = [
        peer["ipBlock"]
        for policy in manifests(overlay)
        if policy["kind"] == "NetworkPolicy"
        for rule in policy["spec"].get("egress", [])
        for peer in rule["to"]
        if "ipBlock" in peer
    ]
    wide = [block for block in blocks if not block["cidr"].endswith("/32")]
    assert wide
    for block in wide:
        assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(block["except"])


def test_every_port_that_is_let_in_is_open_in_its_container() -> None:
    opened = {
        (workload.name, port["containerPort"])
        for workload in workloads("prod")
        for port in workload.container.get("ports", [])
    }
    let_in = {
        (edge.split(" <- ")[0], int(edge.rpartition(":")[2])) for edge in edges("prod") if " <- " in edge
    }
    let_in = {(name, port) for name, port in let_in if name not in OF_OTHERS}
    assert let_in
    assert let_in - opened == set()

"""The manifests of an overlay: by kustomize where it is, and file by file anyway."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.deploy.places import K8S, documents

Manifest = dict[str, Any]
_FILES = ("resources", "components")


class Workload(NamedTuple):
    """A manifest that makes pods, and what it makes them of."""

    manifest: Manifest
    pod: Manifest

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def container(self) -> Manifest:
        (container,) = self.pod["containers"]
        return container


def kustomizations() -> list[Path]:
    """Every folder that has one."""
    return sorted(path.parent for path in K8S.rglob("kustomization.yaml"))


def listed(folder: Path) -> Iterator[Path]:
    """The files and folders that a kustomization names, patches and generated files included."""
    (told,) = documents(folder / "kustomization.yaml")
    for key in _FILES:
        yield from (folder / name for name in told.get(key, []))
    yield from (folder / patch["path"] for patch in told.get("patches", []) if "path" in patch)
    for generator in told.get("configMapGenerator", []):
        yield from (folder / name for name in generator.get("files", []))


def sources(folder: Path) -> list[Manifest]:
    """What an overlay takes in, as it lies in the files: nothing patched."""
    (told,) = documents(folder / "kustomization.yaml")
    found: list[Manifest] = []
    for key in _FILES:
        for path in (folder / name for name in told.get(key, [])):
            found += sources(path) if path.is_dir() else documents(path)
    return found


@cache
def manifests(overlay: str) -> list[Manifest]:
    """What kustomize makes of an overlay; the unpatched sources where neither it nor kubectl is installed."""
    folder = K8S / "overlays" / overlay
    command = _kustomize()
    if command is None:
        return sources(folder)
    # kubectl would look for a cluster and its cache.
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    made = subprocess.run([*command, folder], capture_output=True, text=True, env=environment, timeout=60)
    assert made.returncode == 0, made.stderr
    return [document for document in yaml.safe_load_all(made.stdout) if document]


def is_rendered() -> bool:
    """Whether manifests() are patched."""
    return _kustomize() is not None


def workloads(overlay: str) -> list[Workload]:
    """Whatever makes pods."""
    return [
        Workload(manifest, manifest["spec"]["template"]["spec"])
        for manifest in manifests(overlay)
        if manifest["kind"] in ("Deployment", "StatefulSet", "Job")
    ]


def config_of(overlay: str, service: str) -> dict[str, str]:
    """The config map of a service: rendered, or put together as kustomize merges them."""
    if is_rendered():
        maps = [m for m in manifests(overlay) if m["kind"] == "ConfigMap"]
        return next(m["data"] for m in maps if m["metadata"]["name"].startswith(f"{service}-"))
    return _generated(K8S / "overlays" / overlay, service)


def _generated(folder: Path, service: str) -> dict[str, str]:
    (told,) = documents(folder / "kustomization.yaml")
    data: dict[str, str] = {}
    for key in _FILES:
        for path in (folder / name for name in told.get(key, [])):
            if path.is_dir():
                data |= _generated(path, service)
    for generator in told.get("configMapGenerator", []):
        if generator["name"] == service:
            data |= dict(literal.split("=", 1) for literal in generator.get("literals", []))
    return data


def _kustomize() -> list[str] | None:
    for program, *arguments in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if (found := shutil.which(program)) is not None:
            return [found, *arguments]
    return None

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.places import ROOT, SERVICES

NEEDED = ROOT / "docker" / "needed.py"


def _instructions(service: str) -> list[str]:
    text = (ROOT / "docker" / service / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _final_stage(service: str) -> list[str]:
    lines = _instructions(service)
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM"))
    return lines[last:]


def _needed(*arguments: str) -> list[str]:
    asked = [sys.executable, str(NEEDED), *arguments]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_runs_as_nobody_special_and_tells_how_it_is(service: str) -> None:
    stage = _final_stage(service)
    users = [line.split()[1] for line in stage if line.startswith("USER")]
    assert users == ["10001:10001"]
    assert any(line.startswith("HEALTHCHECK") for line in stage)
    # The shell form would put a shell in front that keeps SIGTERM to itself.
    entry = [line for line in stage if line.startswith("ENTRYPOINT")]
    assert [json.loads(line.partition(" ")[2])[:2] for line in entry] == [["python", "-m"]]
    assert {"title", "description", "licenses", "version", "revision"} <= set(
        re.findall(r"org\.opencontainers\.image\.(\w+)", " ".join(stage))
    )


@pytest.mark.parametrize("service", SERVICES)
def test_what_builds_an_image_stays_out_of_it(service: str) -> None:
    stage = _final_stage(service)
    runs = [line for line in stage if line.startswith("RUN")]
    assert [line.split()[1] for line in runs] == ["install", "rm"]
    assert "site-packages/*" in runs[1]
    copied = [line for line in stage if line.startswith(("COPY", "ADD"))]
    assert [line.split()[-1] for line in copied] == ["/opt/eco2", "/opt/healthy.py"]


@pytest.mark.parametrize("service", SERVICES)
def test_the_base_has_a_tag_and_no_digest(service: str) -> None:
    arguments = [line for line in _instructions(service) if line.startswith("ARG PYTHON_IMAGE=")]
    assert arguments == ["ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm"]


def test_everything_from_outside_must_match_a_hash() -> None:
    script = (ROOT / "docker" / "install.sh").read_text()
    installs = re.findall(r"(?m)^pip .*\binstall\b.*$", script)
    fetching = [line for line in installs if "--dry-run" not in line and "--no-deps" not in line]
    assert fetching
    assert [line for line in fetching if "--require-hashes" not in line] == []


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_the_service_and_the_libraries_below_it(service: str) -> None:
    folders = {Path(line).relative_to(ROOT).as_posix() for line in _needed("folders", service)}
    expected = {
        "chat-api": {"libs/bus", "libs/history", "libs/telemetry"},
        "chat-worker": {"libs/bus", "libs/history", "libs/telemetry", "libs/character-api"},
        "character": {"libs/telemetry", "libs/character-api"},
        "sandbox": set[str](),
    }
    assert folders == expected[service] | {f"services/{service}"}


def test_only_what_a_service_needs_is_taken_from_the_lock(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"install": [{"metadata": {"name": "PyYAML"}}]}))
    lines = _needed("locked", str(report))
    assert lines[0].startswith("pyyaml==")
    assert all("--hash=sha256:" in line for line in lines[1:])


def test_every_version_that_the_lock_has_of_a_package_is_offered(tmp_path: Path) -> None:
    """Each with its marker: NumPy has one version for Python 3.11, and another for newer ones."""
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"install": [{"metadata": {"name": "numpy"}}]}))
    offered = [line for line in _needed("locked", str(report)) if line.startswith("numpy==")]
    lock = (ROOT / "requirements.lock").read_text().splitlines()
    locked = [line for line in lock if line.startswith("numpy==")]
    assert locked
    assert offered == locked


def test_a_package_that_the_lock_does_not_know_is_refused(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"install": [{"metadata": {"name": "stranger"}}]}))
    with pytest.raises(subprocess.CalledProcessError):
        _needed("locked", str(report))


def test_no_secret_and_no_cache_gets_into_a_build() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert "**/.env" in rules

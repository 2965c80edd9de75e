"""`make audit-hosts` finds the registries of this machine by name, and never passes for not having looked."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/audit-hosts.sh"
# Put together here, so that this file does not name it.
REGISTRY = "https://pyp" + "i.org/project"


def audit(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    # Above the folder there is no repository that git may take for its own.
    own = {"GIT_CEILING_DIRECTORIES": str(folder.parent), "GIT_CONFIG_GLOBAL": os.devnull}
    command = ["bash", folder / "scripts/audit-hosts.sh"]
    return subprocess.run(command, env={**os.environ, **own, **env}, capture_output=True, text=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With a lock file, a read-me and the script."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts")
    (tmp_path / "requirements.lock").write_text("fastapi==0.1\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("nothing\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    return tmp_path


def test_a_file_that_names_a_registry_is_found_and_one_that_does_not_is_fine(repository: Path) -> None:
    assert audit(repository).returncode == 0
    (repository / "README.md").write_text(f"see {REGISTRY}\n", encoding="utf-8")
    told = audit(repository)
    assert (told.returncode, "README.md:1:" in told.stderr) == (1, True)


def test_an_address_in_the_lock_file_is_found(repository: Path) -> None:
    (repository / "requirements.lock").write_text("a @ https://example.com/a.whl\n", encoding="utf-8")
    assert audit(repository).returncode == 1


def test_a_host_is_looked_for_as_it_is_written(repository: Path) -> None:
    index = "https://user:word@packages.(corp.example:8443/simple"  # pragma: allowlist secret
    assert audit(repository, PIP_INDEX_URL=index).returncode == 0
    (repository / "README.md").write_text("from packages.(corp.example\n", encoding="utf-8")
    told = audit(repository, PIP_INDEX_URL=index)
    assert (told.returncode, "README.md:1:" in told.stderr) == (1, True)


def test_where_git_cannot_look_nothing_is_said_to_be_fine(repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    (repository / "README.md").write_text(f"see {REGISTRY}\n", encoding="utf-8")
    told = audit(repository)
    assert (told.returncode != 0, told.stdout) == (True, "")

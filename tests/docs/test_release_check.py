"""`make release-check` refuses a version for what it is there to refuse, each in a line of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from release import check, packages, versions
from tests.api import documented

ROOT = versions.ROOT
VERSION = documented.document()["info"]["version"]
PLACES = sorted({place.partition(" ")[0] for place in versions.versions()})


class Tree:
    """A repository with the files that name the version, and the lines of a check of it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def change(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def git(self, *arguments: str) -> None:
        own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        who = ("-c", "user.name=any", "-c", "user.email=any@example.com")
        command = ["git", *who, *arguments]
        subprocess.run(command, cwd=self.folder, env={**os.environ, **own}, check=True, capture_output=True)

    def check(self, *, is_final: bool = False) -> dict[str, str]:
        """The line of each check, by its name."""
        holds = check.check(documented.document(), is_final=is_final)
        lines = self._capsys.readouterr().out.splitlines()
        assert holds is not any(line.startswith("FAILED") for line in lines)
        return {line[8:].partition(":")[0]: line for line in lines}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tree:
    for name in (*PLACES, "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(check, "_no_host", lambda: "none")
    for module in (check, versions):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(packages, "DIST", tmp_path / "dist")
    monkeypatch.setattr(check, "build", lambda _: 24)
    tree = Tree(tmp_path, capsys)
    tree.change(
        "CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n### Added\n\n- One thing.\n- Another.\n"
    )
    tree.git("init", "--quiet")
    tree.git("add", ".")
    tree.git("commit", "--quiet", "--message", "first")
    return tree


@pytest.mark.parametrize("place", PLACES)
def test_a_place_with_another_version_or_with_none_is_seen(tree: Tree, place: str) -> None:
    assert set(versions.versions().values()) == {VERSION}
    tree.change(place, VERSION, "9.8.7")
    assert [where.partition(" ")[0] for where, said in versions.versions().items() if said == "9.8.7"] == [
        place
    ]

    (tree.folder / place).write_text('[project]\nname = "x"\nversion = ""\n', encoding="utf-8")
    assert set(versions.versions().values()) - {VERSION} <= {"", versions.NOT_FOUND}
    assert len(set(versions.versions().values())) == 2


def test_another_version_somewhere_is_named(tree: Tree) -> None:
    tree.change("docker-compose.yml", VERSION, "9.8.7")
    assert "'docker-compose.yml (1)': '9.8.7'" in tree.check()["one version"]


def test_what_is_unreleased_waits_for_a_later_version_but_not_when_this_one_goes_out(tree: Tree) -> None:
    assert "changes for a later one" in tree.check()["changelog"]
    assert tree.check(is_final=True)["changelog"].startswith("FAILED  changelog: CHANGELOG.md has ")
    text = (tree.folder / "CHANGELOG.md").read_text(encoding="utf-8")
    (tree.folder / "CHANGELOG.md").write_text(f"## [{VERSION}]{text.partition(f'## [{VERSION}]')[2]}")
    assert tree.check(is_final=True)["changelog"].startswith("ok ")


def test_a_version_that_has_been_is_not_released_again_and_none_goes_back(tree: Tree) -> None:
    assert tree.check(is_final=True)["tags"] == "ok      tags: none yet"
    tree.git("tag", "v0.0.9")
    assert tree.check(is_final=True)["tags"].startswith("ok ")
    tree.git("tag", f"v{VERSION}")
    assert tree.check()["tags"].startswith("ok ")
    assert f"v{VERSION} is there already" in tree.check(is_final=True)["tags"]
    tree.git("tag", "v10.0.0")
    assert "v10.0.0 is there already" in tree.check()["tags"]


def test_what_breaks_on_the_way_is_a_failed_line_and_the_rest_is_checked(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(_: str) -> int:
        raise subprocess.TimeoutExpired("uv build", 600)

    monkeypatch.setattr(check, "build", too_slow)
    shutil.rmtree(tree.folder / ".git")
    lines = tree.check()
    assert "timed out after 600" in lines["packages"]
    assert f"no wheel of the client's {VERSION}" in lines["client alone"]
    for name in ("tags", "tree"):
        assert lines[name].startswith("FAILED"), lines[name]
    assert lines["reference"].startswith("ok ")

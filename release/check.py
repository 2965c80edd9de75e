"""Everything that has to hold before a version goes out, each with its reason when it does not."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from release import LAST_RELEASED, REFERENCE, ROOT
from release.breaking import broken
from release.packages import NotBuilt, build, try_client
from release.reference import markdown
from release.versions import has_changes, last_tag, parts, unreleased, versions

Check = Callable[[], str]
"""Says what was found; raises Refused."""


class Refused(Exception):
    """A version must not go out like this; the text says why."""


def check(document: dict[str, Any], *, is_final: bool = False) -> bool:
    """Runs every check and prints a line for each; True when all hold.

    `is_final`: this very commit is to be tagged, so that nothing may be left for a later version.
    """
    holds = True
    for name, one in _checks(document, is_final):
        try:
            print(f"ok      {name}: {one()}", flush=True)
        except (Refused, NotBuilt, subprocess.SubprocessError, OSError) as refused:
            holds = False
            print(f"FAILED  {name}: {refused}", flush=True)
    return holds


def _checks(document: dict[str, Any], is_final: bool) -> Iterator[tuple[str, Check]]:
    version = document["info"]["version"]
    yield "one version", lambda: _one_version(version)
    yield "tags", lambda: _tags(version, is_final)
    yield "changelog", lambda: _changelog(version, is_final)
    yield "reference", lambda: _reference(document)
    yield "nothing taken from clients", lambda: _compatible(document)
    yield "no registry named", _no_host
    yield "tree", _clean_tree
    yield "packages", lambda: f"{build(version)} wheels and sdists in dist/"
    yield "client alone", lambda: try_client(version)


def _one_version(version: str) -> str:
    others = {place: said for place, said in versions().items() if said != version}
    if others:
        raise Refused(f"the API says {version}, but {others}")
    return f"{version} in {len(versions())} places"


def _tags(version: str, is_final: bool) -> str:
    last = last_tag(_git("tag", "--list", "v*"))
    if last is None:
        return "none yet"
    if parts(version) < parts(last) or (is_final and version == last):
        raise Refused(f"v{last} is there already, and the version is {version}")
    return f"v{last} was the last"


def _changelog(version: str, is_final: bool) -> str:
    if not has_changes(version):
        raise Refused(f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD`")
    waiting = unreleased()
    if waiting and is_final:
        raise Refused(f"CHANGELOG.md has {waiting} changes under Unreleased: they go out with {version}")
    return f"a section for {version}, {waiting} changes for a later one"


def _reference(document: dict[str, Any]) -> str:
    if REFERENCE.read_text(encoding="utf-8") != markdown(document):
        raise Refused("docs/reference/api.md is old: make reference")
    return f"{len(document['paths'])} paths"


def _compatible(document: dict[str, Any]) -> str:
    last = json.loads(LAST_RELEASED.read_text(encoding="utf-8"))
    if changes := broken(last, document):
        raise Refused("a change for /api/v2: " + "; ".join(changes))
    return f"all of {last['info']['version']} is still there"


def _no_host() -> str:
    done = subprocess.run([ROOT / "scripts/audit-hosts.sh"], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise Refused(done.stderr.strip())
    return done.stdout.strip()


def _clean_tree() -> str:
    if changed := _git("status", "--porcelain"):
        raise Refused(f"{len(changed)} files are not committed, {changed[0].split()[-1]} first")
    return "clean"


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise Refused(done.stderr.strip())
    return done.stdout.splitlines()

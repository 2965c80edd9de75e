"""What one service needs of this repository and of requirements.lock; run while its image is built."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def _normal(requirement: str) -> str:
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def _projects() -> dict[str, tuple[Path, list[str]]]:
    """Folder and dependencies of each of our packages that the build context has."""
    found: dict[str, tuple[Path, list[str]]] = {}
    for file in sorted(ROOT.glob("*/*/pyproject.toml")):
        project = tomllib.loads(file.read_text())["project"]
        found[project["name"]] = (file.parent, project["dependencies"])
    return found


def _closure(service: str) -> Iterator[tuple[Path, list[str]]]:
    projects = _projects()
    waiting, seen = [f"eco2-{service}"], set[str]()
    while waiting:
        name = waiting.pop()
        if name in projects and name not in seen:
            seen.add(name)
            yield projects[name]
            waiting += [_normal(dependency) for dependency in projects[name][1]]


def folders(service: str) -> Iterator[str]:
    """Our packages: the service and the libraries below it."""
    for folder, _ in _closure(service):
        yield str(folder)


def requirements(service: str) -> Iterator[str]:
    """What these packages want from others."""
    ours = _projects()
    for _, dependencies in _closure(service):
        yield from (wanted for wanted in dependencies if _normal(wanted) not in ours)


def _blocks() -> Iterator[str]:
    """Each pin of the lock with its hashes."""
    yield from re.split(r"\n(?=\S)", LOCK.read_text().strip())


def pins() -> Iterator[str]:
    """The lock without hashes: as constraints, hashes would be demanded of what is only looked at."""
    for block in _blocks():
        yield block.splitlines()[0].removesuffix("\\").strip()


def locked(report: str) -> Iterator[str]:
    """The blocks of the lock for what pip's report would install; raises KeyError for a stranger."""
    blocks: dict[str, list[str]] = {}
    for block in _blocks():
        # A package has a block for each version that some Python or platform takes.
        blocks.setdefault(_normal(block), []).append(block)
    for item in json.loads(Path(report).read_text())["install"]:
        yield from blocks[_normal(item["metadata"]["name"])]


if __name__ == "__main__":
    step, *given = sys.argv[1:]
    print(
        "\n".join(
            {"folders": folders, "requirements": requirements, "pins": pins, "locked": locked}[step](*given)
        )
    )

"""One version, wherever it is written."""

import re
import tomllib
from collections.abc import Iterable, Iterator

from release import ROOT

NOT_FOUND = "no version"
_DOCKERFILE = r"^ARG VERSION=(\S+)"
_WRITTEN = {
    "services/chat-api/src/chat_api/app.py": r'^\s+version="([^"]+)"',
    "Makefile": r"^VERSION \?= (\S+)",
    "k8s/overlays/prod/kustomization.yaml": r"newTag: ([^\s}]+)",
    "docker-compose.yml": r"image: eco2/[^:\s]+:(?:\$\{VERSION:-)?([^\s}]+)",
    ".env.example": r"^# VERSION=(\S+)",
    **{
        f"docker/{name}/Dockerfile": _DOCKERFILE
        for name in ("character", "chat-api", "chat-worker", "sandbox")
    },
}


def versions() -> dict[str, str]:
    """Every place that names the version, with what it says; NOT_FOUND where a place has none any more."""
    return dict(_versions())


def _versions() -> Iterator[tuple[str, str]]:
    for path in sorted(
        (
            ROOT / "pyproject.toml",
            *ROOT.glob("libs/*/pyproject.toml"),
            *ROOT.glob("services/*/pyproject.toml"),
        )
    ):
        yield (
            str(path.relative_to(ROOT)),
            tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"],
        )
    for file, pattern in _WRITTEN.items():
        found = re.findall(pattern, (ROOT / file).read_text(encoding="utf-8"), re.M) or [NOT_FOUND]
        for number, version in enumerate(found):
            yield f"{file} ({number + 1})", version


def has_changes(version: str) -> bool:
    """True when the changelog has a dated section for the version."""
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    return re.search(heading, _changelog(), re.M) is not None


def unreleased() -> int:
    """How many changes the changelog has for the version after the last one."""
    section = _changelog().partition("\n## [Unreleased]\n")[2].partition("\n## ")[0]
    return len(re.findall(r"^- ", section, re.M))


def last_tag(tags: Iterable[str]) -> str | None:
    """The highest version among tags such as `v1.2.3`; None when none is one."""
    found = [tag[1:] for tag in tags if re.fullmatch(r"v\d+\.\d+\.\d+", tag)]
    return max(found, key=parts, default=None)


def parts(version: str) -> tuple[int, ...]:
    """A version as numbers, which compare as versions do."""
    return tuple(int(part) for part in version.split("."))


def _changelog() -> str:
    return (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

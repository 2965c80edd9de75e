"""One version, wherever it is written."""

import re
import tomllib
from collections.abc import Iterator

from release import ROOT

_WRITTEN = {
    "services/chat-api/src/chat_api/app.py": r'^\s+version="([^"]+)"',
    "Makefile": r"^VERSION \?= (\S+)",
    "k8s/overlays/prod/kustomization.yaml": r"newTag: ([^\s}]+)",
}


def versions() -> dict[str, str]:
    """Every place that names the version, with what it says."""
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
        for number, found in enumerate(re.findall(pattern, (ROOT / file).read_text(encoding="utf-8"), re.M)):
            yield f"{file} ({number + 1})", found


def has_changes(version: str) -> bool:
    """True when the changelog has a dated section for the version."""
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    return re.search(heading, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M) is not None

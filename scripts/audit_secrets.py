"""Fails when a committed file holds what looks like a secret; says where, never what."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

from detect_secrets import plugins
from detect_secrets.filters.heuristic import is_indirect_reference
from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector
from detect_secrets.plugins.keyword import KeywordDetector

ROOT = Path(__file__).parent.parent
KEYWORDS = re.compile(r"key|pass|pwd|secret|token|contrase|credential", re.IGNORECASE)
DEPLOYED = re.compile(r"(docker|k8s|observability|grafana|scripts|services|libs)/|docker-compose|\.env")
"""Where `password = ...` counts too; tests and documents are full of made-up ones."""
STAND_INS = re.compile(
    # RabbitMQ's own default, what tests plant, and what .env.example says of itself.
    r"(guest|Secret7f3a|for-one-machine-only|stand-in)"
    # A reference to where the value is.
    r"|[$]?[{].*|[a-z0-9]+(-[a-z0-9]+)*-(tls|passwords|keys|credentials|ca|stores)\b.*|ro"
)
MADE_UP = "pragma: allowlist secret"
"""At the end of a line whose secret is none."""
NOISY = ("IPPublicDetector",)
_LOCKS = ("requirements.lock", "docker/build.lock")
_PICTURES = {".png", ".jpg", ".ico", ".webp"}


class OurKeys(RegexBasedDetector):
    """Keys of our vendors and of our own, which the library does not know."""

    secret_type = "key of a vendor or of ours"  # pragma: allowlist secret
    denylist = (
        re.compile(r"\btvly-(?:dev-|prod-)?[A-Za-z0-9]{20,}\b"),
        re.compile(r"\blsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}\b"),
        re.compile(r"\beco2_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
        re.compile(r"(?i)kakao[a-z_]*key['\"]?\s*[:=]\s*['\"]?([0-9a-f]{32})\b"),
        re.compile(r"(?i)(?:data_go_kr|service)_?key['\"]?\s*[:=]\s*['\"]?([A-Za-z0-9+/%]{60,}={0,2})"),
    )


def main(paths: Sequence[str] | None = None) -> int:
    """Scans the files of git, or those that are named."""
    files = sorted(paths or _committed())
    shapes = [OurKeys(), *(kind() for kind in _every(RegexBasedDetector) if kind is not OurKeys)]
    found = [f"{path}:{line}: {kind}" for path in files for line, kind in _secrets_in(path, shapes)]
    if found:
        print("\n".join(found), file=sys.stderr)
        print(f"what is none of these ends its line with `# {MADE_UP}`", file=sys.stderr)
        return 1
    print(f"no secret in {len(files)} files, looked for in {len(shapes) + 1} ways")
    return 0


def _every(kind: type[RegexBasedDetector]) -> list[type[RegexBasedDetector]]:
    for module in pkgutil.iter_modules(plugins.__path__):
        importlib.import_module(f"{plugins.__name__}.{module.name}")
    return [one for one in kind.__subclasses__() if not inspect.isabstract(one) and one.__name__ not in NOISY]


def _committed() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    paths = [path for path in listed.stdout.split("\0") if path and path not in _LOCKS]
    return [path for path in paths if Path(path).suffix not in _PICTURES and (ROOT / path).is_file()]


def _secrets_in(path: str, shapes: Sequence[RegexBasedDetector]) -> Generator[tuple[int, str]]:
    text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
    # The library's own scan takes minutes: it asks every detector about every line.
    likely: list[BasePlugin] = [one for one in shapes if any(shape.search(text) for shape in one.denylist)]
    if DEPLOYED.match(path):
        likely.append(KeywordDetector())
    for number, line in enumerate(text.splitlines() if likely else (), 1):
        if MADE_UP in line:
            continue
        for detector in likely:
            if isinstance(detector, KeywordDetector) and not KEYWORDS.search(line):
                continue
            for secret in detector.analyze_line(filename=path, line=line, line_number=number):
                if not STAND_INS.fullmatch(secret.secret_value or "") and not is_indirect_reference(line):
                    yield number, secret.type


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

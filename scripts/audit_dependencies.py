"""Asks a vulnerability service about every pin of the locks; says so plainly when it cannot be asked.

Exit code 0: nothing is known, or not audited; 1: something is. With `--required`, not audited is 1 as well.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "docker/build.lock")
SERVICE = "https://api.osv.dev"
TIMEOUT_S = 15.0
AT_ONCE = 500
IGNORED: dict[str, str] = {}
"""Ids of what does not concern us, each with the reason."""
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


class Pin(NamedTuple):
    """A package of exactly this version."""

    name: str
    version: str


class NotAudited(Exception):
    """The service cannot be reached or does not answer as it should."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--required", action="store_true", help="fail when the service cannot be asked")
    options = parser.parse_args(arguments)
    pins = sorted({pin for lock in LOCKS for pin in pins_of((ROOT / lock).read_text(encoding="utf-8"))})
    service = os.environ.get("OSV_URL", SERVICE)
    try:
        known = known_of(service, pins)
    except NotAudited as error:
        print(f"not audited: {len(pins)} pinned packages, because {service} {error}", file=sys.stderr)
        return 1 if options.required else 0
    for pin, ids in known.items():
        print(f"{pin.name} {pin.version}: {', '.join(ids)}", file=sys.stderr)
    if known:
        return 1
    print(f"nothing is known against {len(pins)} pinned packages")
    return 0


def pins_of(lock: str) -> list[Pin]:
    """The pins of a requirements file."""
    return [Pin(match[1].lower(), match[2]) for match in _PIN.finditer(lock)]


def known_of(service: str, pins: Sequence[Pin]) -> dict[Pin, list[str]]:
    """The ids of what is known against each pin that has any; raises NotAudited."""
    known: dict[Pin, list[str]] = {}
    with httpx.Client(base_url=service, timeout=TIMEOUT_S) as client:
        for first in range(0, len(pins), AT_ONCE):
            some = pins[first : first + AT_ONCE]
            for pin, result in zip(some, _asked(client, some), strict=True):
                ids = [one["id"] for one in result.get("vulns", []) if one["id"] not in IGNORED]
                if ids:
                    known[pin] = ids
    return known


def _asked(client: httpx.Client, pins: Sequence[Pin]) -> list[dict[str, Any]]:
    queries = [{"package": {"name": pin.name, "ecosystem": "PyPI"}, "version": pin.version} for pin in pins]
    try:
        reply = client.post("/v1/querybatch", json={"queries": queries})
        reply.raise_for_status()
        results: list[dict[str, Any]] = reply.json()["results"]
    except httpx.HTTPStatusError as error:
        raise NotAudited(f"answers {error.response.status_code}") from None
    except httpx.HTTPError as error:
        raise NotAudited(f"cannot be reached ({type(error).__name__})") from None
    except (ValueError, KeyError, TypeError):
        raise NotAudited("answers something else") from None
    if len(results) != len(pins):
        raise NotAudited("left packages out")
    return results


if __name__ == "__main__":
    sys.exit(main())

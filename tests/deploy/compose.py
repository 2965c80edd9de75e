"""docker-compose.yml as a parser of compose files leaves it, without an engine."""

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.places import ROOT

_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?:(:?[-?])([^}]*))?\}")


class Missing(Exception):
    """A variable that must be set is not."""


def example() -> dict[str, str]:
    """What .env.example sets."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if line and not line.startswith("#")]
    return {
        name: shlex.split(value)[0] if value else "" for name, _, value in (x.partition("=") for x in told)
    }


def compose(environment: dict[str, str]) -> dict[str, Any]:
    """The file with its variables put in; raises Missing."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return _filled(yaml.safe_load(text), environment)


def _filled(node: Any, environment: dict[str, str]) -> Any:
    match node:
        case dict():
            return {key: _filled(value, environment) for key, value in node.items()}
        case list():
            return [_filled(value, environment) for value in node]
        case str():
            return _VARIABLE.sub(lambda found: _value(found, environment), node)
        case _:
            return node


def _value(found: re.Match[str], environment: dict[str, str]) -> str:
    name, operator, word = found.groups()
    if name is None:
        return "$"
    value = environment.get(name)
    if value is None or (not value and operator and operator[0] == ":"):
        if operator and operator.endswith("?"):
            raise Missing(name)
        return word or ""
    return value


def mounted(service: dict[str, Any]) -> list[Path]:
    """The files of this repository that a service mounts."""
    sources = [volume.split(":")[0] for volume in service.get("volumes", [])]
    return [ROOT / source for source in sources if source.startswith("./")]


def seconds(duration: str) -> float:
    """`90s`, `2m`."""
    return float(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]

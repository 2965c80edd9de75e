"""Where the files of a deployment are, and which variables each of our services knows."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import eco2_telemetry
import opentelemetry.environment_variables as otel_api
import opentelemetry.sdk.environment_variables as otel_sdk
import yaml
from chat_api.page_routes import PageSettings
from chat_api.settings import ApiSettings
from chat_worker.settings import WorkerSettings
from chat_worker.telemetry.switches import LangSmithSwitches
from eco2_character.settings import CharacterSettings
from eco2_sandbox.settings import Settings as SandboxSettings
from pydantic import AliasChoices
from pydantic_settings import BaseSettings

ROOT = Path(__file__).parents[2]
K8S = ROOT / "k8s"
SERVICES = ("chat-api", "chat-worker", "character", "sandbox")
_SETTINGS: dict[str, tuple[type[BaseSettings], ...]] = {
    "chat-api": (ApiSettings, PageSettings),
    "chat-worker": (WorkerSettings, LangSmithSwitches),
    "character": (CharacterSettings,),
    "sandbox": (SandboxSettings,),
    "migrate": (),
}
_OF_LIBRARIES = {
    # gRPC's own.
    "chat-worker": {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"},
    # eco2_history reads it itself.
    "migrate": {"DATABASE_URL"},
}


def names_of(settings: type[BaseSettings]) -> Iterator[str]:
    """Every environment variable of a class of settings."""
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        match field.validation_alias:
            case None:
                yield f"{prefix}{name}".upper()
            case AliasChoices(choices=choices):
                yield from (choice for choice in choices if isinstance(choice, str) and choice.isupper())
            case alias:
                yield str(alias)


def known_variables(service: str) -> set[str]:
    """What a service reads from its environment."""
    known = {name for settings in _SETTINGS[service] for name in names_of(settings)}
    if service != "sandbox":
        known |= _telemetry_variables()
    return known | _OF_LIBRARIES.get(service, set())


def _telemetry_variables() -> set[str]:
    """OpenTelemetry's own, and those that libs/telemetry names."""
    sources = "".join(path.read_text() for path in Path(eco2_telemetry.__path__[0]).glob("*.py"))
    named = set(re.findall(r'"((?:TELEMETRY|OTEL)_[A-Z_]+|ENVIRONMENT)"', sources))
    return named | {name for name in (*vars(otel_api), *vars(otel_sdk)) if name.startswith("OTEL_")}


def documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a YAML file."""
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]

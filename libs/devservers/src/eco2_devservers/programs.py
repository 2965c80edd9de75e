"""What has to be installed for the tests, and the Debian package that brings it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from eco2_devservers.postgres_server import postgres_programs
from eco2_devservers.rabbit_server import RABBIT_PROGRAMS


class MissingProgram(NamedTuple):
    """Something the tests need that this machine does not have."""

    name: str
    debian_package: str


def missing_programs() -> list[MissingProgram]:
    """Return what is not installed, each with the name of its Debian package."""
    return [wanted for wanted, is_here in _WANTED.items() if not is_here()]


def _on_path(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def _has_rabbit() -> bool:
    return (RABBIT_PROGRAMS / "rabbitmq-server").exists() and shutil.which("epmd") is not None


def _has_korean_font() -> bool:
    return any(Path("/usr/share/fonts").glob("**/NotoSansCJK*"))


_WANTED: dict[MissingProgram, Callable[[], bool]] = {
    MissingProgram("redis-server", "redis-server"): _on_path("redis-server"),
    MissingProgram("rabbitmq-server", "rabbitmq-server"): _has_rabbit,
    MissingProgram("postgres", "postgresql"): lambda: postgres_programs() is not None,
    MissingProgram("prometheus", "prometheus"): _on_path("prometheus"),
    MissingProgram("amtool", "prometheus-alertmanager"): _on_path("amtool"),
    MissingProgram("chromium", "chromium"): _on_path("chromium"),
    MissingProgram("Korean font", "fonts-noto-cjk"): _has_korean_font,
}

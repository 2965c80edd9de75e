"""Read the guide's data files out of the package."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from chat_worker.guide.schema import Guide


@cache
def load_guide() -> Guide:
    """Return the packaged guide, read and checked once; raises ValidationError on a faulty file."""
    root = files("chat_worker.guide")
    return Guide.model_validate(
        {"sources": _read(root / "sources.yaml"), "items": [*_entries(root / "items")]},
    )


def _entries(folder: Traversable) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".yaml"):
            family = _read(path)
            shared = {"material": family["material"], "sources": family["sources"]}
            yield from (shared | entry for entry in family["items"])


def _read(path: Traversable) -> dict[str, Any]:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)

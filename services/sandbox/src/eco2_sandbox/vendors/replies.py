"""What a stand-in vendor sends back, and how it refuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson

JSON = "application/json;charset=UTF-8"
XML = "application/xml;charset=UTF-8"
TEXT = "text/plain;charset=UTF-8"


@dataclass(frozen=True)
class Reply:
    """A reply: a value to send as JSON, or text that is sent as it stands."""

    content: Any
    status: int = 200
    media_type: str = JSON

    def encoded(self, renamed: Mapping[str, str]) -> bytes:
        """Return the body, with fields renamed where that was asked for."""
        if isinstance(self.content, str):
            return self.content.encode()
        return orjson.dumps(_renamed(self.content, renamed) if renamed else self.content)


class Refusal(Exception):
    """A request that the vendor refuses, with the reply that says so."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        fields = cast(dict[str, Any], value)
        return {names.get(name, name): _renamed(inner, names) for name, inner in fields.items()}
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in cast(list[Any], value)]
    return value

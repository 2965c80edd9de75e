"""JSON schemas in a reader's words."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "minimum": "from {:g}",
    "maximum": "to {:g}",
    "exclusiveMinimum": "above {:g}",
    "exclusiveMaximum": "below {:g}",
}


def kind(schema: Schema) -> str:
    """What a value is: `string`, `list of [Source](#source)`, `number or null`."""
    if "$ref" in schema:
        return link(name_of(schema))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(kind(one) for one in choices))
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {kind(schema['additionalProperties'])}"
    return str(schema.get("type", "anything"))


def notes(schema: Schema) -> str:
    """What holds of a value beside its kind, for a cell of a table."""
    return cell("; ".join(_notes(schema)))


def cell(text: str) -> str:
    """In one line, and without what would end the cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _notes(schema: Schema) -> Iterator[str]:
    if "description" in schema:
        yield schema["description"]
    for part in (schema, *schema.get("anyOf", ())):
        for name, words in _BOUNDS.items():
            if name in part:
                yield words.format(part[name])
        if "pattern" in part:
            yield f"as `{part['pattern']}`"
    default = schema.get("default")
    if default not in (None, "", {}, []) and not isinstance(default, Mapping):
        yield f"`{str(default).lower() if isinstance(default, bool) else default}` unless given"


def fields(schema: Schema) -> Iterator[str]:
    """A table of an object's fields."""
    required = schema.get("required", ())
    yield "| field | what | |"
    yield "|---|---|---|"
    for name, field in schema.get("properties", {}).items():
        mark = " *" if name in required else ""
        yield f"| `{name}`{mark} | {kind(field)} | {notes(field)} |"


def name_of(schema: Schema) -> str:
    """The name that a reference leads to."""
    return str(schema["$ref"]).rpartition("/")[2]


def link(name: str) -> str:
    """To the schema's place on the same page."""
    return f"[{name}](#{name.lower()})"

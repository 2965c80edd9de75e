"""Makes a small valid instance of a JSON schema."""

import math
import re
from typing import cast

from pydantic import JsonValue

from eco2_sandbox.brain.schema_parts import DEEPEST, Schema, UnfillableSchema, merged

_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "PT0S",
    "email": "eco2@example.com",
    "hostname": "example.com",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_PATTERN_TRIES = ["", *"aA0가", "aa", "00", "0000", "2026-01-01", "00:00", "a@example.com", "#000000"]


def instance_of(schema: Schema) -> JsonValue:
    """Return an instance with only what the schema requires; raises `UnfillableSchema`."""
    return _fill(schema, schema, 0, 0)


def _fill(schema: JsonValue, root: Schema, turn: int, depth: int) -> JsonValue:
    # `turn` numbers the entries of one list, so that they can differ where they must.
    if depth > DEEPEST:
        raise UnfillableSchema("The schema requires itself without end.")
    if schema is False:
        raise UnfillableSchema("A false schema has no instance.")
    if not isinstance(schema, dict):
        return None
    schema = merged(schema, root, depth)
    if "const" in schema:
        return schema["const"]
    if isinstance(options := schema.get("enum"), list) and options:
        return options[turn % len(options)]
    for choice in ("anyOf", "oneOf"):
        if isinstance(options := schema.get(choice), list):
            rest = {key: value for key, value in schema.items() if key != choice}
            return _first_fillable(options, rest, root, turn, depth)
    return _of_type(schema, root, turn, depth)


def _first_fillable(options: list[JsonValue], rest: Schema, root: Schema, turn: int, depth: int) -> JsonValue:
    for option in options:
        if not isinstance(option, dict):
            continue
        try:
            return _fill({**rest, **merged(option, root, depth)}, root, turn, depth + 1)
        except UnfillableSchema:
            continue
    raise UnfillableSchema("No option of the schema has an instance.")


def _of_type(schema: Schema, root: Schema, turn: int, depth: int) -> JsonValue:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = "null" if "null" in kind else kind[0]
    if kind == "object" or (kind is None and "properties" in schema):
        return _object(schema, root, depth)
    if kind == "array":
        return _array(schema, root, depth)
    if kind == "string":
        return _string(schema, turn)
    if kind in ("integer", "number"):
        return _number(schema, turn, whole=kind == "integer")
    return turn % 2 == 1 if kind == "boolean" else None


def _object(schema: Schema, root: Schema, depth: int) -> JsonValue:
    properties = schema.get("properties")
    shapes = properties if isinstance(properties, dict) else {}
    required = cast(list[str], schema.get("required") or [])
    return {name: _fill(shapes.get(name), root, 0, depth + 1) for name in dict.fromkeys(required)}


def _array(schema: Schema, root: Schema, depth: int) -> JsonValue:
    first = schema.get("prefixItems")
    shapes = list(first) if isinstance(first, list) else []
    least = max(cast(int, schema.get("minItems") or 0), 0)
    shapes = shapes[:least] + [schema.get("items")] * (least - len(shapes))
    return [_fill(shape, root, turn, depth + 1) for turn, shape in enumerate(shapes)]


def _string(schema: Schema, turn: int) -> str:
    if isinstance(form := schema.get("format"), str) and form in _FORMATS:
        return _FORMATS[form]
    least = cast(int, schema.get("minLength") or 0)
    if isinstance(pattern := schema.get("pattern"), str):
        fitting = [text for text in _PATTERN_TRIES if len(text) >= least and re.search(pattern, text)]
        if not fitting:
            raise UnfillableSchema(f"No text at hand fits the pattern {pattern}.")
        return fitting[turn % len(fitting)]
    return (str(turn) if turn else "").ljust(least, "-")


def _number(schema: Schema, turn: int, *, whole: bool) -> int | float:
    low = cast(float | None, schema.get("minimum", schema.get("exclusiveMinimum")))
    high = cast(float | None, schema.get("maximum", schema.get("exclusiveMaximum")))
    if not whole and "multipleOf" not in schema and low is not None and high is not None:
        return low + (high - low) / (2 + turn)
    step = cast(float, schema.get("multipleOf") or 1)
    value = 0.0 if (low is None or low <= 0) else math.ceil(low / step) * step
    if high is not None and value > high:
        value = math.floor(high / step) * step
    if value == schema.get("exclusiveMinimum"):
        value += step
    if value == schema.get("exclusiveMaximum"):
        value -= step
    value = float(value + turn * step)
    return int(value) if value.is_integer() else value

"""What a client may stumble over in one value's schema."""

from collections.abc import Iterator, Mapping
from typing import Any

from release.shapes import Schema

_UPPER = ("maxLength", "maximum", "maxItems", "exclusiveMaximum")
_LOWER = ("minLength", "minimum", "minItems", "exclusiveMinimum")
_JSON_TYPES = {bool: "boolean", str: "string", int: "integer", float: "number", type(None): "null"}


def narrowed(where: str, old: Schema, new: Schema, is_sent: bool) -> Iterator[str]:
    """In words; of an object or a list, not what is in it. `is_sent`: by the client, else it is read."""
    yield from _types(where, old, new, is_sent)
    before, after = _choices(old), _choices(new)
    if not is_sent:
        # A reader has to bear values that it does not know beside those that it does.
        if before and after and not before & after:
            yield f"{where}: is another value now"
        return
    if after is not None and (before is None or before - after):
        yield f"{where}: takes fewer values"
    if "default" in old and new.get("default", ...) != old["default"]:
        yield f"{where}: something else is meant where it is left out"
    is_narrower = any(new[bound] < old.get(bound, float("inf")) for bound in _UPPER if bound in new)
    is_narrower |= any(new[bound] > old.get(bound, float("-inf")) for bound in _LOWER if bound in new)
    if is_narrower or ("pattern" in new and new["pattern"] != old.get("pattern")):
        yield f"{where}: its limits are narrower"
    if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
        yield f"{where}: takes no other fields"


def resolved(document: Mapping[str, Any], schema: Schema) -> Schema:
    """The schema itself; of a choice with null, the other one, with null remembered."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    choices = schema.get("anyOf")
    if not choices:
        return schema
    others = [resolved(document, one) for one in choices if one.get("type") != "null"]
    types = sorted({str(one.get("type")) for one in others})
    or_null = ["null"] if len(others) < len(choices) else []
    # What stands beside the choice, such as a default, holds of the value whichever it is.
    beside = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**(others[0] if len(others) == 1 else {}), **beside, "type": [*types, *or_null]}


def _types(where: str, old: Schema, new: Schema, is_sent: bool) -> Iterator[str]:
    before, after = _types_of(old), _types_of(new)
    # No type at all is every type.
    if after and not before and is_sent:
        yield f"{where}: takes only {', '.join(sorted(after))}"
    elif before and not after and not is_sent:
        yield f"{where}: may now be anything"
    elif before and after and (lost := before - after if is_sent else after - before):
        yield f"{where}: {'no longer takes' if is_sent else 'may now be'} {', '.join(sorted(lost))}"


def _types_of(schema: Schema) -> set[str]:
    types = schema.get("type", [])
    named = {types} if isinstance(types, str) else set(types)
    return named or {_JSON_TYPES[type(value)] for value in _choices(schema) or ()}


def _choices(schema: Schema) -> set[Any] | None:
    """The values that it may have; None where any will do."""
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None

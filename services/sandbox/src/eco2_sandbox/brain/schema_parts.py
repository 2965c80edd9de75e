"""Brings the parts of a JSON schema together: references and `allOf`."""

from pydantic import JsonValue

Schema = dict[str, JsonValue]

# Deeper than any schema people write; a schema that needs itself has no finite instance.
DEEPEST = 40


class UnfillableSchema(ValueError):
    """The schema has no instance that can be found here."""


def merged(schema: Schema, root: Schema, depth: int) -> Schema:
    """Return the schema with its reference and its `allOf` parts laid into it."""
    if depth > DEEPEST:
        raise UnfillableSchema("The schema refers to itself without end.")
    parts: list[JsonValue] = []
    if isinstance(reference := schema.get("$ref"), str):
        parts.append(_resolve(reference, root))
    if isinstance(all_of := schema.get("allOf"), list):
        parts.extend(all_of)
    whole: Schema = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
    for part in parts:
        if isinstance(part, dict):
            whole = _laid_over(merged(part, root, depth + 1), whole)
    return whole


def _laid_over(under: Schema, over: Schema) -> Schema:
    both = {**under, **over}
    for key in ("properties", "required"):
        first, second = under.get(key), over.get(key)
        if isinstance(first, dict) and isinstance(second, dict):
            both[key] = {**first, **second}
        elif isinstance(first, list) and isinstance(second, list):
            both[key] = [*first, *second]
    return both


def _resolve(reference: str, root: Schema) -> JsonValue:
    node: JsonValue = root
    for step in reference.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or name not in node:
            raise UnfillableSchema(f"The reference {reference} leads nowhere.")
        node = node[name]
    return node

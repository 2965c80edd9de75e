"""What an API takes away from the clients of its last release."""

from collections.abc import Iterator, Mapping
from typing import Any

from release.shapes import Schema

Document = Mapping[str, Any]
_UPPER = ("maxLength", "maximum", "maxItems", "exclusiveMaximum")
_LOWER = ("minLength", "minimum", "minItems", "exclusiveMinimum")
_DEPTH_MAX = 12


def broken(old: Document, new: Document) -> list[str]:
    """Every change that a client of the old document may stumble over, in words; additions are none."""
    return list(dict.fromkeys(_calls(old, new)))


def _calls(old: Document, new: Document) -> Iterator[str]:
    for path, methods in old["paths"].items():
        for method, call in methods.items():
            title = f"{method.upper()} {path}"
            other = new["paths"].get(path, {}).get(method)
            if other is None:
                yield f"{title} is gone"
                continue
            compared = _Compared(old, new)
            yield from compared.parameters(title, call, other)
            yield from compared.bodies(title, call, other)
            yield from compared.answers(title, call, other)


class _Compared:
    """One call of both documents; schemas are read from the document that they stand in."""

    def __init__(self, old: Document, new: Document) -> None:
        self._old = old
        self._new = new

    def parameters(self, title: str, old: Document, new: Document) -> Iterator[str]:
        before = {(one["in"], one["name"].lower()): one for one in old.get("parameters", ())}
        after = {(one["in"], one["name"].lower()): one for one in new.get("parameters", ())}
        for key in before.keys() - after.keys():
            yield f"{title}: the parameter {key[1]} is gone"
        for key, one in after.items():
            was_required = key in before and before[key].get("required")
            if one.get("required") and not was_required:
                yield f"{title}: the parameter {key[1]} must be given now"
            if key in before:
                was, is_now = _stated(before[key]["schema"]), _stated(one["schema"])
                yield from self._schemas(f"{title} {key[1]}", was, is_now, True)

    def bodies(self, title: str, old: Document, new: Document) -> Iterator[str]:
        before, after = old.get("requestBody"), new.get("requestBody")
        if after and after.get("required") and not (before and before.get("required")):
            yield f"{title}: a body must be given now"
        yield from self._contents(f"{title} body", before, after, True)

    def answers(self, title: str, old: Document, new: Document) -> Iterator[str]:
        for status, answer in old["responses"].items():
            other = new["responses"].get(status)
            # A refusal that is never given any more harms nobody.
            if other is None and status < "4":
                yield f"{title}: the answer {status} is gone"
            elif other is not None:
                yield from self._contents(f"{title} {status}", answer, other, False)

    def _contents(
        self, where: str, old: Document | None, new: Document | None, is_sent: bool
    ) -> Iterator[str]:
        before, after = _content(old), _content(new)
        for media, one in before.items():
            if media not in after:
                yield f"{where}: {media} is gone"
            else:
                yield from self._schemas(
                    where, one.get("schema", {}), after[media].get("schema", {}), is_sent
                )

    def _schemas(self, where: str, old: Schema, new: Schema, is_sent: bool, depth: int = 0) -> Iterator[str]:
        """`is_sent`: by the client, which may go on sending what it did; else it may go on reading."""
        if depth > _DEPTH_MAX:
            return
        old, new = _resolved(self._old, old), _resolved(self._new, new)
        yield from _values(where, old, new, is_sent)
        required = set(new.get("required", ())), set(old.get("required", ()))
        for name in sorted(required[0] - required[1] if is_sent else required[1] - required[0]):
            yield f"{where}.{name} {'must be given now' if is_sent else 'may be missing now'}"
        for part in ("properties", "x-events"):
            after = new.get(part, {})
            for name, field in old.get(part, {}).items():
                if name not in after:
                    yield f"{where}.{name} is gone"
                else:
                    yield from self._schemas(f"{where}.{name}", field, after[name], is_sent, depth + 1)
        if "items" in old and "items" in new:
            yield from self._schemas(f"{where}[]", old["items"], new["items"], is_sent, depth + 1)


def _stated(parameter: Schema) -> Schema:
    """A parameter without the null that none can send: it is left out instead."""
    others = [one for one in parameter.get("anyOf", ()) if one.get("type") != "null"]
    return others[0] if len(others) == 1 else parameter


def _content(part: Document | None) -> Document:
    return {} if part is None else part.get("content", {})


def _resolved(document: Document, schema: Schema) -> Schema:
    """The schema itself; of a choice with null, the other one, with null remembered."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    choices = schema.get("anyOf")
    if not choices:
        return schema
    others = [_resolved(document, one) for one in choices if one.get("type") != "null"]
    types = sorted({str(one.get("type")) for one in others})
    or_null = ["null"] if len(others) < len(choices) else []
    return {**(others[0] if len(others) == 1 else {}), "type": [*types, *or_null]}


def _types(schema: Schema) -> set[str]:
    types = schema.get("type", [])
    return {types} if isinstance(types, str) else set(types)


def _values(where: str, old: Schema, new: Schema, is_sent: bool) -> Iterator[str]:
    before, after = _types(old), _types(new)
    lost = before - after if is_sent else after - before
    if lost and before and after:
        yield f"{where}: {'no longer takes' if is_sent else 'may now be'} {', '.join(sorted(lost))}"
    if not is_sent:
        return
    # A reader has to bear values that it does not know; a writer may count on those that it does.
    gone = set(old.get("enum", ())) - set(new.get("enum", old.get("enum", ())))
    if gone or ("enum" in new and "enum" not in old):
        yield f"{where}: takes fewer values"
    is_narrower = any(new[bound] < old.get(bound, float("inf")) for bound in _UPPER if bound in new)
    is_narrower |= any(new[bound] > old.get(bound, float("-inf")) for bound in _LOWER if bound in new)
    if is_narrower or ("pattern" in new and new["pattern"] != old.get("pattern")):
        yield f"{where}: its limits are narrower"

"""What an API takes away from the clients of its last release."""

from collections.abc import Iterator, Mapping
from typing import Any

from release.shapes import Schema
from release.values import narrowed, resolved

Document = Mapping[str, Any]
_DEPTH_MAX = 12


def broken(old: Document, new: Document) -> list[str]:
    """Every change that a client of the old document may stumble over, in words; additions are none."""
    return list(dict.fromkeys((*_credentials(old, new), *_calls(old, new))))


def _credentials(old: Document, new: Document) -> Iterator[str]:
    after = new["components"].get("securitySchemes", {})
    for name, scheme in old["components"].get("securitySchemes", {}).items():
        if name not in after:
            yield f"the credential {name} is gone"
        elif {**scheme, "description": ""} != {**after[name], "description": ""}:
            yield f"the credential {name} is given in another way"


def _calls(old: Document, new: Document) -> Iterator[str]:
    for path, methods in old["paths"].items():
        for method, call in methods.items():
            title = f"{method.upper()} {path}"
            other = new["paths"].get(path, {}).get(method)
            if other is None:
                yield f"{title} is gone"
                continue
            compared = _Compared(old, new)
            yield from compared.credentials(title, call, other)
            yield from compared.parameters(title, call, other)
            yield from compared.bodies(title, call, other)
            yield from compared.answers(title, call, other)


class _Compared:
    """One call of both documents; schemas are read from the document that they stand in."""

    def __init__(self, old: Document, new: Document) -> None:
        self._old = old
        self._new = new

    def credentials(self, title: str, old: Document, new: Document) -> Iterator[str]:
        before, after = (call.get("security") or ({},) for call in (old, new))
        for one in before:
            # What asks for less than the client gives takes it as well.
            if not any(asked.keys() <= one.keys() for asked in after):
                yield f"{title}: no longer takes {' with '.join(one) or 'calls without a credential'}"

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
                yield from self._headers(f"{title} {status}", answer, other)
                yield from self._contents(f"{title} {status}", answer, other, False)

    def _headers(self, where: str, old: Document, new: Document) -> Iterator[str]:
        after = {name.lower(): header for name, header in new.get("headers", {}).items()}
        for name, header in old.get("headers", {}).items():
            other = after.get(name.lower())
            if other is None:
                yield f"{where}: the header {name} is gone"
                continue
            if header.get("required") and not other.get("required"):
                yield f"{where}: the header {name} may be missing now"
            yield from self._schemas(f"{where} {name}", header["schema"], other["schema"], False)

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
        old, new = resolved(self._old, old), resolved(self._new, new)
        yield from narrowed(where, old, new, is_sent)
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
        for part, mark in (("items", "[]"), ("additionalProperties", ".*")):
            before, after = _any_if_open(old.get(part)), _any_if_open(new.get(part))
            if before and after is None and not is_sent:
                yield f"{where}{mark} is gone"
            elif (before or after) and before is not None and after is not None:
                yield from self._schemas(f"{where}{mark}", before, after, is_sent, depth + 1)


def _stated(parameter: Schema) -> Schema:
    """A parameter without the null that none can send: it is left out instead."""
    others = [one for one in parameter.get("anyOf", ()) if one.get("type") != "null"]
    return others[0] if len(others) == 1 else parameter


def _any_if_open(inner: Schema | bool | None) -> Schema | None:
    """The schema of what is in a list or an object; None where nothing more may be in it."""
    if inner is None or inner is True:
        return {}
    return None if inner is False else inner


def _content(part: Document | None) -> Document:
    return {} if part is None else part.get("content", {})

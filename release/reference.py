"""The reference of the API, made from its OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

from release.shapes import Schema, cell, fields, kind, link, name_of, notes

_OPENING = """\
# API reference

Made from `/openapi.json` of version {version} by `make reference`; not edited by hand. Examples are in
[Using the API](../guides/use-the-api.md), and so is what holds of the OpenAI API at `/v1` and of the AI SDK's
stream at `/api/v1/ai-sdk/chat`, which are other people's protocols. What is marked * must be given in a
request, and is always there in an answer.
"""
_UNUSED = {"HTTPValidationError", "ValidationError"}


def markdown(document: Mapping[str, Any]) -> str:
    """The whole page."""
    return "\n".join(_page(document)).rstrip() + "\n"


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    yield _OPENING.format(version=document["info"]["version"])
    yield "| call | purpose |"
    yield "|---|---|"
    calls = [
        (f"{m.upper()} {path}", call) for path, ms in document["paths"].items() for m, call in ms.items()
    ]
    for title, call in calls:
        yield f"| [`{title}`](#{_anchor(title)}) | {_purpose(call)} |"
    yield ""
    yield from _credentials(document)
    for title, call in calls:
        yield from _call(title, call)
    yield from _events(document)
    yield from _schemas(document)


def _anchor(title: str) -> str:
    """As GitHub makes them."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def _purpose(call: Mapping[str, Any]) -> str:
    return cell(call.get("description", call["summary"]))


def _credentials(document: Mapping[str, Any]) -> Iterator[str]:
    schemes = document["components"].get("securitySchemes", {})
    if not schemes:
        return
    yield "## Credentials\n"
    yield "| name | how | |"
    yield "|---|---|---|"
    for name, scheme in schemes.items():
        where = f"`{scheme['name']}` in the {scheme['in']}" if "name" in scheme else scheme.get("scheme", "")
        yield f"| {name} | {scheme['type']}: {where} | {cell(scheme.get('description', ''))} |"
    yield ""


def _call(title: str, call: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {title}\n"
    yield _purpose(call) + "\n"
    if parameters := call.get("parameters"):
        yield "| parameter | in | what | |"
        yield "|---|---|---|---|"
        for one in parameters:
            mark = " *" if one.get("required") else ""
            schema = {**one["schema"], **{k: one[k] for k in ("description",) if k in one}}
            yield f"| `{one['name']}`{mark} | {one['in']} | {kind(schema)} | {notes(schema)} |"
        yield ""
    if body := call.get("requestBody"):
        yield (
            "Body: "
            + ", ".join(f"{kind(c.get('schema', {}))} (`{t}`)" for t, c in body["content"].items())
            + "\n"
        )
    yield "| status | meaning | body | headers |"
    yield "|---|---|---|---|"
    for status, answer in sorted(call["responses"].items()):
        headers = ", ".join(f"`{name}`" for name in answer.get("headers", {}))
        yield f"| `{status}` | {_meaning(answer)} | {_body(answer)} | {headers} |"
    yield ""


def _meaning(answer: Mapping[str, Any]) -> str:
    description = cell(answer.get("description", ""))
    return "Success" if description == "Successful Response" else description


def _body(answer: Mapping[str, Any]) -> str:
    return ", ".join(
        _content(media, one.get("schema", {})) for media, one in answer.get("content", {}).items()
    )


def _content(media: str, schema: Schema) -> str:
    if "x-events" in schema:
        return "[events](#events) (`text/event-stream`)"
    return kind(schema) if media == "application/json" or "$ref" in schema else f"`{media}`"


def _events(document: Mapping[str, Any]) -> Iterator[str]:
    answers = document["paths"]["/api/v1/chat/{job_id}/events"]["get"]["responses"]
    schemas = document["components"]["schemas"]
    yield "## Events\n"
    yield (
        "The `id:` of an event is what `Last-Event-ID` resumes after. Exactly one of `done`, `error` and"
        " `cancelled` ends a stream; the text of the `token` events after the last `reset` is the answer.\n"
    )
    yield "| event | data | |"
    yield "|---|---|---|"
    for name, schema in answers["200"]["content"]["text/event-stream"]["schema"]["x-events"].items():
        data = name_of(schema)
        yield f"| `{name}` | {link(data)} | {cell(schemas[data].get('description', ''))} |"
    yield ""


def _schemas(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## Schemas\n"
    for name, schema in sorted(document["components"]["schemas"].items()):
        if name in _UNUSED:
            continue
        yield f"### {name}\n"
        if description := schema.get("description"):
            yield description + "\n"
        if schema.get("properties"):
            yield from fields(schema)
        else:
            yield f"A {kind(schema)}."
        yield ""

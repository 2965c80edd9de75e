"""A turn as a row of its table, and back."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from eco2_history.turn import Turn

_JSON = ("intents", "sources", "usage", "error")
_TEXT = ("owner", "question", "answer", "image_url")

Row = dict[str, Any]


def to_row(turn: Turn) -> Row:
    """The columns of a turn, and the `job_hash` that says whether it was erased."""
    row: Row = {name: getattr(turn, name) for name in Turn.__slots__}
    for name in _TEXT:
        row[name] = _storable(row[name])
    for name in _JSON:
        row[name] = None if row[name] is None else orjson.dumps(row[name]).decode()
    row["job_hash"] = job_hash(turn.job_id)
    return row


def from_row(row: Mapping[Any, Any]) -> Turn:
    """The turn of a row."""
    fields: Row = dict(row)
    for name in _JSON:
        fields[name] = None if fields[name] is None else orjson.loads(fields[name])
    for name in ("intents", "sources"):
        fields[name] = tuple(fields[name])
    return Turn(**fields)


def job_hash(job_id: str) -> str:
    """What stays of the id of an erased job."""
    return hashlib.sha256(f"eco2:{job_id}".encode()).hexdigest()


def _storable(text: str | None) -> str | None:
    """PostgreSQL stores no NUL, and nothing stores half a character."""
    if text is None:
        return None
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()

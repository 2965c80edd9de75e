"""The databases of turns, and what only their operator sees; and turns to put in."""

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import psycopg
from eco2_history import Turn

CANARY = "카나리아-canary-7f3a"
T0 = 1_700_000_000_000


class Database(Protocol):
    url: str


class MemoryDatabase:
    url = "memory:"


class SqliteDatabase:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"

    @contextlib.contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(exist_ok=True)
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            yield connection

    def everything(self) -> str:
        """All that is in any table."""
        with self.connect() as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return str([connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in tables])


class PostgresDatabase:
    def __init__(self, url: str) -> None:
        self.url = url

    @contextlib.contextmanager
    def connect(self) -> Iterator["psycopg.Connection[Any]"]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            yield connection

    def everything(self) -> str:
        with self.connect() as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            return str([connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in tables])


def new_id() -> str:
    return uuid.uuid4().hex


def turn(**fields: Any) -> Turn:
    """A turn with everything in it."""
    given: dict[str, Any] = {
        "job_id": new_id(),
        "session_id": "s-1",
        "owner": "user-1",
        "question": f"페트병 어떻게 버려? {CANARY}",
        "answer": "라벨을 떼고 버려요. ♻️",
        "status": "done",
        "created_at_ms": T0,
        "ended_at_ms": T0 + 1_500,
        "intents": ("waste", "weather"),
        "sources": ({"title": "페트병", "url": None, "document": "안내", "section": "플라스틱"},),
        "usage": {"input_tokens": 12, "output_tokens": 34, "model": "sandbox"},
        "attempts": 1,
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "sample_data": True,
        "image_url": "picture:1",
    }
    return Turn(**{**given, **fields})

"""Everything that keeps or carries something of a job: Redis, PostgreSQL, RabbitMQ and the logs."""

import base64
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import psycopg
from eco2_bus import topology
from psycopg import sql

from tests.e2e.stack import Stack

PICTURES = b"chat:picture:"
"""Where pictures are kept, as bytes."""


@asynccontextmanager
async def tapped(stack: Stack) -> AsyncGenerator[list[bytes]]:
    """A copy of every message that is published meanwhile, complete once the block has ended."""
    messages: list[bytes] = []
    async with await aio_pika.connect(stack.rabbit.url) as connection:
        channel = await connection.channel()
        tap = await channel.declare_queue(exclusive=True)
        for key in (topology.JOBS, topology.WAITING):
            await tap.bind(topology.EXCHANGE, key)
        yield messages
        while (message := await tap.get(no_ack=True, fail=False)) is not None:
            messages.append(message.body)


def redis_values(stack: Stack) -> Iterator[tuple[bytes, bytes]]:
    """Every value in Redis with its key; of a hash or a stream, each field."""
    for key in stack.store.keys("*"):
        for value in _values(stack.store, key):
            yield key, value


def _values(store: Any, key: bytes) -> list[bytes]:
    match store.type(key):
        case b"hash":
            return [part for pair in store.hgetall(key).items() for part in pair]
        case b"stream":
            return [part for _, fields in store.xrange(key) for pair in fields.items() for part in pair]
        case b"zset":
            return store.zrange(key, 0, -1)
        case b"string":
            return [store.get(key)]
        case b"none":  # It has expired between the two looks.
            return []
        case kind:
            raise AssertionError(f"{key!r} is a {kind!r}, which nobody reads here")


async def rows(stack: Stack) -> dict[str, list[bytes]]:
    """Every cell of every table in PostgreSQL."""
    async with await psycopg.AsyncConnection.connect(stack.postgres.url) as connection:
        found = await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [name for (name,) in await found.fetchall()]
        return {name: await _cells(connection, name) for name in names}


async def _cells(connection: psycopg.AsyncConnection[Any], table: str) -> list[bytes]:
    found = await connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
    return [_as_bytes(cell) for row in await found.fetchall() for cell in row]


def _as_bytes(cell: Any) -> bytes:
    return bytes(cell) if isinstance(cell, (bytes, memoryview)) else str(cell).encode()


async def saved_findings(stack: Stack, session_id: str) -> int:
    """How many branches of a session's turn have their findings in the checkpoint."""
    asked = "SELECT count(*) FROM checkpoint_writes WHERE thread_id = %s AND channel = 'findings'"
    async with await psycopg.AsyncConnection.connect(stack.postgres.url) as connection:
        row = await (await connection.execute(asked, (session_id,))).fetchone()
        return row[0] if row else 0


def logs(stack: Stack) -> Iterator[bytes]:
    """All that our processes have said."""
    for log in stack.folder.glob("*.log"):
        yield log.read_bytes()


def holds(value: bytes, picture: bytes) -> bool:
    """True when a value has a picture in it, as it is or as base64 of any offset."""
    inside = picture[: len(picture) // 2]
    spelled = [base64.b64encode(inside[skip:])[4:-4] for skip in range(3)]
    return inside in value or any(words in value for words in spelled)


async def assert_only_kept(stack: Stack, picture: bytes, messages: list[bytes]) -> None:
    """A picture is where pictures are kept, as bytes; neither they nor their base64 are anywhere else."""
    (key,) = [key for key, value in redis_values(stack) if holds(value, picture)]
    assert key.startswith(PICTURES)
    assert picture in stack.store.hvals(key)
    tables = await rows(stack)
    assert "turns" in tables
    assert all(tables[name] for name in ("checkpoints", "checkpoint_blobs"))
    assert [name for name, cells in tables.items() for cell in cells if holds(cell, picture)] == []
    assert not any(holds(text, picture) for text in (*messages, *logs(stack)))

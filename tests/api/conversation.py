"""Sessions with something in them, and a look at all that is kept anywhere."""

from typing import Any

import redis
from eco2_bus.pictures import Picture
from eco2_history import Turn, TurnStore
from sqlalchemy import Connection, MetaData, select

from tests.api.services import RealWorld, World, new_id
from tests.api.serving import QUESTION, Api
from tests.api.worker import SOURCE, USAGE, answer

ANONYMOUS = "anonymous"
CANARY = "카나리아-canary-7f3a"
T0 = 1_700_000_000_000
PNG = b"\x89PNG\r\n\x1a\n" + CANARY.encode()


def turn(**fields: Any) -> Turn:
    """A turn as a worker saves it."""
    given: dict[str, Any] = {
        "job_id": new_id(),
        "session_id": new_id(),
        "owner": ANONYMOUS,
        "question": QUESTION,
        "answer": "라벨을 떼요.",
        "status": "done",
        "created_at_ms": T0,
        "ended_at_ms": T0 + 1_500,
        "intents": ("waste",),
        "sources": (SOURCE.model_dump(),),
        "usage": USAGE.model_dump(),
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }
    return Turn(**{**given, **fields})


async def converse(world: World, api: Api, session_id: str, **fields: Any) -> str:
    """A question, its answer and the turn that a worker saves of it; gives the job id."""
    queued = await api.submit(session_id=session_id, **fields)
    text = f"답: {CANARY}"
    await answer(world.log, queued["job_id"], text)
    await world.made.turns.save(turn(job_id=queued["job_id"], session_id=session_id, answer=text))
    return queued["job_id"]


async def picture_of(world: World, owner: str = ANONYMOUS, session_id: str = "s-1") -> str:
    return await world.made.pictures.put(Picture(owner, session_id, PNG))


async def everything(world: World) -> str:
    """All names and all values that are kept of anybody, in SQL too."""
    stored = await rows(world.made.turns)
    if isinstance(world, RealWorld):
        return f"{stored} {_everything_in_redis(world)}"
    parts = (world.made.log, world.made.claims, world.made.pictures)
    return f"{stored} {[vars(part) for part in parts]}"


async def rows(store: TurnStore) -> str:
    """Every row of every table."""
    sql = await store._open()
    async with sql.database.begin() as connection:
        return await connection.run_sync(_rows)


def _rows(connection: Connection) -> str:
    metadata = MetaData()
    metadata.reflect(connection)
    return str([connection.execute(select(table)).all() for table in metadata.sorted_tables])


def _everything_in_redis(world: RealWorld) -> str:
    with redis.Redis(port=world.admin.connection_pool.connection_kwargs["port"]) as raw:
        kept = {key: _value(raw, key) for key in raw.keys("*") if isinstance(key, bytes)}
    # As text where it is text, so that a canary in Korean is found.
    return "\n".join(part.decode(errors="replace") for item in kept.items() for part in item)


def _value(raw: "redis.Redis[bytes]", key: bytes) -> bytes:
    match raw.type(key):
        case b"string":
            return raw.get(key) or b""
        case b"hash":
            return b" ".join(part for item in raw.hgetall(key).items() for part in item)
        case b"zset":
            return b" ".join(raw.zrange(key, 0, -1))
        case b"stream":
            fields = [part for _, entry in raw.xrange(key) for item in entry.items() for part in item]
            return b" ".join(fields)
        case kind:
            raise AssertionError(f"look into {key!r} too: {kind!r}")

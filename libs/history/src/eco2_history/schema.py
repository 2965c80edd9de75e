"""The tables; every change of them is a new file in `migrations/versions`."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text

HEAD = "0001"
"""The newest migration. Their numbers sort, so that an older program knows a newer database."""
VERSION_TABLE = "eco2_history_version"

metadata = MetaData()

# JSON lies in text columns: nothing asks the database for what is inside.
turns = Table(
    "turns",
    metadata,
    Column("job_id", String(64), primary_key=True),
    Column("session_id", String(64), nullable=False),
    Column("owner", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("intents", Text, nullable=False),
    Column("sources", Text, nullable=False),
    Column("usage", Text, nullable=False),
    Column("error", Text),
    Column("attempts", Integer, nullable=False),
    Column("trace_id", String(32), nullable=False),
    Column("sample_data", Boolean, nullable=False),
    Column("image_url", Text),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=False),
    Index("turns_by_session", "session_id", "created_at_ms", "job_id"),
)

erased_jobs = Table(
    "erased_jobs",
    metadata,
    Column("job_hash", String(64), primary_key=True),
    Column("erased_at_ms", BigInteger, nullable=False),
)
"""Jobs whose turn must not come back: a worker may save one that ended while its session was erased."""

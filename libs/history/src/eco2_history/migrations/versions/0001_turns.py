"""Turns, and the jobs whose turn must not come back."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes both tables."""
    op.create_table(
        "turns",
        sa.Column("job_id", sa.String(64), primary_key=True),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("intents", sa.Text, nullable=False),
        sa.Column("sources", sa.Text, nullable=False),
        sa.Column("usage", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("trace_id", sa.String(32), nullable=False),
        sa.Column("sample_data", sa.Boolean, nullable=False),
        sa.Column("image_url", sa.Text),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("turns_by_session", "turns", ["session_id", "created_at_ms", "job_id"])
    op.create_table(
        "erased_jobs",
        sa.Column("job_hash", sa.String(64), primary_key=True),
        sa.Column("erased_at_ms", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drops both tables, and with them every conversation."""
    op.drop_table("erased_jobs")
    op.drop_table("turns")

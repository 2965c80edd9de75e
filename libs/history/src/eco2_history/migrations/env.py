"""Runs the migrations over the connection that `eco2_history.migrate` holds."""

from alembic import context
from eco2_history.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()

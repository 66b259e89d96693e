"""Alembic's entry: runs the revisions on the connection, and in the transaction, of ``versions.upgrade``."""

from __future__ import annotations

from alembic import context

from agent.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can; Alembic assumes that its driver cannot
    render_as_batch=True,
)
context.run_migrations()

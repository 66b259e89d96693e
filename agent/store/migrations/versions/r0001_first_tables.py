"""The first tables: inventory, journal, history, cache, ledger."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = ("target", "kind", "scope", "name")


def upgrade() -> None:
    _resources()
    _journal()
    _history()
    _cache_and_ledger()


def _key_columns() -> tuple[sa.Column[Any], ...]:
    return tuple(sa.Column(name, sa.Text(), nullable=False) for name in _KEY)


def _resources() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="meta_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "target",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("memory", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("last_pass_id", sa.Text(), nullable=True),
        sa.Column("last_pass_at", sa.Double(), nullable=True),
        sa.Column("last_result", sa.Text(), nullable=True),
        sa.Column("last_calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("quiet_passes", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name="target_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "inventory",
        *_key_columns(),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("checksum", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, name="inventory_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "applied",
        *_key_columns(),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, name="applied_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tombstone",
        *_key_columns(),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, name="tombstone_key"),
        sqlite_with_rowid=False,
    )


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("number", _COUNTER, nullable=False),
        sa.Column("op_id", sa.Text(), nullable=False),
        sa.Column("pass_id", sa.Text(), nullable=False),
        *_key_columns(),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("server_id", sa.Text(), nullable=True),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("base_hash", sa.Text(), nullable=True),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("applied_digest", sa.Text(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("row", sa.LargeBinary(), nullable=True),
        sa.Column("applied", sa.LargeBinary(), nullable=True),
        sa.Column("checksum", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="journal_key"),
        sa.UniqueConstraint("op_id", name="journal_op_id_once"),
    )
    op.create_index(
        "journal_open",
        "journal",
        ["target"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _history() -> None:
    op.create_table(
        "pass",
        sa.Column("number", _COUNTER, nullable=False),
        sa.Column("pass_id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pass_key"),
        sa.UniqueConstraint("pass_id", name="pass_pass_id_once"),
    )
    op.create_table(
        "event",
        sa.Column("pass_number", _COUNTER, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pass_number"], ["pass.number"], name="event_pass_number_reference", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pass_number", "position", name="event_key"),
        sqlite_with_rowid=False,
    )
    op.create_index("event_kind_name", "event", ["kind", "name"], unique=False)


def _cache_and_ledger() -> None:
    op.create_table(
        "context",
        sa.Column("id", _COUNTER, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="context_key"),
        sa.UniqueConstraint("digest", name="context_digest_once"),
    )
    op.create_table(
        "checked",
        sa.Column("context_id", _COUNTER, nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("used_day", sa.Integer(), nullable=False),
        sa.Column("checksum", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["context_id"], ["context.id"], name="checked_context_id_reference", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("context_id", "blob", name="checked_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "spending",
        sa.Column("number", _COUNTER, nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="spending_key"),
    )
    op.create_index("spending_credential_at", "spending", ["credential", "at"], unique=False)

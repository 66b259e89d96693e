"""The tables of the store, for SQLAlchemy Core on SQLite and PostgreSQL.

Imported by the other modules of this folder. A change here needs a revision in ``migrations/versions``; a test compares
the two. Times are epoch seconds, ``checksum`` columns are CRC-32 over the other columns of a row (see ``rows``).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_key",
        "fk": "%(table_name)s_%(column_0_name)s_reference",
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_once",
    }
)

COUNTER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER column


def _key_columns() -> tuple[Column[Any], ...]:
    """A resource's key; ``scope`` is the JSON text of its pairs."""
    return tuple(Column(name, Text, primary_key=True) for name in ("target", "kind", "scope", "name"))


meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# One row a target: what the agent keeps between passes, and its last word on the target's state.
target = Table(
    "target",
    metadata,
    Column("name", Text, primary_key=True),
    Column("memory", Text),
    Column("status", Text),
    Column("last_pass_id", Text),
    Column("last_pass_at", Double),
    Column("last_result", Text),
    Column("last_calls", Integer, nullable=False, server_default="0"),
    Column("quiet_passes", Integer, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

# What pages show of a target besides: its day as marks, and the packed document of what its last whole pass left to do.
board = Table(
    "board",
    metadata,
    Column("target", Text, primary_key=True),
    Column("day", Text, nullable=False),
    Column("waiting", LargeBinary),
    sqlite_with_rowid=False,
)

# ``body`` is a JSON array of all but the key, in the order of ``rows._pack_body``.
inventory = Table(
    "inventory",
    metadata,
    *_key_columns(),
    Column("body", LargeBinary, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

applied = Table(
    "applied", metadata, *_key_columns(), Column("body", LargeBinary, nullable=False), sqlite_with_rowid=False
)

tombstone = Table("tombstone", metadata, *_key_columns(), Column("at", Double, nullable=False), sqlite_with_rowid=False)

# A person's word, written beside a running agent; it is no part of what the agent itself remembers.
suspension = Table(
    "suspension",
    metadata,
    Column("target", Text, primary_key=True),
    Column("selector", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("until", Double),
    sqlite_with_rowid=False,
)

# And a person's word on a call whose end nothing but a person can tell.
decision = Table(
    "decision",
    metadata,
    Column("op_id", Text, primary_key=True),
    Column("made", Integer, nullable=False),
    Column("server_id", Text),
    Column("who", Text, nullable=False),
    Column("at", Double, nullable=False),
    sqlite_with_rowid=False,
)

# And on whose a single object is to be.
ownership = Table(
    "ownership",
    metadata,
    *_key_columns(),
    Column("verb", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("digest", Text),
    Column("server_id", Text),
    sqlite_with_rowid=False,
)

# What a process that died was about to do.
begun = Table(
    "begun",
    metadata,
    Column("context", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("times", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Who works at a target. ``clock`` names the clock that its two moments are on: see ``leases``.
lease = Table(
    "lease",
    metadata,
    Column("target", Text, primary_key=True),
    Column("holder", Text),
    Column("home", Text),
    Column("epoch", Integer, nullable=False),
    Column("lease_until", Double),
    Column("due_at", Double, nullable=False),
    Column("clock", Text, nullable=False),
    Column("revision", Text),
    sqlite_with_rowid=False,
)

# A row keeps its size from the opening of the intent to its end: one that shrank would leave a hole in its page.
journal = Table(
    "journal",
    metadata,
    Column("number", COUNTER, primary_key=True),
    Column("op_id", Text, nullable=False, unique=True),
    Column("pass_id", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("uid", Text, nullable=False),
    Column("server_id", Text),
    Column("request_hash", Text, nullable=False),
    Column("base_hash", Text),
    Column("revision", Text, nullable=False),
    Column("opened_at", Double, nullable=False),
    Column("applied_digest", Text),
    Column("epoch", Integer, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    Column("result", Text),
    Column("note", Text),
    Column("closed_at", Double),
    Column("sent_by", Double),  # when its call had surely left, if it ever did
)
# On PostgreSQL it has the same WHERE, said by the migration alone: a word of that dialect here would load all of it.
Index("journal_open", journal.c.target, sqlite_where=journal.c.closed_at.is_(None))

# What becomes true if the call of an open intent lands; the checksum of the intent covers it.
expected = Table(
    "expected",
    metadata,
    Column("op_id", Text, primary_key=True),
    Column("row", LargeBinary),
    Column("applied", LargeBinary),
    sqlite_with_rowid=False,
)

# Only passes that did something; the others are counted in ``target``.
pass_table = Table(
    "pass",
    metadata,
    Column("number", COUNTER, primary_key=True),
    Column("pass_id", Text, nullable=False, unique=True),
    Column("target", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("ref", Text),
    Column("author", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("finished_at", Double, nullable=False),
    Column("result", Text, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("pass_number", COUNTER, ForeignKey(pass_table.c.number, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Index(None, "kind", "name"),
    sqlite_with_rowid=False,
)

# A context is everything but the bytes that decides what checking a file gives: loader, definition, defaults.
context = Table(
    "context",
    metadata,
    Column("id", COUNTER, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("used_at", Double, nullable=False),
)

checked = Table(
    "checked",
    metadata,
    Column("context_id", COUNTER, ForeignKey(context.c.id, ondelete="CASCADE"), primary_key=True),
    Column("blob", Text, primary_key=True),
    Column("used_day", Integer, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Each target's manifests as they were put together last; ``context`` is all but the files that decides what they say.
summary = Table(
    "summary",
    metadata,
    Column("target", Text, primary_key=True),
    Column("context", Text, nullable=False),
    Column("made_day", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

spending = Table(
    "spending",
    metadata,
    Column("number", COUNTER, primary_key=True),
    Column("credential", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("calls", Integer, nullable=False),
    Index(None, "credential", "at"),
)

# What events of platforms pointed at, left by an agent for the one that is the home of the target.
pointer = Table(
    "pointer",
    metadata,
    Column("target", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("came_at", Double, nullable=False),
    sqlite_with_rowid=False,
)

# What the last examination found out of a target's API.
examined = Table(
    "examined",
    metadata,
    Column("target", Text, primary_key=True),
    Column("at", Double, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What people ask of a running agent, beside it.
request = Table(
    "request",
    metadata,
    Column("number", COUNTER, primary_key=True),
    Column("target", Text, nullable=False),
    Column("revision", Text),
    Column("who", Text, nullable=False),
    Column("asked_at", Double, nullable=False),
    Column("seen_at", Double),
    Column("answered_at", Double),
    Column("answer", Text),
)

# What is not well, and what was said of it.
alert = Table(
    "alert",
    metadata,
    Column("target", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("lasting", Integer, nullable=False),
    Column("since", Double, nullable=False),
    Column("told_at", Double),
    Column("told_times", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Messages on their way to a sink, in the order in which they were written.
outbox = Table(
    "outbox",
    metadata,
    Column("number", COUNTER, primary_key=True),
    Column("id", Text, nullable=False),
    Column("sink", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
)

"""Status and history for people, read with the standard library alone so that these verbs start in milliseconds.

Called by the verbs ``status`` and ``history``, and by ``Store``, which hands in its own way to query. Opens the store
read-only and never makes a file: a store that is not there yet reads as empty.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import StoreError
from agent.store.location import HEAD, has_store, path_of, uri_of

BUSY_SECONDS = 5.0

# Runs SQL with ``:name`` parameters, which sqlite3 and SQLAlchemy write alike, and gives all rows.
Query = Callable[[str, Mapping[str, Any]], list[tuple[Any, ...]]]


class PassRow(NamedTuple):
    """One pass that did something. ``counts``: ``{"done": {action: count}, "not_done": count, …}``."""

    number: int
    pass_id: str
    target: str
    revision: str
    ref: str | None
    author: str
    subject: str
    started_at: float
    finished_at: float
    result: str
    error_code: str
    counts: Mapping[str, Any]
    calls: int


class EventRow(NamedTuple):
    """One change that was made, or tried, on one resource. ``fields``: path, op, cause and the values that may show.

    None for a create or a delete: the manifest at that revision has them all.
    """

    pass_number: int
    pass_id: str
    target: str
    revision: str
    at: float
    kind: str
    scope: tuple[tuple[str, str], ...]
    name: str
    action: str
    cause: str
    outcome: str
    code: str
    message: str
    fields: tuple[Mapping[str, Any], ...]


def read_status(url: str, now: float | None = None) -> dict[str, Any]:
    """``{"exists": …, "targets": {name: {"status": …, "last_pass": …}}, "suspended": […], "config_refused": …}``.

    ``targets`` as :func:`targets_of`. ``suspended`` are those in force at ``now`` (all of them without it): target,
    selector, reason, who, since, until. ``config_refused`` as :func:`refused_of`.
    """
    with _reader(url) as query:
        return {
            "exists": query is not None,
            "targets": targets_of(query) if query else {},
            "suspended": suspensions_of(query, now) if query else [],
            "config_refused": refused_of(query) if query else None,
        }


def recent_passes(url: str, *, limit: int = 20, target: str | None = None, since: float | None = None) -> list[PassRow]:
    """Passes that did something, newest first."""
    with _reader(url) as query:
        return passes_of(query, limit=limit, target=target, since=since) if query else []


def recent_events(url: str, kind: str, name: str, *, limit: int = 100) -> list[EventRow]:
    """What was done to the resources of this kind and name, newest first."""
    with _reader(url) as query:
        return events_of(query, kind, name, limit=limit) if query else []


def known_keys(url: str, limit: int) -> list[tuple[str, tuple[str, ...], str]]:
    """Kind, names of the scope and name of what the inventory holds, at most ``limit``; nothing of a server's store.

    For what a person is typing, who waits for each key: a server is not connected to for that.
    """
    if path_of(url) is None:
        return []
    with _reader(url) as query:
        sql = "SELECT DISTINCT kind, scope, name FROM inventory ORDER BY kind, name, scope LIMIT :limit"
        rows = query(sql, {"limit": limit}) if query else []
    return [(kind, tuple(name for _, name in json.loads(scope)), name) for kind, scope, name in rows]


def read_pass(url: str, pass_id: str) -> dict[str, Any] | None:
    """The report of one pass, by id or by number; None when there is none."""
    with _reader(url) as query:
        return document_of(query, pass_id) if query else None


def targets_of(query: Query) -> dict[str, dict[str, Any]]:
    """Per target: ``status`` as the last pass left it (or None) and ``last_pass`` (``id at result calls quiet``).

    ``quiet`` counts the passes since the last one that did something.
    """
    rows = query(
        "SELECT name, status, last_pass_id, last_pass_at, last_result, last_calls, quiet_passes"
        " FROM target WHERE last_pass_id IS NOT NULL ORDER BY name",
        {},
    )
    return {
        name: {
            "status": json.loads(status) if status else None,
            "last_pass": {"id": pass_id, "at": at, "result": result, "calls": calls, "quiet": quiet},
        }
        for name, status, pass_id, at, result, calls, quiet in rows
    }


def suspensions_of(query: Query, now: float | None) -> list[dict[str, Any]]:
    """What people have suspended, oldest first."""
    names = ("target", "selector", "reason", "who", "since", "until")
    rows = query(
        f"SELECT {', '.join(names)} FROM suspension"  # noqa: S608 - constants
        " WHERE until IS NULL OR until > :now ORDER BY since, selector",
        {"now": now if now is not None else 0.0},
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def refused_of(query: Query) -> dict[str, Any] | None:
    """The configuration that the running agent did not take: ``{at, message, problems: [line]}``; None when it did."""
    rows = query("SELECT value FROM meta WHERE name = 'config_refused'", {})
    return dict(json.loads(rows[0][0])) if rows else None


_WHERE = {
    "target": "p.target = :target",
    "since": "p.finished_at >= :since",
    "before": "p.number < :before",
    "identifier": "p.pass_id = :identifier",
}


def passes_of(query: Query, *, limit: int, **narrowed: str | float | None) -> list[PassRow]:
    """Newest first; ``narrowed`` by ``target``, ``since`` (epoch seconds), ``before`` (a number), ``identifier``."""
    columns = ", ".join(f"p.{name}" for name in PassRow._fields)
    given = {name: value for name, value in narrowed.items() if value is not None}
    where = [_WHERE[name] for name in given]
    rows = query(
        f"SELECT {columns} FROM pass AS p{' WHERE ' if where else ''}{' AND '.join(where)}"  # noqa: S608 - constants
        " ORDER BY p.number DESC LIMIT :limit",
        {"limit": limit, **given},
    )
    return [row._replace(counts=json.loads(str(row.counts))) for row in map(PassRow._make, rows)]


def events_of(query: Query, kind: str, name: str, *, limit: int) -> list[EventRow]:
    columns = ", ".join(f"e.{column}" for column in EventRow._fields[4:])
    rows = query(
        f"SELECT p.number, p.pass_id, p.target, p.revision, {columns}"  # noqa: S608 - constants
        " FROM event AS e JOIN pass AS p ON p.number = e.pass_number"
        " WHERE e.kind = :kind AND e.name = :name ORDER BY e.pass_number DESC, e.position DESC LIMIT :limit",
        {"kind": kind, "name": name, "limit": limit},
    )
    return [
        row._replace(
            scope=tuple((word, value) for word, value in json.loads(str(row.scope))),
            fields=tuple(json.loads(str(row.fields))),
        )
        for row in map(EventRow._make, rows)
    ]


def document_of(query: Query, pass_id: str) -> dict[str, Any] | None:
    by_number = pass_id.isascii() and pass_id.isdigit() and len(pass_id) < 19
    rows = query("SELECT document FROM pass WHERE pass_id = :id", {"id": pass_id})
    if not rows and by_number:
        rows = query("SELECT document FROM pass WHERE number = :number", {"number": int(pass_id)})
    return json.loads(zlib.decompress(rows[0][0])) if rows else None


@contextmanager
def _reader(url: str) -> Iterator[Query | None]:
    """A way to query the store behind ``url``; None when it is a file that does not exist."""
    path = path_of(url)
    if path is None:
        from agent.clock import SystemClock
        from agent.store.store import Store  # SQLAlchemy, only where there is no other way

        store = Store.open(url, clock=SystemClock(), write=False)
        try:
            yield store.query
        finally:
            store.close()
    elif has_store(path):
        try:
            with closing(open_read_only(path)) as connection:
                _require_version(connection, path)
                yield lambda sql, values: connection.execute(sql, values).fetchall()
        except (sqlite3.Error, ValueError, zlib.error) as error:
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            raise StoreError(f"the state store {path} cannot be read", got=name) from error
    else:
        yield None


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, also in a folder where SQLite may not make the index that its log needs."""
    options: dict[str, Any] = {"uri": True, "timeout": BUSY_SECONDS, "isolation_level": None}
    connection: sqlite3.Connection = sqlite3.connect(uri_of(path, "ro"), check_same_thread=False, **options)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        connection = sqlite3.connect(uri_of(path, "ro") + "&immutable=1", check_same_thread=False, **options)
    return connection


def _require_version(connection: sqlite3.Connection, path: Path) -> None:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        raise StoreError(f"the SQLite database {path} is not a datakeel state store")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    found = str(row[0]) if row else "none"
    if found != HEAD:
        raise StoreError(f"the state store {path} has version {found}, this program reads version {HEAD}")

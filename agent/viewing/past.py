"""``datakeel.history/1`` and ``datakeel.pass/1``: what was done, as the verb ``history`` tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.errors import AgentError
from agent.report.history_text import what_of
from agent.report.values import utc
from agent.store.status import EventRow, PassRow
from agent.viewing.facts import Facts, Moment

FORMAT = "datakeel.passes/1"
ONE = "datakeel.pass/1"
LIMIT = 100


def passes(facts: Facts, moment: Moment, query: Mapping[str, str]) -> dict[str, Any]:
    """Passes that did something, newest first. ``query``: ``target``, and ``before``, the number of a pass."""
    target, before = query.get("target", ""), query.get("before", "")
    limit = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    rows = facts.store.passes(limit=LIMIT + 1, target=target or None, before=limit)
    return {
        "format": FORMAT,
        "at": utc(moment.now),
        "filters": {"target": target},
        "targets": sorted({*facts.store.status(), *facts.targets}),
        "entries": [pass_row(row) for row in rows[:LIMIT]],
        "next": rows[LIMIT - 1].number if len(rows) > LIMIT else None,
    }


def one_pass(facts: Facts, moment: Moment, identifier: str) -> dict[str, Any]:
    """One pass in full, by number or id. AgentError ``not-found`` for one that is not known."""
    document = facts.store.pass_document(identifier)
    if document is None:
        raise AgentError("no such pass is known", code="not-found", fix="/history lists the passes")
    row = next(iter(facts.store.passes(limit=1, identifier=str(document["pass"]))), None)
    return {
        "format": ONE,
        "at": utc(moment.now),
        "entry": pass_row(row) if row is not None else None,
        "report": document,
    }


def pass_row(row: PassRow) -> dict[str, Any]:
    """One pass as a row."""
    return {
        "number": row.number,
        "id": row.pass_id,
        "target": row.target,
        "revision": {"commit": row.revision, "ref": row.ref, "author": row.author, "subject": row.subject},
        "started_at": utc(row.started_at),
        "finished_at": utc(row.finished_at),
        "seconds": round(row.finished_at - row.started_at, 3),
        "result": row.result,
        "code": row.error_code,
        "what": what_of(row.counts),
        "calls": row.calls,
    }


def event_row(row: EventRow) -> dict[str, Any]:
    """One change of one resource as a row."""
    return {
        "number": row.pass_number,
        "revision": row.revision,
        "at": utc(row.at),
        "action": row.action,
        "cause": row.cause,
        "outcome": row.outcome,
        "code": row.code,
        "message": row.message,
        "fields": [{"sensitive": False, **field} for field in row.fields],
    }

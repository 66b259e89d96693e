"""Writes the history: passes that did something, their changes by resource, and each target's last word.

Called by ``Store.finish`` with a connection whose transaction it owns. A quiet pass leaves a counter only, so that an
idle agent's store does not grow. Values arrive redacted; nothing here could tell a secret.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from agent.model.canonical import to_json
from agent.model.change import Action, FieldChange
from agent.model.outcome import Outcome, Report, Result
from agent.store import rows as packing
from agent.store import schema
from agent.store.engine import execute_many
from agent.store.server import take_turns

HISTORY_MAX = 10_000
HISTORY_SECONDS = 400 * 86_400.0
"""More than a year, so that what is done once a year can be looked up."""
_VALUE_LENGTH_MAX = 200
_FIELDS_MAX = 50
_SENT = frozenset({Result.DONE, Result.NOT_DONE, Result.UNKNOWN})

_LAST = ("last_pass_id", "last_pass_at", "last_result", "last_calls")

# A statement is made once: to make one costs more than to run it.
_target = schema.target
_pass = schema.pass_table
_LAST_WORD = (
    update(_target)
    .where(_target.c.name == bindparam("of"))
    .values({name: bindparam(f"new_{name}") for name in ("status", *_LAST)})
    .values(quiet_passes=(_target.c.quiet_passes + 1) * bindparam("quiet"))  # 1 counts one more, 0 begins anew
)
_NAME_OF = select(_target.c.name).where(_target.c.name == bindparam("of"))
_NEWEST_OF = (
    select(_pass.c.result, _pass.c.error_code)
    .where(_pass.c.target == bindparam("of"))
    .order_by(_pass.c.number.desc())
    .limit(1)
)
_NUMBER = select(func.max(_pass.c.number))
_RECORD = insert(_pass)
_EVENTS = insert(schema.event)
_DROP = (
    delete(schema.event).where(schema.event.c.pass_number <= bindparam("number")),
    delete(_pass).where(_pass.c.number <= bindparam("number")),
)

_NEWEST = select(func.max(_pass.c.finished_at))
_OLD = select(_pass.c.number).where(_pass.c.finished_at < bindparam("before"))
_DROP_OLD = (
    delete(schema.event).where(schema.event.c.pass_number.in_(_OLD)),
    delete(_pass).where(_pass.c.finished_at < bindparam("before")),
)


def write_pass(
    connection: Connection, report: Report, document: Mapping[str, Any], status: Mapping[str, Any], *, history_max: int
) -> bool:
    """Update the target's last word; True when the pass was worth a row of its own."""
    word = result_word(report)
    recorded = _is_worth_a_row(connection, report, word)
    if recorded:
        take_turns(connection, "history")  # rows are numbered by hand
        _record(connection, report, word, document)
        _retain(connection, history_max)
    ensure_target(connection, report.target)
    last = (report.pass_id, float(report.finished_at), word, report.calls_total)
    values = {f"new_{name}": value for name, value in zip(_LAST, last, strict=True)}
    words = to_json(dict(status)).decode()
    connection.execute(_LAST_WORD, {"of": report.target, "quiet": int(not recorded), "new_status": words, **values})
    return recorded


def result_word(report: Report) -> str:
    """``failed``, ``partly applied``, ``applied``, ``invalid``, ``held`` or ``unchanged``."""
    done = report.count(Result.DONE)
    bad = report.count(Result.NOT_DONE) + report.count(Result.UNKNOWN) + report.count(Result.SKIPPED)
    if report.error or bad:
        return "partly applied" if done else "failed"
    if done:
        return "applied"
    if any(problem.severity == "error" for problem in report.problems):
        return "invalid"
    return "held" if report.count(Result.HELD) else "unchanged"


def ensure_target(connection: Connection, name: str) -> None:
    if connection.execute(_NAME_OF, {"of": name}).first() is None:
        connection.execute(insert(_target), {"name": name})


def _is_worth_a_row(connection: Connection, report: Report, word: str) -> bool:
    """Something was sent, or the target is in trouble of another sort than its newest row tells.

    Compared with the newest *row*, not with the last pass, so that a platform that comes and goes for a day does not
    push the real history out.
    """
    if any(outcome.result in _SENT for outcome in report.outcomes):
        return True
    if word == "unchanged":
        return False
    newest = connection.execute(_NEWEST_OF, {"of": report.target}).first()
    return newest is None or tuple(newest) != (word, report.error_code)


def _record(connection: Connection, report: Report, word: str, document: Mapping[str, Any]) -> None:
    revision = report.revision
    number = connection.execute(_NUMBER).scalar() or 0
    connection.execute(
        _RECORD,
        {
            "number": number + 1,
            "pass_id": report.pass_id,
            "target": report.target,
            "revision": revision.commit,
            "ref": revision.ref,
            "author": revision.author,
            "subject": revision.subject,
            "started_at": float(report.started_at),
            "finished_at": float(report.finished_at),
            "result": word,
            "error_code": report.error_code,
            "counts": to_json(_counts(report)).decode(),
            "calls": report.calls_total,
            "document": zlib.compress(to_json(dict(document))),
        },
    )
    sent = [outcome for outcome in report.outcomes if outcome.result in _SENT]
    events = [_event(outcome, number + 1, position, report) for position, outcome in enumerate(sent)]
    execute_many(connection, _EVENTS, events)


def _counts(report: Report) -> dict[str, Any]:
    done = Counter(str(outcome.change.action) for outcome in report.outcomes if outcome.result is Result.DONE)
    rest = Counter(str(outcome.result) for outcome in report.outcomes if outcome.result is not Result.DONE)
    return {"done": dict(done), **rest}


def _event(outcome: Outcome, number: int, position: int, report: Report) -> dict[str, Any]:
    change = outcome.change
    values = packing.key_dict(change.key)
    del values["target"]
    # all leaves of a created or deleted resource are in its manifest at that revision, and would fill the store
    fields = () if change.action in (Action.CREATE, Action.DELETE) else change.fields
    return {
        **values,
        "pass_number": number,
        "position": position,
        "at": float(report.finished_at),
        "action": str(change.action),
        "cause": str(change.cause),
        "outcome": str(outcome.result),
        "code": outcome.code,
        "message": outcome.message or change.message,
        "fields": to_json([_field(field) for field in fields[:_FIELDS_MAX]]).decode(),
    }


def _field(field: FieldChange) -> dict[str, Any]:
    summary: dict[str, Any] = {"path": field.path, "op": str(field.op), "cause": str(field.cause)}
    if field.sensitive:
        summary["sensitive"] = True
    else:
        for word, value in (("before", field.before), ("after", field.after)):
            if value is not None:
                summary[word] = _short(value)
    return summary


def _short(value: Any) -> Any:
    text = to_json(value)
    return value if len(text) <= _VALUE_LENGTH_MAX else text[:_VALUE_LENGTH_MAX].decode(errors="ignore") + "…"


def _retain(connection: Connection, history_max: int) -> None:
    newest = connection.execute(_NUMBER).scalar() or 0
    for drop in _DROP:
        connection.execute(drop, {"number": newest - history_max})


def drop_old(connection: Connection) -> None:
    """Passes that ended so long before the newest one, and what was done in them; an idle agent forgets nothing."""
    newest = connection.execute(_NEWEST).scalar()
    if newest is None:
        return
    for drop in _DROP_OLD:
        connection.execute(drop, {"before": newest - HISTORY_SECONDS})

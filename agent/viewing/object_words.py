"""Why one resource is in its state: what waits for it, what decides that, what was done last. From the store alone.

Called by the verb ``explain``; a page of the agent tells the same and more, from git beside the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.errors import AgentError
from agent.model.explanation import Explanation, Part
from agent.model.selector import Selector
from agent.report.change_documents import key_document
from agent.report.values import moment, show, utc
from agent.store.store import Store
from agent.viewing.states import MEANINGS, Standing, standings

_FIELDS = 20
_EVENTS = 3


def about_object(
    store: Store, written: str, target: str | None, now: float, told_at: float | None
) -> list[Explanation]:
    """``Kind/name`` of every target that knows it, or of one. ``told_at`` is as ``values.moment`` takes it.

    Raises UsageError for what is no such path, AgentError ``not-found`` for one that no pass has seen.
    """
    selector = Selector.parse(written)
    boards, suspensions = store.boards(), store.all_suspensions(now)
    names = sorted({*store.status(), *boards})
    found = [
        _explained(store, each, [one for one in suspensions if one["target"] == name], told_at)
        for name in names
        if target in (None, name)
        for each in sorted(
            standings(store.rows(name), (boards.get(name) or {}).get("waiting"), None), key=lambda one: one.key
        )
        if selector.matches(each.key.kind, each.key.scope, each.key.name, each.path)
    ]
    if not found:
        raise AgentError(
            f"no pass has seen {written}",
            code="not-found",
            why="explain of an object reads the state store, and neither git nor the platform",
            fix="datakeel get shows what is live, datakeel diff what git says of it",
        )
    return found


def _explained(store: Store, each: Standing, suspensions: list[dict[str, Any]], told_at: float | None) -> Explanation:
    key, change = each.key, each.change or {}
    events = [
        event
        for event in store.events_of(key.kind, key.name, limit=_EVENTS * 5)
        if event.target == key.target and event.scope == key.scope
    ][:_EVENTS]
    done = tuple(
        (
            f"{event.pass_number} {moment(event.at, told_at)}",
            f"{event.action} {event.outcome.replace('_', ' ')}",
            " ".join(word for word in (event.cause, event.message) if word),
        )
        for event in events
    )
    commands = tuple(str(command) for command in change.get("commands") or ())
    parts = (
        Part(facts=tuple(_facts(each, change, suspensions, told_at))),
        _fields(change),
        Part("What decides it:" if commands else "", code=commands),
        Part("What was done last, by pass:" if done else "", rows=done),
        Part(note=(f"More: datakeel history {key.kind}/{key.name}, datakeel explain {key.kind}",)),
    )
    told = {
        "key": key_document(key),
        "state": each.state,
        "message": each.message,
        "change": each.change,
        "ours": each.row is not None,
        "seen_at": utc(each.row.seen_at) if each.row is not None and each.row.seen_at is not None else None,
        "origin": {"path": each.path, "line": each.line} if each.path else None,
        "commands": list(commands),
    }
    summary = f"{each.state}: {MEANINGS.get(each.state, each.state)}"
    title = f"{key.path} · target {key.target}"
    return Explanation("object", key.path, title, summary, tuple(filter(None, parts)), told=told)


def _facts(
    each: Standing, change: Mapping[str, Any], suspensions: list[dict[str, Any]], told_at: float | None
) -> Iterator[tuple[str, str]]:
    if each.message:
        yield "why", each.message
    if change:
        would = change.get("would") or change.get("action")
        if would and would != "none":
            yield "would", f"{would}, because of {change['cause']}"
        if change.get("reason"):
            yield "reason", str(change["reason"])
    for one in suspensions:
        if _holds(one, each):
            until = f" until {moment(one['until'], told_at)}" if one["until"] else ""
            yield "paused", f"{one['reason']}, by {one['who']}{until}"
    if each.path:
        yield "manifest", f"{each.path}:{each.line}" if each.line else each.path
    row = each.row
    if row is None:
        yield "ours", "no: the inventory does not have it"
        return
    yield "ours", row.proof + (", protected" if row.protect else "")
    yield "health", row.health
    if row.seen_at is not None:
        yield "seen", moment(row.seen_at, told_at)
    if row.written_at is not None:
        yield "written", moment(row.written_at, told_at) + (f" at {row.revision[:7]}" if row.revision else "")


def _holds(one: Mapping[str, Any], each: Standing) -> bool:
    selector = Selector("") if not one["selector"] else Selector.parse(one["selector"])
    return selector.matches(each.key.kind, each.key.scope, each.key.name, each.path)


def _fields(change: Mapping[str, Any]) -> Part:
    """Leaves that differ: live, then what git says. A secret has no value here."""
    fields = list(change.get("fields") or ())
    rows = tuple((str(each["path"]), _values(each)) for each in fields[:_FIELDS])
    left = len(fields) - len(rows) + int(change.get("more_fields") or 0)
    return Part("What differs:" if rows else "", rows=rows, note=(f"and {left} more",) if left else ())


def _values(each: Mapping[str, Any]) -> str:
    if each.get("sensitive"):
        return f"(secret) {each['op']}"
    sides = [show(each[name]) for name in ("before", "after") if name in each]
    return f"{' -> '.join(sides)}" if each["op"] in ("change", "default") else f"{each['op']} {' '.join(sides)}"

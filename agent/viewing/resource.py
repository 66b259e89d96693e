"""``datakeel.resource/1``: all that is known of one resource. Called by ``views``; blocks for the store and for git."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.definitions.platform import Kind
from agent.errors import AgentError
from agent.model.change import Action, Cause, FieldChange, FieldOp
from agent.model.identity import Key
from agent.plan.cost import calls_of_look, requests_of
from agent.plan.normalize import public
from agent.reconcile.target import Target
from agent.report.change_documents import key_document
from agent.report.values import utc
from agent.viewing.asking import masked
from agent.viewing.facts import Board, Facts, Moment, boards
from agent.viewing.leaves import assumed_live, table
from agent.viewing.manifest import manifest_of
from agent.viewing.past import event_row
from agent.viewing.resources import row_document
from agent.viewing.states import Standing, key_of, standings

FORMAT = "datakeel.resource/1"
HISTORY = 30
_ANY = (FieldChange("any", "/any", FieldOp.CHANGE, Cause.GIT),)
_NOT_THERE = frozenset({"create"})


def found(facts: Facts, moment: Moment, path: Mapping[str, str]) -> tuple[Standing, Board]:
    """The resource of a page's path, whose ``name`` begins with its scope. AgentError ``not-found``."""
    board = boards(facts, moment.now).get(path["target"])
    if board is not None:
        every = standings(facts.store.rows(board.name), board.waiting, moment.desired.get(board.name))
        wanted = f"{path['kind']}/{path['name']}"
        standing = next((each for each in every if each.key.path == wanted), None)
        if standing is not None:
            return standing, board
    raise AgentError("no such resource is known", code="not-found", fix="/resources?state=all lists them all")


def resource(
    facts: Facts,
    moment: Moment,
    standing: Standing,
    board: Board,
    live: Mapping[str, Any] | None,
    logs: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """``live`` and ``logs`` are what was just read for who asked for it (``asking``), None where nobody did."""
    key, change = standing.key, standing.change or {}
    target = facts.targets.get(key.target)
    kind = target.platform.kinds.get(key.kind) if target is not None else None
    sides, said = _sides(facts, moment, standing, live)
    rows, more = table(sides["git"], sides["applied"], sides["live"], tuple(change.get("fields") or ()))
    suppressed = (board.waiting or {}).get("suppressed") or ()
    return {
        "format": FORMAT,
        "at": utc(moment.now),
        **row_document(standing),
        "here": target is not None,
        "reason": change.get("reason") or "",
        "change": standing.change,
        "commands": list(change.get("commands") or ()),
        "leaves": rows,
        "more_leaves": more,
        "sides": {name: sides[name] is not None for name in ("git", "applied", "live")},
        "live": {"told": said, "asked": live is not None, "error": (live or {}).get("error")},
        "suppressed": [
            {"path": each["path"], "why": each["why"], "rule": each["rule"]}
            for each in suppressed
            if key_of(each["key"]) == key
        ],
        "manifest": _manifest(target, moment, key),
        "depends_on": _depends_on(moment, key),
        "dependents": _dependents(moment, key),
        "history": [
            event_row(event)
            for event in facts.store.events_of(key.kind, key.name, limit=HISTORY)
            if event.target == key.target and event.scope == key.scope
        ],
        "cost": _cost(target, kind, key),
        "has_logs": kind is not None and kind.logs is not None,
        "logs": logs,
    }


def _sides(
    facts: Facts, moment: Moment, standing: Standing, live: Mapping[str, Any] | None
) -> tuple[dict[str, Any], str]:
    """The spec as git says, as applied last and as live is, masked, None where it is not known; how live is known."""
    key, row, change = standing.key, standing.row, standing.change or {}
    target, desired = facts.targets.get(key.target), moment.desired.get(key.target)
    written = desired.resources.get(key) if desired is not None else None
    git = masked(target, key, written.read()) if target is not None and written is not None else None
    applied = public(facts.store.applied([key]).get(key, {}).get("spec"))
    sides: dict[str, Any] = {"git": git, "applied": applied, "live": None}
    if live is not None and "error" not in live:
        sides["live"] = live["spec"] if live["spec"] is not None else {}
        return sides, "read just now" if live["spec"] is not None else "not there"
    if standing.state == "unknown" or row is None or row.seen_at is None:
        missing = change.get("would", change.get("action")) in _NOT_THERE and standing.state != "unknown"
        return sides, "not there yet" if missing else "not known"
    fields = tuple(change.get("fields") or ())
    if row.in_sync or fields:
        sides["live"] = assumed_live(applied, git if fields else applied, fields)
        return sides, f"read {utc(row.seen_at)}"
    return sides, "not known"


def _manifest(target: Target | None, moment: Moment, key: Key) -> dict[str, Any] | None:
    desired = moment.desired.get(key.target)
    written = desired.resources.get(key) if desired is not None else None
    if target is None or written is None:
        return None
    try:
        return manifest_of(target, key, written.origin)
    except AgentError:
        return None  # git cannot be read now; the overview says so


def _depends_on(moment: Moment, key: Key) -> list[dict[str, Any]]:
    desired = moment.desired.get(key.target)
    written = desired.resources.get(key) if desired is not None else None
    return [key_document(each) for each in (written.depends_on if written is not None else ())]


def _dependents(moment: Moment, key: Key) -> list[dict[str, Any]]:
    desired = moment.desired.get(key.target)
    every = desired.resources.values() if desired is not None else ()
    return [key_document(each.key) for each in every if key in each.depends_on][:100]


def _cost(target: Target | None, kind: Kind | None, key: Key) -> dict[str, int]:
    """Calls: of one look, and at the most of each change."""
    if target is None or kind is None:
        return {}
    book = target.books.of(key)
    prices = {"look": calls_of_look(kind)}
    possible = ((Action.CREATE, kind.create or kind.apply), (Action.UPDATE, kind.update or kind.apply))
    for action, operation in (*possible, (Action.DELETE, kind.delete)):
        if operation is not None:
            prices[action.value] = requests_of(action, kind, book, _ANY).calls_max
    return prices

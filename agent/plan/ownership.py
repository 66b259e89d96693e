"""What a person said of a single object: it is let go, or taken over as it was shown. Pure; called by ``decide``."""

from __future__ import annotations

from dataclasses import replace

from agent.definitions.platform import Kind
from agent.model.canonical import digest
from agent.model.change import Action, Cause, Change, Requests
from agent.model.identity import Origin
from agent.model.inventory import InventoryRow
from agent.model.ownership import Word
from agent.model.resource import Absent, Observation, Present, Unknown
from agent.plan.compose import can_unmark
from agent.plan.cost import calls_of_look
from agent.plan.rules import RuleBook

RELEASED = "Released"
OUTDATED = "ConsentOutdated"


def consent_digest(change: Change, seen: Present) -> str:
    """What a person agrees to with ``adopt``: this object, of this owner, and these differences.

    Secrets count as changed or not; what git or somebody else changes afterwards is another question.
    """
    fields = [
        [f.pointer, f.op, "changed"] if f.sensitive else [f.pointer, f.op, f.before, f.after] for f in change.fields
    ]
    return digest([[*change.key[:2]], [list(pair) for pair in change.key.scope], change.key.name, seen.owner, fields])


def letting_go(
    row: InventoryRow, kind: Kind, book: RuleBook, seen: Observation, word: Word, origin: Origin | None
) -> Change:
    """The decision for an object of ours that a person has released: it stays live, without our mark if that can be."""
    told = f"let go by {word.who}; stays live"
    change = Change(row.key, Action.RELEASE, Cause.GIT, origin, uid=row.uid, server_id=row.server_id, message=told)
    if isinstance(seen, Absent):
        return replace(change, message="gone already; the inventory forgets it")
    if isinstance(seen, Unknown):
        return change.held("Unknown", f"live state unknown: {seen.message}")
    if kind.mark is None or seen.owner != row.uid:
        return change
    if not can_unmark(book):
        return replace(change, message=f"{told}, and keeps our mark: no write takes only that off")
    if not seen.is_read:
        return change.held("Unknown", "its content was not read in this pass")
    requests = Requests(1, calls_of_look(kind), 0, 0)
    told += "; our mark is taken off"
    return replace(change, message=told, requests=requests, calls=requests.calls_max, unmarks=True)

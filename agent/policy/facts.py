"""What an expression may know, as plain values: the change, the plan, the actor, the moment.

Called by ``judge``. The change has the members that it has in the plan's JSON document, so that a plan file and a plan
in memory are judged alike; values of secrets stand in neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from agent.model.actor import Actor, Person
from agent.model.judging import Occasion

_INT_MAX = (1 << 63) - 1
_COUNTED = ("create", "update", "replace", "delete", "adopt", "release")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def change_facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """``document`` as ``report.change_documents`` writes a change. What a hold keeps back is judged as if it went."""
    key = document["key"]
    origin = document.get("origin") or {}
    return {
        "target": key["target"],
        "kind": key["kind"],
        "name": key["name"],
        "scope": dict(key["scope"]),
        "action": document.get("would") or document["action"],
        "cause": document["cause"],
        "path": origin.get("path", ""),
        "fields": [plain(field) for field in document.get("fields", ()) if not field.get("apart")],
        "hits": list(document.get("hits", ())),
    }


def plan_facts(occasion: Occasion, changes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """``changes`` are the facts of all that would be sent."""
    counted = Counter((change["kind"], change["action"]) for change in changes)
    ours = occasion.owned
    kinds = sorted({kind for kind, _ in counted} | (ours or {}).keys())
    totals = {f"{action}s": sum(counted[kind, action] for kind in kinds) for action in _COUNTED}
    facts = {
        "target": occasion.target,
        "platform": occasion.platform,
        "commit": occasion.revision.commit,
        "branch": occasion.revision.ref or "",
        **totals,
        "by_kind": {kind: {f"{action}s": counted[kind, action] for action in _COUNTED} for kind in kinds},
    }
    if ours is not None:
        owned, gone = sum(ours.values()), totals["deletes"] + totals["replaces"]
        facts |= {
            "owned": owned,
            "owned_by_kind": {kind: ours.get(kind, 0) for kind in kinds},
            "deletes_share": gone / owned if owned else 0.0,
        }
    return facts if occasion.manifests is None else {**facts, "manifests": occasion.manifests}


def actor_facts(actor: Actor) -> dict[str, Any]:
    return {"author": _person(actor.author), "committer": _person(actor.committer), "signer": actor.signer}


def now_facts(at: float, zone: str) -> dict[str, Any]:
    """The moment as the clock on the wall of ``zone`` shows it."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return {
        "date": f"{local:%Y-%m-%d}",
        "time": f"{local:%H:%M}",
        "year": local.year,
        "month": local.month,
        "day": local.day,
        "hour": local.hour,
        "minute": local.minute,
        "weekday": _DAYS[local.weekday()],
    }


def plain(value: Any) -> Any:
    """The value in types that CEL has: a whole number beyond 64 bits and a decimal become doubles."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -_INT_MAX - 1 <= value <= _INT_MAX else float(value) if abs(value) < 1 << 1023 else str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str):
        # Half of a surrogate pair is no text elsewhere, and U+0000 ends a text where rules are evaluated: one that
        # begins with what is allowed would pass for it.
        whole = value if value.isascii() else value.encode("utf-8", "replace").decode()
        return whole.replace("\0", "\ufffd")
    if isinstance(value, Mapping):
        return {plain(str(name)): plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    return value


def _person(person: Person) -> dict[str, str]:
    return {"name": plain(person.name), "email": plain(person.email)}

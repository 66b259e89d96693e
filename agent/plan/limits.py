"""Limits that stop a whole pass from doing harm: too much changed at once, an empty set, too much missing at once.

A class of changes (deletes, updates, creates) goes as a whole or not at all, of the target or of a kind: a limit that
lets the first ten through is no limit. What is within the other limits goes on. Pure; called by ``planner``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.model.change import Action, Cause, Change
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.limits import Class
from agent.model.stock import by_kind, restless
from agent.plan.policy import Policy

CLASSES: Mapping[Action, tuple[Class, ...]] = {
    Action.DELETE: ("deletes",),
    Action.REPLACE: ("deletes", "creates"),
    Action.UPDATE: ("updates",),
    Action.CREATE: ("creates",),
    Action.ADOPT: ("creates",),
}
_REASONS: Mapping[Class, str] = {"deletes": "DeleteLimit", "updates": "UpdateLimit", "creates": "CreateLimit"}
CHANGE_LIMITS = frozenset({"UpdateLimit", "CreateLimit"})
"""Reasons of the holds that ``--confirm-changes`` speaks of."""
HEALED_SECONDS = 86_400.0
"""A routine look comes around slowly: repairs of drift within a day are one flood, however many passes see it."""


@dataclass(frozen=True, slots=True)
class Census:
    """A target as a whole, whatever part of it a pass is narrowed to: objects of ours by kind, and manifests."""

    owned: Mapping[str, int]
    manifests: int
    healed: frozenset[Key] = frozenset()  # whose drift was put back lately

    @property
    def total(self) -> int:
        return sum(self.owned.values())


def census(rows: Mapping[Key, InventoryRow], manifests: int, healed_since: float = 0.0) -> Census:
    """Count the whole inventory."""
    lately = (key for key, row in restless(rows).items() if row.healed_at is not None and row.healed_at > healed_since)
    return Census(by_kind(rows), manifests, frozenset(lately))


def hold_excess(changes: list[Change], known: Census, policy: Policy) -> tuple[list[Change], tuple[str, ...]]:
    """The changes, those beyond a limit as holds, and a sentence for each limit that was met."""
    removed, others = _deletes(changes, known, policy), _others(changes, known, policy)
    if not removed and not others:
        return changes, ()
    deletes = len(_of_class(changes, "deletes"))
    told = {key: (reason, note, f"--confirm-deletes {deletes}") for key, (reason, note) in removed.items()}
    for key, (reason, note) in others.items():
        told.setdefault(key, (reason, note, f"--confirm-changes {len(others)}"))
    held = [_held(change, *told[change.key]) if change.key in told else change for change in changes]
    return held, tuple(dict.fromkeys(note for _, note, _ in told.values()))


def _held(change: Change, reason: str, note: str, word: str) -> Change:
    return change.held(reason, f"{note}; `datakeel diff {word}` prints the digest that allows exactly these")


def mass_absence(absent: list[Key], owned: int, policy: Policy) -> str | None:
    """More of the inventory missing at once than may be let go: a wrong endpoint looks just like this."""
    allowed = policy.deletes_allowed(owned)
    if len(absent) <= allowed:
        return None
    return (
        f"{len(absent)} of {owned} owned objects are missing at once (at most {allowed} would be believed): "
        "a wrong server, scope or permission looks like this"
    )


Verdict = tuple[str, str]  # reason, sentence


def _deletes(changes: list[Change], known: Census, policy: Policy) -> dict[Key, Verdict]:
    removed = _of_class(changes, "deletes")
    if not removed:
        return {}
    confirmed = policy.confirm_deletes
    if confirmed is not None:
        if len(removed) == confirmed:
            return {}
        note = f"{len(removed)} deletes, and exactly {confirmed} were confirmed: none is sent"
        return {change.key: ("DeleteLimit", note) for change in removed}
    if known.manifests == 0:
        note = f"0 manifests, the inventory has {known.total}: nothing is deleted"
        return {change.key: ("EmptySet", note) for change in removed}
    return _beyond(removed, "deletes", known, policy)


def _others(changes: list[Change], known: Census, policy: Policy) -> dict[Key, Verdict]:
    """Updates and creates beyond their limits, and repairs of drift that are too many together with those before."""
    created = _of_class(changes, "creates")
    updated = _of_class(changes, "updates")
    held = {**_beyond(created, "creates", known, policy), **_beyond(updated, "updates", known, policy)}
    repairs = [change for change in updated if change.cause is Cause.DRIFT and change.key not in held]
    held |= _beyond(repairs, "updates", known, policy, before=known.healed) if known.healed else {}
    confirmed = policy.confirm_changes
    if confirmed is None or not held or len(held) == confirmed:
        return {} if confirmed is not None else held
    note = f"{len(held)} changes are beyond a limit, and exactly {confirmed} were confirmed: none of them is sent"
    return {key: (reason, note) for key, (reason, _) in held.items()}


def _beyond(
    changes: list[Change], what: Class, known: Census, policy: Policy, before: frozenset[Key] = frozenset()
) -> dict[Key, Verdict]:
    """What is held of one class: all of it when the target's limit is met, else all of each kind that meets its own."""
    total = known.total
    allowed = policy.limits.of_target(what, total).allowed(total)
    earlier = before - {change.key for change in changes}
    if changes and allowed is not None and len(changes) + len(earlier) > allowed:
        note = _note(what, len(changes), "", allowed, total, len(earlier))
        return {change.key: (_REASONS[what], note) for change in changes}
    held: dict[Key, Verdict] = {}
    for kind, number in sorted(Counter(change.key.kind for change in changes).items()):
        owned = known.owned.get(kind, 0)
        allowed = policy.limits.of_kind(kind, what, owned).allowed(owned)
        of_kind = sum(1 for key in earlier if key.kind == kind)
        if allowed is not None and number + of_kind > allowed:
            note = _note(what, number, kind, allowed, owned, of_kind)
            held |= {change.key: (_REASONS[what], note) for change in changes if change.key.kind == kind}
    return held


def _note(what: Class, number: int, kind: str, allowed: int, owned: int, earlier: int) -> str:
    named = f"{number} {what if number != 1 else what[:-1]}" + (f" of {kind}" if kind else "")
    if earlier:
        named += f" for drift after {earlier} within a day"
        return f"{named}, at most {allowed} of {owned} are allowed: none is sent"
    return f"{named}, at most {allowed} of {owned} are allowed in one pass: none is sent"


def _of_class(changes: Iterable[Change], what: Class) -> list[Change]:
    return [change for change in changes if what in CLASSES.get(change.action, ())]

"""What the operator's configuration and the manifests allow (I3, I5, I6), held against each change of the platform.

Called by ``judge``. Manifests are read as git has them, limits as plain numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.sandbox import Commit
from tests.simulation.books import Books, Row

if TYPE_CHECKING:
    from tests.simulation.judge import Judge

Place = tuple[str, str | None, str]
"""(type, workspace, name) of an object on the platform."""

_UNREAD = 15.0
"""Seconds after which a person's edit must have been read before it is written over."""
_QUIET = 120.0
"""Seconds without a fault after which the agent has no excuse for what it has not seen."""


def always_open(moment: float) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Operator:
    """``closed`` tells whether the target's windows forbid writes at a moment; ``lag`` is how old reads may be."""

    prune: bool = True
    deletes_max: int = 3
    deletes_share: float = 0.9
    reserve: float = 0.2
    settle: float = 15.0
    lag: float = 0.0
    drift: str = "heal"
    adopt: str = "ifIdentical"
    closed: Callable[[float], bool] = always_open

    def allowed(self, owned: int) -> int:
        """How many objects may go, or may be believed missing, in one pass."""
        return min(self.deletes_max, max(1, int(self.deletes_share * owned)))


class RuleCheck:
    """``stopped`` is the moment at which the agent was told to stop; after it nothing new may begin."""

    def __init__(
        self, judge: Judge, books: Books, broken: Callable[[str, str], None], checked: Callable[[str], None]
    ) -> None:
        self._judge = judge
        self._books = books
        self._broken = broken
        self._checked = checked
        self.stopped: float | None = None
        self._pass = ""
        self._owned: set[tuple[str | None, str]] = set()
        self._missing: set[Place] = set()
        self._deleted: set[Place] = set()

    def on_commit(self, commit: Commit) -> None:
        place = (commit.type, commit.workspace, commit.name)
        row = next((row for row in self._books.open_rows() if row.place == place[1:]), None)
        self._turn(row)
        self._allowed_now(place, row, commit)
        if self._was_delayed(commit):
            return  # git may have moved on while it was under way
        if commit.after is None:
            self._delete(place, commit)
        elif commit.before is None:
            self._create(place, commit)
        else:
            self._update(place, commit)

    def _turn(self, row: Row | None) -> None:
        """A new pass begins with its first write: limits count anew."""
        if row is not None and row.pass_id != self._pass:
            self._pass = row.pass_id
            self._owned = self._books.inventory()
            self._missing, self._deleted = set(), set()

    def _allowed_now(self, place: Place, row: Row | None, commit: Commit) -> None:
        self._checked("I6")
        if f"{place[0]}/{place[2]}" in {name.lower() for name in self._books.suspended(commit.time)}:
            self._broken("I6", f"wrote {place}, which a person has suspended")
        if self._judge.operator.closed(commit.time):
            self._broken("I6", f"wrote {place} at {commit.time:.0f}, outside of the target's windows")
        self._checked("I8")
        if self.stopped is not None and row is not None and row.opened_at > self.stopped:
            self._broken("I8", f"the {row.action} of {row.name} began after the agent was told to stop")

    def _delete(self, place: Place, commit: Commit) -> None:
        judge, history = self._judge, self._judge.history()
        self._deleted.add(place)
        documents = history[-1] if history else {}
        self._checked("I3")
        if place in judge.admitted():
            document = documents.get(place) or {}
            if _lifecycle(document).get("replace") != "allow":
                self._broken("I3", f"deleted {place[0]}/{place[2]}, which git wants")
            elif self._written(place, commit) == document.get(place[0]):
                self._broken("I3", f"deleted {place[0]}/{place[2]} to replace it, and git had not changed")
            return
        for new, document in documents.items():
            if _named(new, _lifecycle(document).get("movedFrom")) == place and not self._is_there(new):
                self._broken("I3", f"deleted {place[2]} before {new[2]}, which it becomes, was there")
        self._prune(place, history, commit)
        for other in self._due():
            if place in _needs(other, _last(history, other)):
                self._broken("I6", f"deleted {place[2]} before {other[2]}, which needs it")

    def _prune(self, place: Place, history: Sequence[Mapping[Place, Any]], commit: Commit) -> None:
        judge, operator = self._judge, self._judge.operator
        self._checked("I6")
        told = f"deleted {place[0]}/{place[2]}"
        if not operator.prune:
            self._broken("I6", f"{told}, and nothing may be pruned")
        if judge.invalid():
            self._broken("I6", f"{told}, while a manifest is invalid")
        if not judge.admitted():
            self._broken("I6", f"{told}, because git has no manifest at all")
        if _lifecycle(_last(history, place)).get("protect"):
            self._broken("I6", f"{told}, which is protected")
        allowed = operator.allowed(len(self._owned))
        if len(self._deleted) > allowed:
            self._broken("I6", f"{len(self._deleted)} deletes in one pass, {allowed} are allowed")
        due = len(self._deleted | self._due())
        if due > allowed and self._is_quiet(commit.time):
            self._broken("I6", f"{told}, and with it {due} would go, {allowed} are allowed")

    def _create(self, place: Place, commit: Commit) -> None:
        judge, history = self._judge, self._judge.history()
        documents = history[-1] if history else {}
        self._checked("I6")
        for needed in _needs(place, documents.get(place)):
            if not self._is_there(needed):
                self._broken("I6", f"made {place[2]} before {needed[2]}, which it needs")
        if place not in judge.admitted():
            self._broken("I6", f"made {place[2]}, which git does not name")
        if place[1:] in self._owned and not _lifecycle(documents.get(place)).get("replace"):
            self._missing.add(place)
            allowed = judge.operator.allowed(len(self._owned))
            if len(self._missing) > allowed:
                self._broken("I6", f"{len(self._missing)} missing objects were made anew in one pass, {allowed} may be")

    def _update(self, place: Place, commit: Commit) -> None:
        """What a person changed must have been read before it is written over."""
        self._checked("I6")
        world = self._judge.world
        edits = [each.time for each in world.commits if each.person and (each.type, each.workspace, each.name) == place]
        patience = _UNREAD + self._judge.operator.lag
        if not edits or commit.time - edits[-1] <= patience:
            return
        reads = [entry for entry in world.requests if entry.method == "GET" and entry.path.endswith(f"/{place[2]}")]
        if not any(entry.status == 200 and entry.time >= edits[-1] for entry in reads):
            self._broken("I6", f"wrote over what a person did to {place[2]} and nobody had read")

    def _written(self, place: Place, commit: Commit) -> Any:
        """The section that we wrote last, before a commit."""
        ours = [
            each.after
            for each in self._judge.world.commits
            if not each.person and each.number < commit.number and (each.type, each.workspace, each.name) == place
        ]
        return ((ours[-1] if ours else None) or {}).get("spec", {}).get(place[0])

    def _was_delayed(self, commit: Commit) -> bool:
        return any(played.request == commit.request for played in self._judge.world.faults.played)

    def _due(self) -> set[Place]:
        """Live objects of ours that have left git and are not protected."""
        judge, history = self._judge, self._judge.history()
        return {
            place
            for place in judge.ours()
            if place not in judge.admitted()
            and place[1:] in self._owned
            and not _lifecycle(_last(history, place)).get("protect")
        }

    def _is_there(self, place: Place) -> bool:
        return any(
            (each["type"], each.get("workspace"), each["name"]) == place for each in self._judge.world.resources()
        )

    def _is_quiet(self, now: float) -> bool:
        return not any(now - played.time < _QUIET for played in self._judge.world.faults.played)


def _lifecycle(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (document or {}).get("lifecycle") or {}
    return found


def _last(history: Sequence[Mapping[Place, Any]], place: Place) -> Mapping[str, Any] | None:
    """The last manifest that there was of a place."""
    return next((documents[place] for documents in reversed(history) if place in documents), None)


def _needs(place: Place, document: Mapping[str, Any] | None) -> list[Place]:
    return [_named(place, text) for text in _lifecycle(document).get("dependsOn", ())]


def _named(beside: Place, text: str | None) -> Place:
    """``Workflow/name``, or the name of one of the same kind, as the place in the same workspace."""
    kind, _, name = (text or "").rpartition("/")
    return kind.lower() or beside[0], beside[1], name

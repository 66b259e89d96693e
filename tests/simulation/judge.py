"""The judge: knows the rules and nothing of the agent's code. It reads the sandbox's log and the store's rows.

Asked at *every* commit of the sandbox, inside the request that makes it, because a look at the end is blind to what
healing hides; after every pass; and once more when nothing is left to do. Invariants are those of
``design/fault-model.md`` section 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.sandbox import Commit, World
from tests.simulation.books import Books
from tests.simulation.journal_check import JournalCheck
from tests.simulation.rules import Operator, Place, RuleCheck

OUR_MARK = re.compile(r"^datakeel\.(?P<target>[^/]+)/(?P<uid>[a-z0-9]{12})$")


ATTEMPTS_MAX, ATTEMPTS_IN = 9, 20.0
PASS_MAX = 900.0
"""Seconds: some calls of a pass, one after the other, may each take their deadline."""


class Violation(AssertionError):
    """An invariant was broken; the message begins with its number."""


@dataclass
class Judge:
    """``wanted`` yields the (type, workspace, name) that the newest commit of git names; ``admitted`` those of the
    revision that the agent last fetched. ``history`` yields the documents of every revision until that one, by place;
    ``invalid`` the places whose manifest there is none. ``operator`` is what the configuration allows."""

    world: World
    store: Path
    target: str
    wanted: Callable[[], set[Place]]
    admitted: Callable[[], set[Place]]
    history: Callable[[], Sequence[Mapping[Place, Mapping[str, Any]]]] = list
    invalid: Callable[[], set[Place]] = set
    operator: Operator = field(default_factory=Operator)
    violations: list[str] = field(default_factory=list)
    commits: int = 0
    checks: int = 0

    def __post_init__(self) -> None:
        self.books = Books(self.store)
        self.journal = JournalCheck(self.world, self.books, self.operator, self._broken, self._check)
        self.rules = RuleCheck(self, self.books, self._broken, self._check)

    def watch(self) -> None:
        self.world.on_commit(self.on_commit)

    def on_commit(self, commit: Commit) -> None:
        if commit.person:
            return
        self.commits += 1
        if commit.method == "DELETE":
            self._delete(commit)
        elif commit.before is not None:
            self._change(commit)
        if commit.after is not None:
            self._check("I4")
            if (_owner(commit.after) or ("",))[0] != self.target:
                self._broken("I4", f"wrote {commit.type}/{commit.name} without our mark: a lost store would orphan it")
        self.journal.on_commit(commit)
        self.rules.on_commit(commit)
        self._one_per_mark()

    def at_rest(self) -> None:
        """After a pass: whatever carries our mark is desired, in the inventory, or in an open intent (I4)."""
        self.journal.at_rest()
        desired = self.wanted()
        known = self._known()
        for place in self.ours():
            self._check("I4")
            if place not in desired and place[1:] not in known:
                self._broken("I4", f"{place} carries our mark, and nobody knows of it")
        for place in sorted(self.journal.made - known, key=str):
            self._broken("I4", f"{place} was made by a call that the journal closed, and the inventory lacks it")

    def settled(self, excused: Collection[str] = ()) -> None:
        """When faults have stopped and nothing is left to do: the store knows exactly what is ours, no call is in
        doubt, and what git wants is not what we ourselves took away. ``excused`` are names that wait for a person."""
        self._check("I4")
        ours = {place[1:] for place in self.ours()}
        inventory = self.books.inventory()
        for place in sorted(ours - inventory, key=str):
            if place[1] not in excused:
                self._broken("I4", f"{place} carries our mark, and the inventory lacks it in the end")
        for place in sorted(inventory - {(each.get("workspace"), each["name"]) for each in self.world.resources()}):
            if place[1] not in excused:
                self._broken("I4", f"{place} is in the inventory, and is not there in the end")
        for row in self.books.open_rows():
            self._broken("I7", f"the {row.action} of {row.name} is in doubt for ever")
        last = {(each.type, each.workspace, each.name): each for each in self.world.commits}
        for wanted in sorted(self.wanted() - self.invalid(), key=str):
            commit = last.get(wanted)
            if commit is not None and commit.after is None and not commit.person:
                self._broken("I7", f"git wants {wanted[2]}, and it was us who took it away")

    def lasted(self, seconds: float) -> None:
        """I8: a pass has an end, whatever the platform does."""
        self._check("I8")
        if seconds > PASS_MAX:
            self._broken("I8", f"a pass took {seconds:.0f} s")

    def budget(self, windows: Mapping[float, int], since: int = 0) -> None:
        """I8: no window of the platform was exceeded, people's share was left, and no 429 was our own doing."""
        times = [entry.time for entry in self.world.requests[since:] if entry.status]
        for seconds, limit in windows.items():
            limit = int(limit * (1 - self.operator.reserve))
            start = 0
            for end, moment in enumerate(times):
                while moment - times[start] >= seconds:
                    start += 1
                self._check("I8")
                if end - start + 1 > limit:
                    self._broken("I8", f"{end - start + 1} calls in {seconds:g} s, {limit} are allowed")
                    break
        self.journal.heeded_throttles(since)
        self._few_attempts()

    def _few_attempts(self) -> None:
        """I8: a read that fails is not asked for again and again: three attempts for each of a pass's purposes."""
        failed: dict[str, list[float]] = {}
        for entry in self.world.requests:
            if entry.method == "GET" and (entry.status >= 500 or not entry.status):
                failed.setdefault(f"{entry.path}?{entry.query}", []).append(entry.time)
        for path, times in failed.items():
            self._check("I8")
            if any(later - earlier < ATTEMPTS_IN for earlier, later in zip(times, times[ATTEMPTS_MAX:], strict=False)):
                self._broken("I8", f"{path} failed more than {ATTEMPTS_MAX} times within {ATTEMPTS_IN:g} s")

    def _delete(self, commit: Commit) -> None:
        self._check("I2")
        owner = _owner(commit.before)
        if owner is None or owner[0] != self.target:
            self._broken("I2", f"deleted {commit.type}/{commit.name}, which is not ours")

    def _change(self, commit: Commit) -> None:
        self._check("I2")
        owner = _owner(commit.before)
        if owner is not None and owner[0] != self.target:
            self._broken("I2", f"changed {commit.type}/{commit.name}, which is {owner[0]}'s")
        if owner is None and _content(commit.before) != _content(commit.after):
            self._broken("I2", f"changed {commit.type}/{commit.name}, which nobody had marked")
        foreign = {tag for tag in (commit.before or {}).get("tags") or () if str(tag).startswith("foreign-")}
        self._check("I2")
        if foreign - set((commit.after or {}).get("tags") or ()):
            self._broken("I2", f"erased foreign tags of {commit.type}/{commit.name}")

    def _one_per_mark(self) -> None:
        self._check("I1")
        owners = (_owner(record) for record in self.world.resources())
        marks = [owner for owner in owners if owner is not None and owner[0] == self.target]
        doubled = {mark for mark in marks if marks.count(mark) > 1}
        if doubled:
            self._broken("I1", f"two live objects carry {doubled.pop()}")

    def ours(self) -> set[Place]:
        """Everything live that carries our mark."""
        return {
            (record["type"], record.get("workspace"), record["name"])
            for record in self.world.resources()
            if (_owner(record) or ("",))[0] == self.target
        }

    def _known(self) -> set[tuple[str | None, str]]:
        return self.books.inventory() | {row.place for row in self.books.open_rows()}

    def _check(self, invariant: str) -> None:
        self.checks += 1

    def _broken(self, invariant: str, what: str) -> None:
        told = f"{invariant}: {what}"
        if told not in self.violations:
            self.violations.append(told)


def _owner(record: Mapping[str, Any] | None) -> tuple[str, str] | None:
    for tag in (record or {}).get("tags") or ():
        found = OUR_MARK.match(str(tag))
        if found:
            return found["target"], found["uid"]
    return None


def _content(record: Mapping[str, Any] | None) -> Any:
    """What a person would call the content: without state words and without our mark."""
    return {
        name: [tag for tag in value if not OUR_MARK.match(str(tag))] if name == "tags" else value
        for name, value in (record or {}).items()
        if name not in ("status", "created", "updated")
    }

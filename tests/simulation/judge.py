"""The judge: knows the rules and nothing of the agent's code. It reads the sandbox's commits and the store's rows.

Asked at *every* commit of the sandbox, inside the request that makes it, because a look at the end is blind to what
healing hides. Invariants are those of ``design/fault-model.md`` section 2.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.sandbox import Commit, World

OUR_MARK = re.compile(r"^datakeel\.(?P<target>[^/]+)/(?P<uid>[a-z0-9]{12})$")


class Violation(AssertionError):
    """An invariant was broken; the message begins with its number."""


@dataclass
class Judge:
    """``wanted`` yields the (type, workspace, name) that the newest commit of git names; ``admitted`` those of the
    revision that the agent last fetched. ``adopting`` allows a write on an unmarked object whose content is git's."""

    world: World
    store: Path
    target: str
    wanted: Callable[[], set[tuple[str, str | None, str]]]
    admitted: Callable[[], set[tuple[str, str | None, str]]]
    violations: list[str] = field(default_factory=list)
    commits: int = 0
    checks: int = 0

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
        self._journalled(commit)
        self._one_per_mark(commit)

    def at_rest(self) -> None:
        """After a pass: whatever carries our mark is desired, in the inventory, or in an open intent (I4)."""
        known = self._inventory() | self._open_intents()
        desired = self.wanted()
        for record in self.world.resources():
            self._check("I4")
            place = (record["type"], record.get("workspace"), record["name"])
            owner = _owner(record)
            ours = owner is not None and owner[0] == self.target
            if ours and place not in desired and place[2] not in known:
                self._broken("I4", f"{place} carries our mark, and nobody knows of it")

    def budget(self, windows: Mapping[float, int], since: int = 0) -> None:
        """I8: no window of the platform was exceeded, and no 429 was our own doing."""
        times = [entry.time for entry in self.world.requests[since:] if entry.status]
        for seconds, limit in windows.items():
            start = 0
            for end, moment in enumerate(times):
                while moment - times[start] >= seconds:
                    start += 1
                self._check("I8")
                if end - start + 1 > limit:
                    self._broken("I8", f"{end - start + 1} calls in {seconds:g} s, {limit} are allowed")
                    return

    def _delete(self, commit: Commit) -> None:
        self._check("I2")
        owner = _owner(commit.before)
        if owner is None or owner[0] != self.target:
            self._broken("I2", f"deleted {commit.type}/{commit.name}, which is not ours")
        self._check("I3")
        if (commit.type, commit.workspace, commit.name) in self.admitted():
            self._broken("I3", f"deleted {commit.type}/{commit.name}, which git wants")

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

    def _journalled(self, commit: Commit) -> None:
        self._check("I11")
        if commit.name not in self._open_intents():
            self._broken("I11", f"{commit.method} {commit.type}/{commit.name} without an open intent")

    def _one_per_mark(self, commit: Commit) -> None:
        self._check("I1")
        marks = [_owner(record) for record in self.world.resources() if _owner(record) is not None]
        doubled = {mark for mark in marks if marks.count(mark) > 1}
        if doubled:
            self._broken("I1", f"two live objects carry {doubled.pop()}")

    def _open_intents(self) -> set[str]:
        return self._names("SELECT name FROM journal WHERE closed_at IS NULL")

    def _inventory(self) -> set[str]:
        return self._names("SELECT name FROM inventory")

    def _names(self, query: str) -> set[str]:
        connection = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)
        try:
            return {row[0] for row in connection.execute(query)}
        finally:
            connection.close()

    def _check(self, invariant: str) -> None:
        self.checks += 1

    def _broken(self, invariant: str, what: str) -> None:
        self.violations.append(f"{invariant}: {what}")


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

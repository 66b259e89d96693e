"""The judge of the full model: knows the rules, the commits of the platform and the rows of the store, nothing else.

It asks at *every* commit, inside the request that makes it, because a look at the end is blind to what healing hides.
Invariants are those of ``design/fault-model.md`` section 2. An object is known by its *place* on the platform; the
*label* is the name that a manifest gives it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.apply.writer import LOOK_LASTS
from agent.sandbox import Commit
from tests.simulation.books import Books
from tests.simulation.full.samples import tokens_in

LATE = 25.0
"""Seconds after which a request that outlived its sender has arrived: within the deadline of a call."""

if TYPE_CHECKING:
    from tests.simulation.full.world import World

Place = tuple[str, str | None, str]
"""(type, workspace, name) of an object on the platform; the name may be an id."""

_MARK = re.compile(r"datakeel\.(?P<target>[a-z]+)/(?P<uid>[a-z0-9]{12})")
_RUN_MARK = re.compile(r"^(?P<label>.*) \[(?P<uid>[a-z0-9]{12}-[a-z0-9]{8})\]$")
UPLOADED = frozenset({"blob"})
"""What files become: named by the platform, nobody's in a manifest."""
STARTED = frozenset({"run", "pipeline-run"})
"""What actions start."""


def place_of(commit: Commit) -> Place:
    return commit.type, commit.workspace, commit.name


def renamed_from(commit: Commit) -> Place | None:
    """Where the object was that this commit gave another name; None for one that kept its own."""
    if commit.before is None or commit.after is None:
        return None
    old = commit.before.get("path")
    return (commit.type, commit.workspace, str(old)) if old not in (None, commit.name) else None


def label_of(commit: Commit) -> str:
    """What a manifest calls this object."""
    record = commit.after if commit.after is not None else commit.before or {}
    name = str(record.get("path") or record.get("name") or commit.name)
    found = _RUN_MARK.match(name)
    return found["label"] if found else name


def _name_of(commit: Commit) -> str:
    return str((commit.after or {}).get("name"))


def marks_of(record: Mapping[str, Any] | None) -> set[str]:
    """Every mark on an object: whose it is."""
    text = json.dumps(record, default=str)
    return {found["target"] for found in _MARK.finditer(text)}


class Referee:
    """Of one agent. ``name`` is its User-Agent, ``target`` its name in marks."""

    def __init__(self, world: World, name: str, target: str, store: Path) -> None:
        self.world = world
        self.name = name
        self.target = target
        self.books = Books(store)
        self.violations: list[str] = []
        self.commits = 0
        self.made: dict[Place, str] = {}
        self.marked_at: dict[Place, float] = {}
        """When the mark that an object carries was written."""
        self.runs: dict[str, str] = {}
        """Of each label the run that was started last: what git goes back to may be started again."""
        self.foreign: dict[Place, float] = {}
        """What others made, and when."""
        self.forgot_at = float("-inf")
        """When its store was lost: what was under way then arrives without a journal."""
        self.forgiven: set[Place] = set()
        """What was there when a store was lost: nobody may be able to tell whose it is."""
        self.admitted: Mapping[str, int] = {}
        """Label and token of each manifest of the revision that this agent fetched last."""
        self.ever: set[str] = set()

    def on_commit(self, commit: Commit) -> None:
        self._judge(commit)
        if marks_of(commit.after) != marks_of(commit.before):
            self.marked_at[place_of(commit)] = self.world.loop.time()

    def _judge(self, commit: Commit) -> None:
        place = place_of(commit)
        if commit.type in STARTED:
            return
        if commit.person or not commit.agent.startswith(self.name):
            self._someone_else(place, commit)
            return
        self.commits += 1
        label = label_of(commit)
        self._journalled(commit, label)
        if commit.before is None:
            self._create(place, label, commit)
        elif commit.after is None:
            self._delete(place, label, commit)
        else:
            self._change(place, label, commit)

    def at_rest(self) -> None:
        """After a pass, or a death: what we made is desired, in the inventory, or in an open intent (I4)."""
        self.runs = {label: run for label, run in self.runs.items() if label in self.admitted}
        known = {name for _, name in self.books.inventory()} | {row.name for row in self.books.open_rows()}
        wanted = self.world.wanted()
        for place, label in self.made.items():
            if label not in wanted and label not in known and place not in self.forgiven and not self._is_over(label):
                self.broken("I4", f"{place} was made by us, and nobody knows of it")

    def _is_over(self, label: str) -> bool:
        """A run that has ended is let go: nothing of it is left to look after."""
        sample = self.world.sample_of(label)
        if sample is None or not sample.is_run:
            return False
        ends = {str(each.get("name")): str(each.get("status")) for each in self.world.sandbox.resources()}
        states = [status for name, status in ends.items() if (_RUN_MARK.match(name) or {"label": ""})["label"] == label]
        return not any(status in ("CREATED", "SCHEDULED", "QUEUED", "INIT", "RUNNING") for status in states)

    def lost_store(self) -> None:
        """The agent forgets. What it made stays; it may not be able to tell."""
        self.forgiven |= {*self.made}
        self.forgot_at = self.world.loop.time()
        self.books.close()

    def broken(self, invariant: str, what: str) -> None:
        told = f"{invariant}: {what}"
        if told not in self.violations:
            self.violations.append(told)

    def _someone_else(self, place: Place, commit: Commit) -> None:
        label = label_of(commit)
        known = {name for _, name in self.books.inventory()}
        if commit.after is None:
            self.foreign.pop(place, None)
            self.world.identical.discard(place)
            self.made.pop(place, None)
        elif commit.before is not None:
            # A take-over that is under way cannot know of it.
            if label not in known | {row.name for row in self.books.open_rows()}:
                self.world.identical.discard(place)
        elif self.target not in marks_of(commit.after):
            sample = self.world.sample_of(label)
            if sample is None or sample.tells_apart or label not in known:
                self.foreign[place] = self.world.loop.time()

    def _is_foreign(self, place: Place) -> bool:
        """Made by somebody else, and not just as git says where that is enough to take it over."""
        taken = place in self.world.identical and self.world.story.cell.adopt == "ifIdentical"
        return place in self.foreign and not taken

    def _came_unseen(self, place: Place, commit: Commit) -> bool:
        """Whether others made the object after the last look at the one before it, or while the request was under way:
        no platform here can be told to change only the one that was seen."""
        return self._unseen(self.foreign.get(place, float("-inf")), commit)

    def _unseen(self, at: float, commit: Commit) -> bool:
        """Whether what happened then is newer than the look that the writer of this commit had."""
        return self.world.loop.time() - at <= (LATE if commit.agent.endswith("late") else LOOK_LASTS)

    def _journalled(self, commit: Commit, label: str) -> None:
        """I11: durable before its first byte, and each call its own."""
        if self.world.loop.time() - self.forgot_at <= LATE:
            return
        opened = self.books.open_rows()
        if commit.type in UPLOADED:
            # One that outlives its sender is given up at once: the file is sent again, and a copy may remain.
            if not commit.agent.endswith("late") and not any(row.action == "upload" for row in opened):
                self.broken("I11", f"uploaded {label} without an open intent")
        elif not any(row.name == label for row in opened):
            self.broken("I11", f"{commit.method} {commit.type}/{label} without an open intent")

    def _create(self, place: Place, label: str, commit: Commit) -> None:
        self.foreign.pop(place, None)
        if commit.type in UPLOADED:
            return
        if not any(row.name == label for row in self.books.open_rows()):
            self.forgiven.add(place)  # sent before the store was lost: what else has no intent, I11 tells
        if label not in self.ever:
            self.broken("I6", f"made {label}, which git never named")
        run = _name_of(commit)
        sample = self.world.sample_of(label)
        again = sample is None or not sample.is_run or self.runs.get(label) == run
        self.runs[label] = run
        for other, known in self.made.items():
            if known != label or other == place or other not in self.world.alive or {other, place} & self.forgiven:
                continue
            if again and (sample is None or not sample.is_run or _name_of(self.world.alive[other]) == run):
                self.broken("I1", f"two live objects of ours for {label}: {other} and {place}")
        self.made[place] = label

    def _change(self, place: Place, label: str, commit: Commit) -> None:
        old = renamed_from(commit)
        if old is not None and old in self.made:
            del self.made[old]
            self.made[place] = label
        owners = marks_of(commit.before)
        if owners and self.target not in owners and not self._unseen(self.marked_at[place], commit):
            self.broken("I2", f"changed {label}, which is {sorted(owners)}'s")
        sample = self.world.sample_of(label)
        if self._is_foreign(place) and not owners and not self._came_unseen(place, commit):
            identical = tokens_in(commit.before) == tokens_in(commit.after)
            if not (identical and sample is not None and sample.has_mark and self.world.story.cell.adopt != "never"):
                self.broken("I2", f"changed {label}, which a person made")
        self.foreign.pop(place, None)

    def _delete(self, place: Place, label: str, commit: Commit) -> None:
        owners = marks_of(commit.before)
        raced = place in self.world.raced or self._came_unseen(place, commit)
        self.world.raced.discard(place)
        if not raced and (self._is_foreign(place) or (owners and self.target not in owners)):
            self.broken("I2", f"deleted {label}, which is not ours")
        sample = self.world.sample_of(label)
        is_run = sample is not None and sample.is_run
        if label in self.admitted and not is_run and not commit.agent.endswith("late"):
            self.broken("I3", f"deleted {label}, which git wants")
        if commit.after is None:
            self.made.pop(place, None)

"""The journal held against the server's log (I11): each write was written down before it was sent, alone, once, and
what the journal says of its end is what happened. Called by ``judge``."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable

from agent.sandbox import Commit, World
from agent.sandbox.requests_log import Entry
from tests.simulation.books import Books, Row
from tests.simulation.rules import Operator

READS = ("GET", "HEAD")
_AT_ONCE = 1.0
"""Seconds from the journal's commit to the request's arrival, at most: nothing is waited for in between."""
_LIES = ("stale", "not-found", "other-identity")
"""Faults that no single read can tell from the truth."""
_TRUE_WAIT = 5.0
"""Seconds that the sandbox's 429 asks for, where a fault plays it."""
LATENCY = 0.2
"""Seconds until an answer is there, where a story has latency: what leaves meanwhile does not know it."""


class JournalCheck:
    """``broken`` and ``checked`` are the judge's."""

    def __init__(
        self,
        world: World,
        books: Books,
        operator: Operator,
        broken: Callable[[str, str], None],
        checked: Callable[[str], None],
    ) -> None:
        self._world = world
        self._books = books
        self._operator = operator
        self._broken = broken
        self._checked = checked
        self._open: set[int] = set()
        self._last = 0
        self._requests = 0
        self._unmatched: list[Row] = []
        self._sent: dict[int, Entry] = {}
        self._closed: dict[int, Row] = {}

    @property
    def made(self) -> set[tuple[str | None, str]]:
        """Objects that a closed call made, and that nobody has taken away or changed hands of since."""
        found = set()
        for row in self._closed.values():
            made = [each for each in self._commits(row) if each.before is None and each.after is not None]
            later = [each for each in self._all(row) if made and each.number > made[-1].number]
            if row.result == "done" and made and all(each.after is not None and not each.person for each in later):
                found.add(row.place)
        return found

    def on_commit(self, commit: Commit) -> None:
        """Inside the request that changes something: its intent is there, and no other of the same object."""
        self._checked("I11")
        opened = [row for row in self._books.open_rows() if row.place == (commit.workspace, commit.name)]
        if not opened:
            self._broken("I11", f"{commit.method} {commit.type}/{commit.name} without an open intent")
        if len({row.uid for row in opened}) < len(opened):
            self._broken("I11", f"{len(opened)} calls about {commit.type}/{commit.name} are open at once")

    def at_rest(self) -> None:
        """After a pass, or a death: what was sent since the last time, and what was closed since."""
        fresh = self._books.rows_since(self._last)
        self._last = fresh[-1].number if fresh else self._last
        self._unmatched += fresh
        self._every_request_once()
        self._open |= {row.number for row in fresh}
        for row in self._books.rows_of(sorted(self._open)):
            if row.closed_at is not None:
                self._open.discard(row.number)
                self._closed[row.number] = row
                self._told_truly(row)

    def _every_request_once(self) -> None:
        log = self._world.requests
        for entry in log[self._requests :]:
            if entry.method in READS or entry.status == 401:
                continue  # a 401 proves that nothing was done
            self._checked("I11")
            row = next((row for row in reversed(self._unmatched) if _is_about(row, entry)), None)
            if row is None:
                self._broken("I11", f"{entry.method} {entry.path} was sent, and the journal has no call for it")
                continue
            self._unmatched.remove(row)
            self._sent[row.number] = entry
            self._was_absent(row, entry)
            if row.number in self._closed:  # it arrived after somebody had closed it
                self._told_truly(self._closed[row.number])
        self._requests = len(log)

    def _was_absent(self, row: Row, entry: Entry) -> None:
        """I5: what is there is not asked for again, once every read can show it and none says otherwise."""
        if entry.method != "POST" or entry.status != 409 or self._is_misled(row):
            return
        self._checked("I5")
        before = [each for each in self._all(row) if each.time <= entry.time]
        if not before or before[-1].after is None:
            return
        age = entry.time - before[-1].time
        if age > self._operator.settle + self._operator.lag:
            self._broken("I5", f"{row.name} was to be made, and it had been there for {age:.0f} s")
        elif row.place in self.made:
            self._broken("I5", f"{row.name} was to be made {age:.0f} s after we had made it")

    def _told_truly(self, row: Row) -> None:
        """A closed call: ``done`` has happened, ``not_done`` has not. Where reads lag for longer than is believed,
        nothing can be told."""
        if self._is_misled(row) or row.closed_at is None:
            return
        self._checked("I11")
        there = self._there(row, row.opened_at), self._there(row, row.closed_at)
        ours = self._commits(row)
        what = f"the {row.action} of {row.name} at {row.opened_at:.0f}"
        if row.action == "create":
            made = any(each.before is None for each in ours)
            if row.result == "done" and not made and not any(self._marked(row, at) for at in (0, 1)):
                self._broken("I11", f"{what} is called done, and nothing of ours was made")
            if row.result == "not_done" and made and there[1] and not self._remade(row):
                self._broken("I11", f"{what} is called not done, and it was made")
        elif row.action == "delete":
            gone = any(each.after is None for each in ours)
            if row.result == "done" and not gone and all(there):
                self._broken("I11", f"{what} is called done, and it is still there")
            if row.result == "not_done" and gone and not there[1]:
                self._broken("I11", f"{what} is called not done, and it is gone")
        elif row.action == "update" and row.result == "done" and not ours and not row.note and all(there):
            self._broken("I11", f"{what} is called done, and nothing was changed")

    def _commits(self, row: Row) -> list[Commit]:
        """What the request of a journalled call changed."""
        entry = self._sent.get(row.number)
        return [] if entry is None else [self._world.commits[number - 1] for number in entry.commits]

    def _marked(self, row: Row, end: int) -> bool:
        """Whether the object carries the call's mark when it is opened (0) or closed (1)."""
        at = (row.opened_at, row.closed_at or row.opened_at)[end]
        before = [each for each in self._all(row) if each.time <= at]
        return bool(before) and any(str(tag).endswith(f"/{row.uid}") for tag in before[-1].tags)

    def _there(self, row: Row, at: float) -> bool:
        before = [each for each in self._all(row) if each.time <= at]
        return bool(before) and before[-1].after is not None

    def _remade(self, row: Row) -> bool:
        """Whether a person took away what the call made, and made it again."""
        return any(each.person for each in self._all(row))

    def _all(self, row: Row) -> list[Commit]:
        return [each for each in self._world.commits if (each.workspace, each.name) == row.place]

    def _is_misled(self, row: Row) -> bool:
        closed = row.closed_at if row.closed_at is not None else math.inf
        return any(
            played.label in _LIES and row.opened_at - 60.0 <= played.time <= closed
            for played in self._world.faults.played
        )

    def heeded_throttles(self, since: int = 0) -> None:
        """I8: after a 429 that tells how long to wait, nothing is sent before that time is over."""
        entries = self._world.requests[since:]
        times = sorted(entry.time for entry in entries)
        for entry in entries:
            if "rate-limited" not in entry.fault or entry.status != 429:
                continue
            self._checked("I8")
            answered = entry.time + (LATENCY if "latency" in entry.fault else 0.0)
            following = bisect_left(times, answered + 0.001)
            if following < len(times) and times[following] < entry.time + _TRUE_WAIT:
                self._broken("I8", f"a call {times[following] - entry.time:.1f} s after a 429 that asked for more")
                return


def _is_about(row: Row, entry: Entry) -> bool:
    """Whether a journalled call is this request: the same method, the same object, written down right before."""
    whole = re.compile(rf"(?<![\w-]){re.escape(row.name)}(?![\w-])")  # `many-1` is not named by `many-10`
    named = bool(whole.search(entry.path) or whole.search(entry.body))
    named = named or (row.server_id is not None and row.server_id in entry.path)
    return row.method == entry.method and named and 0.0 <= entry.time - row.opened_at <= _AT_ONCE

"""One incarnation of the agent: its effects are numbered points; at one of them it dies, freezes or is told to stop.

A point is where something outlives the process: right before and after a request leaves, while it is under way, before
an answer is read, and around each commit of the store.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.kill import Killed
from tests.simulation.kill import Life as ShortLife


class Life(ShortLife):
    """``next`` are things to do at a later point, by how many points; ``at`` are those for the next of a name."""

    def __init__(self, last: int | None = None) -> None:
        super().__init__(last)
        self.next: list[tuple[int, Callable[[], None]]] = []
        self.at: dict[str, Callable[[], None]] = {}
        self.doom: tuple[str, str] = ("", "")
        """The name of a point at which it dies, and the method of the write before it, where that matters."""
        self.wrote = ""
        self.stopped = False
        self.broken: list[str] = []
        self.pass_began = 0
        """How many points there were when the pass began."""

    def point(self, name: str) -> None:
        word, _, method = name.partition(" ")
        if word == "answer" and method != "GET":
            self.wrote = method
        if name == self.doom[0] and self.doom[1] in ("", self.wrote):
            self.last, self.doom = len(self.points) + 1, ("", "")
        super().point(name)
        if name in self.at:
            self.at.pop(name)()
        if self.next:
            due = [act for left, act in self.next if left <= 0]
            self.next = [(left - 1, act) for left, act in self.next if left > 0]
            for act in due:
                act()

    @property
    def of_pass(self) -> list[str]:
        """The points of the pass under way."""
        return self.points[self.pass_began :]


__all__ = ["Killed", "Life"]

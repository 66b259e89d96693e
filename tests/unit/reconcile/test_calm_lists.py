"""Lists that are what they were are not judged again, and nobody can tell: the same story is told with and without.

A story is a row of things that people, git and the platform do, each followed by the pass of a poll. It is played twice
in worlds that are alike; in one of them the agent forgets before each pass which lists were quiet.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.live.calm import Calm
from agent.live.rows import Listing
from agent.model.outcome import Report
from agent.reconcile.once import reconcile_once
from agent.reconcile.wish import Wish
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import INTERVAL, Scene, document, workflow

PLACES = ("public", "sales", "stock")
STEPS = 20


def manifest(name: str, hour: int) -> bytes:
    """In one of three workspaces, each with a list of its own."""
    return workflow(name, hour).replace(b"workspace: public", f"workspace: {_place(name)}".encode())


def _place(name: str) -> str:
    return PLACES[int(name[1:]) % len(PLACES)]


class _Story:
    """One world, and what is told of it after each step."""

    def __init__(self, folder: Path, seed: int, *, calm: bool) -> None:
        self.chance = random.Random(seed)
        self.loop = VirtualLoop()
        self.names = [f"w{number}" for number in range(9)]
        self.at = Scene(folder, self.loop, {f"{name}.yaml": manifest(name, 1) for name in self.names}, 900.0)
        self.at.target.config = replace(self.at.target.config, drift=self.chance.choice(["heal", "report"]))
        self.calm = calm
        self.told: list[Any] = []
        self.lists: Counter[bool] = Counter()  # by whether they were spared
        self._list = self.at.target.api.list
        self.at.target.api.list = self._counted  # type: ignore[method-assign]

    def play(self) -> list[Any]:
        try:
            run(self._whole(), self.loop)
        finally:
            self.at.close()
        return self.told

    async def _counted(self, *words: Any) -> Listing:
        listing = await self._list(*words)
        self.lists[listing.unchanged] += 1
        return listing

    async def _whole(self) -> None:
        for _ in range(2):
            await self._pass()
        for _ in range(STEPS):
            self.chance.choice([self._git, self._person, self._person, self._nothing, self._nothing])()
            await self.at.clock.sleep(self.chance.choice([5.0, 40.0, 400.0]))
            if self.chance.random() < 0.3:
                await self._pass(glance=True)
            await self._pass()

    def _git(self) -> None:
        name = self.chance.choice([*self.names, "w9", "w10"])
        gone = f"{name}.yaml" in self.at.files and self.chance.random() < 0.2
        self.at.commit(**{name: None if gone else manifest(name, self.chance.randrange(4))})

    def _person(self) -> None:
        name, world = self.chance.choice([*self.names, "w11", "w12"]), self.at.sandbox
        there = {each["name"] for each in world.resources() if each["type"] == "workflow"}
        if name not in there:
            world.person_create({**document(name, 3), "workspace": _place(name)})
        elif self.chance.random() < 0.3:
            world.person_delete("workflow", name, workspace=_place(name))
        else:
            world.person_edit("workflow", name, {"description": str(self.chance.random())}, workspace=_place(name))

    def _nothing(self) -> None:
        return

    async def _pass(self, *, glance: bool = False) -> None:
        """As the loop makes it: by itself, or at what an event names."""
        at = self.at
        if not self.calm:
            at.target.calm = Calm()
        mark, quiet = at.mark, at.target.calm
        named = frozenset(self.chance.sample(sorted(at.target.store.rows("main")), 1)) if glance else frozenset()
        wish = Wish(at.source.fetch(), interval_seconds=INTERVAL, patient=True, glance=glance, named=named)
        report = await reconcile_once(at.target, wish)
        assert quiet is at.target.calm
        self.told.append((*_words(report), sorted(at.sent_since(mark)), self._rows(), self._live()))

    def _rows(self) -> list[Any]:
        rows = self.at.target.store.rows("main")
        told = ("uid", "server_id", "in_sync", "health", "seen_at", "applied_digest", "listed_as", "protect")
        return sorted((key, *(getattr(row, name) for name in told)) for key, row in rows.items())

    def _live(self) -> Counter[str]:
        return Counter(f"{each['name']} {each['spec']} {each.get('tags')}" for each in self.at.sandbox.resources())


def _words(report: Report) -> tuple[Any, ...]:
    assert report.plan is not None
    plan = report.plan
    changes = sorted((each.key, each.action, each.reason, each.message, each.fields) for each in plan.changes)
    outcomes = sorted((each.change.key, each.result, each.code) for each in report.outcomes)
    return changes, plan.strays, plan.unchanged, plan.complete, plan.notes, outcomes, dict(report.calls)


@pytest.mark.parametrize("seed", [1])
def test_a_story_is_the_same_with_and_without(tmp_path: Path, seed: int) -> None:
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    spared, anew = _Story(tmp_path / "with", seed, calm=True), _Story(tmp_path / "without", seed, calm=False)
    for step, (told, again) in enumerate(zip(spared.play(), anew.play(), strict=True)):
        assert told == again, step
    assert spared.lists.total() == anew.lists.total()
    assert anew.lists[True] == 0 and spared.lists[True] > spared.lists.total() / 5

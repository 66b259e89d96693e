"""A death after each effect of stories in the garden: the next process comes to the end that there would have been.

For the words that no real definition uses; kinds of the real ones are killed in ``test_conformance_deaths.py``.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.model.outcome import Result
from agent.reconcile.wish import Wish
from tests.platforms.conformance.deaths import Effects
from tests.platforms.conformance.emulated import told
from tests.platforms.made_up.garden import Garden
from tests.platforms.made_up.scene import LINK, Scene, manifest, plant
from tests.simulation.kill import Killed, MortalStore, MortalTransport
from tests.simulation.places import make_template, memory_folder
from tests.simulation.virtual_time import VirtualLoop, run

Chapter = Sequence[Mapping[str, Any]]
ROOM = manifest("Bed", "south")


def barrel(**spec: Any) -> dict[str, Any]:
    return manifest("Barrel", "rain", spec)


def gate(name: str, width: int, **spec: Any) -> dict[str, Any]:
    return manifest("Gate", name, {"width": width, **spec})


def path(**spec: Any) -> dict[str, Any]:
    return manifest("Path", "main", spec)


STORIES: Mapping[str, Sequence[Chapter]] = {
    "created first, by key": ([plant()], [plant(notes="moved")], [plant(species="fagus")], []),
    "on condition": ([{**plant(), "kind": "Vine"}], [{**plant(notes="moved"), "kind": "Vine"}], []),
    "told by the list": ([{**plant(), "kind": "Hedge"}], [{**plant(notes="moved"), "kind": "Hedge"}], []),
    "created first, by mark": ([barrel(size=1)], [barrel(size=1, colour="red")], [barrel(size=2, colour="red")], []),
    "a name, then the rest": (
        [manifest("Tool", "rake", {"colour": "red"})],
        [manifest("Tool", "rake", {"colour": "blue"})],
        [],
    ),
    "calls of their own": (
        [gate("east", 1, open=True)],
        [gate("east", 1, colour="red")],
        [gate("east", 2, open=True)],
        [],
    ),
    "references": (
        [gate("east", 1), gate("west", 1), path(to="east", along=["east", "west"])],
        [gate("east", 2), gate("west", 1), path(to="east", along=["east"], gravel="fine")],
        [gate("east", 2), path(to="east")],
        [],
    ),
    "files": (
        [manifest("Fence", "long", {"plan": "a.txt", "sheets": ["b.txt", "a.txt"]})],
        [manifest("Fence", "long", {"plan": "b.txt", "sheets": ["a.txt"]})],
        [],
    ),
    "parents": ([ROOM, plant()], [ROOM, plant(notes="moved")], [ROOM], []),
}
EVERY = int(os.environ.get("DATAKEEL_DEATHS_EVERY", "20"))
FILES = {"a.txt": b"a", "b.txt": b"b"}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        make_template(Path(name))
        yield Path(name)


class Mortal(Scene):
    """A scene whose process may die."""

    life = Effects()

    def wire(self) -> httpx.AsyncBaseTransport:
        return MortalTransport(self.garden, self.life)

    def born(self, life: Effects) -> None:
        self.life = life
        self.store.close()
        self.store = self.opened(MortalStore)
        assert isinstance(self.store, MortalStore)
        self.store.life = life
        self.adopt(LINK, adopt="always")


@dataclass
class Told:
    points: dict[int, str] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)


def tell(chapters: Sequence[Chapter], folder: Path, last: int | None) -> Told:
    """The story, with a death at the effect of that number."""
    shutil.copyfile(folder / "template.db", folder / "state.db")
    loop = VirtualLoop()
    scene = Mortal(folder, loop)
    told_ = Told()

    async def story() -> None:
        scene.born(Effects(last))
        if ROOM not in chapters[0]:
            scene.garden.beds["south"] = {"name": "south"}
        scene.garden.yard.lets_go = True
        for chapter in chapters:
            scene.commit(*chapter, files=FILES)
            await _ends(scene, told_, len(chapter))
            told_.ends.append(_state(scene.garden))

    try:
        run(story(), loop)
    finally:
        scene.store.close()
    return told_


class AfterDelete(Effects):
    """Dies when the outcome of a delete is written down."""

    def point(self, name: str) -> None:
        if name == "committed" and self.points[-1:] == ["answer DELETE"]:
            self.last = len(self.points) + 1
        super().point(name)


def test_what_we_deleted_to_replace_it_is_made_again_though_git_says_what_it_said_before(folder: Path) -> None:
    """Under `drift: report` too: nobody but us has taken it away."""
    shutil.copyfile(folder / "template.db", folder / "state.db")
    loop = VirtualLoop()
    scene = Mortal(folder, loop)

    async def story() -> None:
        scene.born(Effects())
        scene.commit(gate("east", 1))
        await scene.look()
        await scene.clock.sleep(60)
        scene.commit(gate("east", 2))
        scene.born(AfterDelete())
        with pytest.raises(Killed):
            await scene.look()
        scene.born(Effects())
        scene.adopt(LINK, drift="report")
        scene.commit(gate("east", 1))
        await scene.clock.sleep(60)
        await scene.look()
        assert [*scene.garden.yard.shelves["gates"]] == ["east"]

    try:
        run(story(), loop)
    finally:
        scene.store.close()


async def _ends(scene: Mortal, told_: Told, wanted: int) -> None:
    """Passes until one has nothing to do; then another one, which must not have either."""
    rests = 0
    for _ in range(8):
        gone = len(scene.store.rows("main")) - wanted
        wish = Wish(fresh=True, confirm_deletes=gone if gone > 0 else None, careful=True)
        before, writes = len(scene.life.points), len(scene.writes())
        try:
            report = await scene.look(wish)
        except Killed:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            scene.born(Effects())
            await scene.clock.sleep(5)
            continue
        if len(scene.writes()) > writes:
            told_.points |= dict(enumerate(scene.life.points[before:], before + 1))
        assert all(each.result is not Result.UNKNOWN for each in report.outcomes)
        rests = rests + 1 if told(report) == "" else 0
        if rests == 2:
            return
        await scene.clock.sleep(45)
    raise AssertionError(f"no end: {told(report)}")


def _state(garden: Garden) -> str:
    """What there is, without what is each object's own; references by the names of what they lead to."""
    yard = garden.yard
    gates = {each["number"]: f"gate {name}" for name, each in yard.shelves["gates"].items()}
    own = {"uuid", "number", "revision"}

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: plain(member) for name, member in value.items() if name not in own}
        if isinstance(value, list):
            return [plain(member) for member in value]
        if isinstance(value, str) and value in yard.drawings:
            return yard.drawings[value].decode()
        return gates.get(value, value) if isinstance(value, int) and not isinstance(value, bool) else value

    sized = {name: {**each, "width": f"{each.get('width')}"} for name, each in yard.shelves["gates"].items()}
    barrels = [{**each, "size": f"{each['size']}"} for each in yard.barrels.values()]
    plants = [*garden.plants.values()]
    things = [sized, barrels, plants, garden.beds, garden.tools, yard.shelves["paths"], yard.shelves["fences"]]
    return json.dumps(plain(things), sort_keys=True)


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.row("K12", "K17")
def test_a_death_after_any_effect_changes_nothing_of_the_end(name: str, folder: Path) -> None:
    """After each change of the garden, and one in so many transactions."""
    lived = tell(STORIES[name], folder, None)
    assert lived.points
    for point, effect in lived.points.items():
        if effect != "committed" or point % EVERY == 0:
            died = tell(STORIES[name], folder, point)
            assert died.ends == lived.ends, f"death at effect {point}"

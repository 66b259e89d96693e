"""A manifest that moves to another target of the same system: its object changes hands, whoever looks first or dies."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agent.model.change import Action
from agent.model.identity import Key
from agent.model.outcome import Report
from tests.simulation.kill import Killed, Life
from tests.simulation.places import memory_folder
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.pair import Pair
from tests.unit.reconcile.scene import workflow

FILES = {"north/alpha.yaml": workflow("alpha", 1), "north/beta.yaml": workflow("beta", 1)}
FILES |= {"south/gamma.yaml": workflow("gamma", 1)}
ORDERS = [("north", "south"), ("south", "north")]


def play(folder: Path, story: Callable[[Pair], Awaitable[None]], **words: Any) -> None:
    loop = VirtualLoop()
    pair = Pair(folder, loop, FILES, **words)
    try:
        run(story(pair), loop)
    finally:
        pair.close()


def owners(pair: Pair, name: str = "alpha") -> list[str]:
    """The targets whose mark an object carries."""
    found = next(each for each in pair.sandbox.resources() if each["name"] == name)
    marks = [tag for tag in found.get("tags") or () if tag.startswith("datakeel.")]
    return [mark.removeprefix("datakeel.").partition("/")[0] for mark in marks]


def rows(pair: Pair) -> list[str]:
    """The targets whose inventory has alpha."""
    return [name for name in pair.targets if _alpha(name) in pair.target.store.rows(name)]


def _alpha(target: str) -> Key:
    return Key(target, "Workflow", (("workspace", "public"),), "alpha")


def told(report: Report) -> list[tuple[str, str]]:
    return [
        (each.change.action.value, each.code or each.result.value)
        for each in report.outcomes
        if each.change.key.name == "alpha"
    ]


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_moving_between_targets_hands_over_ownership_in_either_order(tmp_path: Path, order: tuple[str, str]) -> None:
    async def story(pair: Pair) -> None:
        for name in pair.targets:
            await pair.pass_of(name)
        pair.put(north__alpha=None, south__alpha=workflow("alpha", 1))
        before = len(pair.sandbox.commits)
        seen = {name: told(await pair.pass_of(name)) for name in order}
        assert seen["south"] == [("adopt", "done")]
        assert seen["north"] == ([("hold", "HandedOver")] if order[0] == "north" else [])
        assert [each.method for each in pair.sandbox.commits[before:]] == ["PUT"]  # the mark, and nothing else
        assert owners(pair) == ["south"] and rows(pair) == ["south"]
        for name in order:
            report = await pair.pass_of(name)
            assert report.plan is not None and report.plan.changes == ()

    play(tmp_path, story)


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_what_moves_and_changes_at_once_is_written_once(tmp_path: Path, order: tuple[str, str]) -> None:
    async def story(pair: Pair) -> None:
        for name in pair.targets:
            await pair.pass_of(name)
        pair.put(north__alpha=None, south__alpha=workflow("alpha", 7))
        before = len(pair.sandbox.commits)
        for name in order:
            await pair.pass_of(name)
        (commit,) = pair.sandbox.commits[before:]
        assert commit.after is not None and commit.after["spec"]["workflow"]["schedule"]["cron"] == "0 7 * * *"
        assert owners(pair) == ["south"]

    play(tmp_path, story)


def test_nothing_is_deleted_while_the_other_target_cannot_take_over(tmp_path: Path) -> None:
    """Its manifest there is invalid, or its windows are closed: the object stays whose it is."""

    async def story(pair: Pair) -> None:
        for name in pair.targets:
            await pair.pass_of(name)
        pair.put(north__alpha=None, south__alpha=workflow("alpha", 1).replace(b"schedule", b"shedule"))
        for name in ("south", "north", "north"):
            await pair.pass_of(name)
        assert owners(pair) == ["north"] and rows(pair) == ["north"]
        pair.put(south__alpha=None)
        await pair.pass_of("north")
        assert not any(each["name"] == "alpha" for each in pair.sandbox.resources())  # now it has left git

    play(tmp_path, story)


def test_a_target_without_prune_hands_over_too(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        for name in pair.targets:
            await pair.pass_of(name)
        pair.put(north__alpha=None, south__alpha=workflow("alpha", 1))
        for name in ("north", "south"):
            await pair.pass_of(name)
        assert owners(pair) == ["south"] and rows(pair) == ["south"]

    play(tmp_path, story, north={"prune": False}, south={"adopt": "never"})


def test_what_both_folders_name_stays_with_its_owner(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        for name in pair.targets:
            await pair.pass_of(name)
        pair.put(south__alpha=workflow("alpha", 9))
        for _ in range(2):
            assert told(await pair.pass_of("south")) == [("hold", "OwnedByOther")]
            assert told(await pair.pass_of("north")) == []
        assert owners(pair) == ["north"]

    play(tmp_path, story)


def test_on_another_server_it_is_another_object(tmp_path: Path) -> None:
    """A delete here and a create there, as ever."""

    async def story(pair: Pair) -> None:
        for name in pair.targets:
            await pair.pass_of(name)
        pair.put(north__alpha=None, south__alpha=workflow("alpha", 1))
        report = await pair.pass_of("north")
        assert report.plan is not None and report.plan.count(Action.DELETE) == 1

    play(tmp_path, story, south={"settings": {"elsewhere": True}})


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_death_at_any_point_of_a_handover_leads_to_the_same_end(order: tuple[str, str]) -> None:
    point, killed = 0, ["not yet"]
    while killed:
        point, killed = point + 1, []
        with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
            loop = VirtualLoop()
            pair = Pair(Path(folder), loop, FILES)
            try:
                run(_dying(pair, order, point, killed), loop)
            finally:
                pair.close()
    assert point > 8  # each effect of two passes was a death


async def _dying(pair: Pair, order: tuple[str, str], point: int, killed: list[str]) -> None:
    for name in pair.targets:
        await pair.pass_of(name)
    pair.put(north__alpha=None, south__alpha=workflow("alpha", 1))
    began = len(pair.sandbox.commits)
    pair.reborn(Life(point))
    try:
        for name in order:
            await pair.pass_of(name)
    except Killed as death:
        killed.append(str(death))
    pair.reborn()
    for _ in range(2):
        await pair.clock.sleep(60.0)
        for name in order:
            await pair.pass_of(name)
    what = f"killed at point {point}, {killed}"
    assert (owners(pair), rows(pair)) == (["south"], ["south"]), what
    methods = [each.method for each in pair.sandbox.commits[began:]]
    assert methods == ["PUT"], what
    assert not pair.target.store.open_intents("south") and not pair.target.store.open_intents("north"), what

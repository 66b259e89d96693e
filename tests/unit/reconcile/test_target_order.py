"""`dependsOn` between targets: what another one has not made ready holds its dependents; circles are mistakes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agent.model.outcome import Report
from agent.reconcile.looking import look, still_waiting
from agent.reconcile.loop import Loop
from agent.reconcile.neighbours import in_turn
from agent.reconcile.once import reconcile_once
from agent.reconcile.wish import Wish
from agent.source import Wakeups
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.pair import Pair
from tests.unit.reconcile.scene import INTERVAL, workflow, wrapped

ALPHA = {"target": "north", "resource": "Workflow/alpha"}


def play(
    folder: Path, story: Callable[[Pair], Awaitable[None]], *, gamma: bytes = workflow("gamma", 1), **words: Any
) -> None:
    loop = VirtualLoop()
    north = {f"north/{name}.yaml": workflow(name, 1) for name in ("alpha", "beta")}
    south = {"south/gamma.yaml": gamma, "south/free.yaml": workflow("free", 1)}
    pair = Pair(folder, loop, north | south, **words)
    try:
        run(story(pair), loop)
    finally:
        pair.close()


def told(report: Report, name: str = "gamma") -> list[tuple[str, str]]:
    return [
        (each.change.action.value, each.code or each.result.value)
        for each in report.outcomes
        if each.change.key.name == name
    ]


def why(report: Report, name: str = "gamma") -> str:
    return next(each.message for each in report.outcomes if each.change.key.name == name)


def test_a_resource_of_another_target_is_waited_for_and_the_rest_goes_on(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        report = await pair.pass_of("south")
        assert told(report) == [("hold", "WaitsForTarget")] and told(report, "free") == [("create", "done")]
        assert why(report) == "waits for Workflow/alpha of target north, which is not live yet"
        await pair.pass_of("north")
        assert told(await pair.pass_of("south")) == [("create", "done")]

    play(tmp_path, story, gamma=wrapped("gamma", 1, dependsOn=[ALPHA]))


def test_one_that_is_not_ready_is_waited_for(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        pair.sandbox.switches.ready_after = 100.0
        await pair.pass_of("north")
        assert "which is progressing" in why(await pair.pass_of("south"))
        await pair.clock.sleep(120.0)
        await pair.pass_of("north")
        assert told(await pair.pass_of("south")) == [("create", "done")]

    play(tmp_path, story, gamma=wrapped("gamma", 1, dependsOn=[ALPHA]))


def test_all_of_a_target_is_waited_for_by_the_manifest(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        pair.sandbox.faults.add({"fault": "forbidden", "times": 1, "method": "POST"})
        await pair.pass_of("north")
        message = why(await pair.pass_of("south"))
        assert message.startswith("waits for target north, where 1 of 2 are not live and ready as git says: Workflow/")
        await pair.pass_of("north")
        assert told(await pair.pass_of("south")) == [("create", "done")]

    play(tmp_path, story, gamma=wrapped("gamma", 1, dependsOn=[{"target": "north"}]))


def test_all_of_a_target_is_waited_for_by_the_configuration_and_leaving_is_not_held(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        for name in ("north", "south"):
            await pair.pass_of(name)
        pair.put(south__free=None, south__gamma=workflow("gamma", 2), north__alpha=workflow("alpha", 2))
        report = await pair.pass_of("south")
        assert told(report) == [("hold", "WaitsForTarget")]  # git has moved on in north, and north has not yet
        assert told(report, "free") == [("delete", "done")]
        await pair.pass_of("north")
        assert told(await pair.pass_of("south")) == [("update", "done")]

    play(tmp_path, story, south={"depends_on": ("north",)})


def test_an_invalid_manifest_of_the_other_target_holds_what_waits_for_it(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        pair.put(north__beta=workflow("beta", 1).replace(b"schedule", b"shedule"))
        await pair.pass_of("north")
        assert why(await pair.pass_of("south")) == "waits for target north, of which a manifest is invalid"

    play(tmp_path, story, south={"depends_on": ("north",)})


@pytest.mark.parametrize("fails", [False, True])
def test_one_command_applies_both_in_turn_and_looks_again_before_the_second(tmp_path: Path, fails: bool) -> None:
    async def story(pair: Pair) -> None:
        turns = in_turn([pair.targets["south"], pair.targets["north"]], pair.source.fetch())
        assert [(target.name, set(before)) for target, before in turns] == [("north", set()), ("south", {"north"})]
        wish = Wish(pair.source.fetch(), interval_seconds=INTERVAL, wait_for_all=True)
        plans = [
            await look(target, Wish(pair.source.fetch(), interval_seconds=INTERVAL, preceding=before))
            for target, before in turns
        ]
        assert "applied after target north" in plans[1].plan.notes and len(plans[1].plan.writes) == 2
        if fails:
            pair.sandbox.faults.add({"fault": "forbidden", "times": 2, "method": "POST"})
        await reconcile_once(turns[0][0], wish, plans[0])
        report = await reconcile_once(turns[1][0], wish, still_waiting(turns[1][0], plans[1]))
        assert told(report) == ([("hold", "WaitsForTarget")] if fails else [("create", "done")])
        assert told(report, "free") == [("create", "done")]

    play(tmp_path, story, gamma=wrapped("gamma", 1, dependsOn=[ALPHA]))


def test_a_circle_across_targets_is_a_mistake_of_the_manifests_in_it(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        gamma = {"target": "south", "resource": "Workflow/gamma"}
        pair.put(north__alpha=wrapped("alpha", 1, dependsOn=[gamma]))
        for name, broken in (("north", "alpha"), ("south", "gamma")):
            report = await pair.pass_of(name)
            (problem,) = report.problems
            assert (problem.code, len(problem.also)) == ("dependency-cycle", 1)
            assert problem.what == (
                "depends on itself: north:Workflow/alpha -> south:Workflow/gamma -> north:Workflow/alpha"
            )
            assert told(report, broken) == []
        assert {each["name"] for each in pair.sandbox.resources()} == {"beta", "free"}

    play(tmp_path, story, gamma=wrapped("gamma", 1, dependsOn=[ALPHA]))


def test_a_resource_that_the_other_target_does_not_declare_is_a_mistake(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        (problem,) = (await pair.pass_of("south")).problems
        assert problem.code == "dependency-missing"
        assert problem.what == "depends on `Workflow/alpaca` of target north, which declares no such resource"
        assert problem.fix == "did you mean `Workflow/alpha`?"

    gamma = wrapped("gamma", 1, dependsOn=[{"target": "north", "resource": "Workflow/alpaca"}])
    play(tmp_path, story, gamma=gamma)


def test_what_another_target_still_depends_on_is_deleted_after_its_dependents(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        for name in ("north", "south"):
            await pair.pass_of(name)
        await pair.clock.sleep(60.0)
        pair.put(north__alpha=None, south__gamma=None)
        report = await pair.pass_of("north")
        assert told(report, "alpha") == [("hold", "WaitsForTarget")]
        assert why(report, "alpha") == "waits for Workflow/gamma of target south, which still depends on it"
        pair.reborn()
        assert told(await pair.pass_of("south")) == [("delete", "done")]
        assert told(await pair.pass_of("north"), "alpha") == [("delete", "done")]
        gone = [each.name for each in pair.sandbox.commits if each.method == "DELETE"]
        assert gone.index("gamma") < gone.index("alpha")

    play(tmp_path, story, gamma=wrapped("gamma", 1, dependsOn=[ALPHA]))


def test_a_dependent_that_stays_lets_go_once_git_says_so(tmp_path: Path) -> None:
    async def story(pair: Pair) -> None:
        for name in ("north", "south"):
            await pair.pass_of(name)
        await pair.clock.sleep(60.0)
        pair.put(north__alpha=None, south__gamma=wrapped("gamma", 1))
        assert told(await pair.pass_of("north"), "alpha") == [("hold", "WaitsForTarget")]
        assert told(await pair.pass_of("south")) == []
        assert told(await pair.pass_of("north"), "alpha") == [("delete", "done")]

    play(tmp_path, story, gamma=wrapped("gamma", 1, dependsOn=[ALPHA]))


@pytest.mark.parametrize(("whole", "leaves"), [(True, True), (True, False), (False, True)])
def test_who_needs_all_of_a_target_keeps_it_only_while_it_leaves_itself(
    tmp_path: Path, whole: bool, leaves: bool
) -> None:
    async def story(pair: Pair) -> None:
        for name in ("north", "south"):
            await pair.pass_of(name)
        await pair.clock.sleep(60.0)
        pair.put(north__alpha=None, **({"south__gamma": None} if leaves else {}))
        waits = [("hold", "WaitsForTarget")] if leaves else [("delete", "done")]
        assert told(await pair.pass_of("north"), "alpha") == waits
        await pair.pass_of("south")
        assert told(await pair.pass_of("north"), "alpha") == ([("delete", "done")] if leaves else [])

    gamma = workflow("gamma", 1) if whole else wrapped("gamma", 1, dependsOn=[{"target": "north"}])
    play(tmp_path, story, gamma=gamma, **({"south": {"depends_on": ("north",)}} if whole else {}))


def test_a_target_is_woken_once_what_it_waits_for_is_there(tmp_path: Path) -> None:
    """``south`` is looked at first; neither its create nor north's delete waits for another interval."""

    async def story(pair: Pair) -> None:
        wakeups = Wakeups(clock=pair.clock)
        loop = Loop([pair.targets["south"], pair.targets["north"]], wakeups, 600.0)
        running = asyncio.ensure_future(loop.run())
        await pair.clock.sleep(5.0)
        assert {"alpha", "gamma"} <= {each["name"] for each in pair.sandbox.resources()}
        await pair.clock.sleep(60.0)
        loop.targets = loop.targets[::-1]
        pair.put(north__alpha=None, south__gamma=None)
        wakeups.poke("git")
        await pair.clock.sleep(5.0)
        assert {each["name"] for each in pair.sandbox.resources()} == {"beta", "free"}
        loop.stop()
        await running

    play(tmp_path, story, gamma=wrapped("gamma", 1, dependsOn=[ALPHA]))

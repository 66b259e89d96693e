"""How much one pass may change: each limit with a case just inside and one just outside, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from agent.definitions.platform import FieldRule
from agent.model.canonical import digest
from agent.model.change import Action, Change, Plan
from agent.model.identity import Key, Origin, uid_of
from agent.model.inventory import InventoryRow
from agent.model.limits import Limit
from agent.model.manifest import Lifecycle
from agent.model.resource import Absent, Present, Resource
from agent.plan.limits import Census
from tests.unit.plan.kinds import key, thing
from tests.unit.plan.test_planner import NOW, World

FLAT = (FieldRule("/n", immutable=True),)


def room(updates: float = 0.3, **limits: Any) -> World:
    """Two kinds and no limit but that of updates."""
    return World(thing(), thing(name="Other"), updates_share_max=updates, **limits)


def of(world: World, kind: str, number: int, applied: int = 1, live: int = 1, git: int = 1) -> list[Key]:
    """So many objects of a kind: what was applied last, what is live and what git says."""
    keys = [key(f"{kind.lower()}-{index:02}")._replace(kind=kind) for index in range(number)]
    for each in keys:
        put(world, each, {"n": applied}, {"n": live}, {"n": git})
    return keys


def put(world: World, which: Key, applied: Any, live: Any, git: Any, **row: Any) -> None:
    if git is not None:
        spec: Mapping[str, Any] = git
        world.resources[which] = Resource(
            which, Origin(f"{which.name}.yaml", 1, 1), digest(git), Lifecycle(replace=True), (), lambda: spec
        )
    uid = uid_of("made-up", which)
    world.observations[which] = Present(live, None, uid, "ready", NOW)
    world.rows[which] = InventoryRow(which, uid, applied_digest=digest(applied), in_sync=True, seen_at=NOW, **row)
    world.applied[which] = {"spec": applied, "depends_on": []}


def counted(plan: Plan) -> dict[Action, int]:
    return {action: plan.count(action) for action in Action if plan.count(action)}


def held(plan: Plan) -> Change:
    return plan.held[0]


@pytest.mark.parametrize(("changed", "sent"), [(3, 3), (4, 0)])
def test_updates_beyond_a_share_of_ten_or_more_are_refused_with_number_limit_and_way_out(
    changed: int, sent: int
) -> None:
    world = room()
    of(world, "Thing", 10 - changed)
    of(world, "Other", changed, git=2)
    plan = world.plan()
    assert plan.count(Action.UPDATE) == sent
    if not sent:
        assert held(plan).reason == "UpdateLimit" and held(plan).would is Action.UPDATE
        assert held(plan).message == (
            "4 updates, at most 3 of 10 are allowed in one pass: none is sent; "
            "`datakeel diff --confirm-changes 4` prints the digest that allows exactly these"
        )
        assert plan.notes == ("4 updates, at most 3 of 10 are allowed in one pass: none is sent",)


def test_fewer_than_ten_objects_may_all_be_updated() -> None:
    world = room()
    of(world, "Thing", 9, git=2)
    assert counted(world.plan()) == {Action.UPDATE: 9}


def test_the_share_holds_for_each_kind_of_ten_or_more_and_names_it() -> None:
    """A new definition of one kind makes all of its objects differ, though they are few of the whole."""
    world = room()
    of(world, "Thing", 90)
    others = of(world, "Other", 10, git=2)
    plan = world.plan()
    assert counted(plan) == {Action.HOLD: 10}
    assert plan.notes == ("10 updates of Other, at most 3 of 10 are allowed in one pass: none is sent",)
    del world.rows[others[0]], world.resources[others[0]], world.observations[others[0]]
    assert counted(world.plan()) == {Action.UPDATE: 9}


def test_what_is_within_the_other_limits_goes_on() -> None:
    world = room()
    of(world, "Thing", 20)
    of(world, "Other", 12, git=2)
    put(world, key("leaving"), {"n": 1}, {"n": 1}, None)
    put(world, key("edited"), {"n": 1}, {"n": 1}, {"n": 2})
    assert counted(world.plan()) == {Action.HOLD: 13, Action.DELETE: 1}  # 13 of 34 is too much of the whole, too
    world = room(0.5)
    of(world, "Thing", 20)
    of(world, "Other", 12, git=2)
    put(world, key("edited"), {"n": 1}, {"n": 1}, {"n": 2})
    plan = world.plan()
    assert counted(plan) == {Action.HOLD: 12, Action.UPDATE: 1}
    assert "12 updates of Other, at most 6 of 12" in plan.notes[0]


@pytest.mark.parametrize(("confirmed", "sent"), [(12, 12), (11, 0), (13, 0)])
def test_changes_are_confirmed_for_exactly_as_many_as_the_limits_hold(confirmed: int, sent: int) -> None:
    world = World(thing(), thing(name="Other"), updates_share_max=0.3, confirm_changes=confirmed)
    of(world, "Thing", 60)
    of(world, "Other", 12, git=2)
    put(world, key("edited"), {"n": 1}, {"n": 1}, {"n": 2})
    plan = world.plan()
    assert plan.count(Action.UPDATE) == sent + 1  # the one that no limit holds needs no word
    if not sent:
        assert f"12 changes are beyond a limit, and exactly {confirmed} were confirmed" in plan.notes[0]


@pytest.mark.parametrize(("most", "sent"), [(2, 2), (1, 0)])
def test_a_count_of_updates_can_be_set(most: int, sent: int) -> None:
    world = World(updates_max=most)
    of(world, "Thing", 2, git=2)
    assert world.plan().count(Action.UPDATE) == sent


@pytest.mark.parametrize(("limits", "sent"), [({}, 50), ({"creates_max": 50}, 50), ({"creates_max": 49}, 0)])
def test_creates_are_not_limited_unless_somebody_says_so(limits: dict[str, int], sent: int) -> None:
    world = World(**limits)
    for index in range(50):
        world.git(f"new-{index:02}", {"n": 1})
        world.observations[key(f"new-{index:02}")] = Absent("get", NOW)
    plan = world.plan()
    assert plan.count(Action.CREATE) == sent
    assert sent or held(plan).reason == "CreateLimit"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({}, None),
        ({"deletes_max": 1}, "DeleteLimit"),
        ({"creates_max": 1}, "CreateLimit"),
        ({"updates_max": 0}, None),
    ],
)
def test_a_replacement_counts_as_a_delete_and_a_create(limits: dict[str, int], reason: str | None) -> None:
    world = World(thing(fields=FLAT, replace="deleteFirst"), **limits)
    of(world, "Thing", 2, git=2)
    plan = world.plan()
    assert counted(plan) == ({Action.REPLACE: 2} if reason is None else {Action.HOLD: 2})
    assert reason is None or (held(plan).reason, held(plan).would) == (reason, Action.REPLACE)


@pytest.mark.parametrize(("word", "limit", "sent"), [("deletes", 2, 2), ("deletes", 1, 0)])
def test_a_kind_has_limits_of_its_own(word: str, limit: int, sent: int) -> None:
    world = World(thing(), thing(name="Other"), kinds={"Other": {word: Limit(limit)}})
    of(world, "Thing", 5)
    for each in of(world, "Other", 2):
        del world.resources[each]
    put(world, key("leaving"), {"n": 1}, {"n": 1}, None)
    plan = world.plan()
    assert plan.count(Action.DELETE) == sent + 1  # that of the other kind goes on
    assert sent or "2 deletes of Other, at most 1 of 2" in plan.notes[0]
    assert sent or "--confirm-deletes 3`" in held(plan).message


def test_a_share_of_a_kinds_deletes_holds_where_it_has_ten_or_more() -> None:
    world = World(thing(), thing(name="Other"), deletes_share_max=0.3)
    of(world, "Thing", 90)
    others = of(world, "Other", 10)
    for each in others[:3]:
        del world.resources[each]
    assert world.plan().count(Action.DELETE) == 3
    del world.resources[others[3]]
    assert "4 deletes of Other, at most 3 of 10" in world.plan().notes[0]


@pytest.mark.row("A28")
def test_a28_a_server_restored_from_a_backup_is_not_put_back_at_once() -> None:
    """Every object differs from what was applied last, and git has not moved."""
    world = room()
    of(world, "Thing", 20, live=0)
    plan = world.plan()
    assert counted(plan) == {Action.HOLD: 20} and held(plan).reason == "UpdateLimit"


@pytest.mark.parametrize(("healed", "sent"), [(5, 1), (6, 0)])
def test_a28_repairs_that_slow_looks_find_one_by_one_are_one_flood(healed: int, sent: int) -> None:
    world = room()
    for index, each in enumerate(of(world, "Thing", 20)):
        put(world, each, {"n": 1}, {"n": 1}, {"n": 1}, healed_at=NOW - 3600.0 if index < healed else None)
    put(world, key("thing-19"), {"n": 1}, {"n": 7}, {"n": 1})
    put(world, key("thing-18"), {"n": 1}, {"n": 1}, {"n": 2}, healed_at=None)
    plan = world.plan()
    assert plan.count(Action.UPDATE) == sent + 1  # what git asks for is no repair
    assert sent or plan.notes == ("1 update for drift after 6 within a day, at most 6 of 20 are allowed: none is sent",)


def test_the_same_object_repaired_again_and_again_is_one() -> None:
    world = room()
    of(world, "Thing", 20)
    for each in [key(f"thing-{index:02}") for index in range(6)]:
        put(world, each, {"n": 1}, {"n": 1}, {"n": 1}, healed_at=NOW - 60.0)
    put(world, key("thing-00"), {"n": 1}, {"n": 7}, {"n": 1}, healed_at=NOW - 60.0)
    assert world.plan().count(Action.UPDATE) == 1


def test_a_narrowed_pass_is_judged_by_the_whole_target() -> None:
    """`--only` of what has left git: the set of manifests is not empty, only the selection is."""
    world = World(deletes_share_max=0.5)
    put(world, key("leaving"), {"n": 1}, {"n": 1}, None)
    assert held(world.plan()).reason == "EmptySet"
    world.census = Census({"Thing": 4}, 3)
    assert counted(world.plan()) == {Action.DELETE: 1}

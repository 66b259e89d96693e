"""What is suspended is planned and held; everything beside it goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.model.change import Action
from agent.model.resource import Absent
from agent.model.suspension import Suspension
from agent.model.window import Closed
from tests.unit.plan.kinds import key
from tests.unit.plan.test_planner import NOW, World


def suspension(selector: str, until: float | None = None) -> Suspension:
    return Suspension("main", selector, "backfill", "ann", 0.0, until)


@pytest.mark.parametrize(
    ("selector", "held"),
    [
        ("", {"a", "b"}),
        ("Thing", {"a", "b"}),
        ("Thing/a", {"a"}),
        ("path:a.*", {"a"}),
        ("Other", set()),
        ("Thing/c", set()),
    ],
)
def test_what_the_selector_names_is_held_as_configured(selector: str, held: set[str]) -> None:
    world = World(suspended=(suspension(selector),))
    world.git("a", {"n": 1})
    world.git("b", {"n": 1})
    world.observations[key("a")] = Absent("get", NOW)
    world.observations[key("b")] = Absent("get", NOW)
    changes = {change.key.name: change for change in world.plan().changes}
    assert {name for name, change in changes.items() if change.action is Action.HOLD} == held
    for name in held:
        change = changes[name]
        assert (change.reason, change.would, change.configured, change.calls) == ("Suspended", Action.CREATE, True, 0)


def test_the_message_tells_who_why_and_until_when() -> None:
    world = World(suspended=(suspension("Thing/a", 1_700_000_000.0),))
    world.git("a", {"n": 1})
    world.observations[key("a")] = Absent("get", NOW)
    (change,) = world.plan().changes
    assert change.message == "suspended by ann until 2023-11-14 22:13 UTC: backfill"


def test_a_suspended_delete_counts_for_no_limit() -> None:
    world = World(suspended=(suspension("Thing/a"),), deletes_max=1)
    for name in ("a", "b"):
        world.live(name, {"n": 1})
        world.owned(name, {"n": 1})
    world.git("c", {"n": 1})
    world.observations[key("c")] = Absent("get", NOW)
    changes = {change.key.name: change.action for change in world.plan().changes}
    assert changes == {"a": Action.HOLD, "b": Action.DELETE, "c": Action.CREATE}


def test_outside_of_windows_writes_wait_and_deletes_keep_their_own_hours() -> None:
    world = World(closed=Closed("", "outside of the windows until Sat"))
    for name in ("a", "b"):
        world.live(name, {"n": 1})
        world.owned(name, {"n": 1})
    world.git("b", {"n": 2})
    changes = {change.key.name: (change.action, change.reason) for change in world.plan().changes}
    assert changes == {"a": (Action.HOLD, "WindowClosed"), "b": (Action.UPDATE, "")}
    world.policy = replace(world.policy, closed=Closed("closed", "closed"))
    assert {change.action for change in world.plan().changes} == {Action.HOLD}

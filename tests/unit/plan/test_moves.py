"""A resource under another name: the old object goes once the new one is live, and never instead of it."""

from __future__ import annotations

from dataclasses import replace

from agent.model.change import Action, Cause
from agent.model.resource import Absent, Present, Unknown
from agent.report.text import render_plan
from tests.unit.plan.kinds import key, thing
from tests.unit.plan.test_planner import NOW, World, the


def moved(**policy: object) -> World:
    world = World(**policy)
    world.live("old", {"n": 1})
    world.owned("old", {"n": 1})
    world.git("new", {"n": 1}, moved_from="old")
    world.observations[key("new")] = Absent("get", NOW)
    return world


def test_the_delete_waits_for_the_create_and_both_say_so() -> None:
    plan = moved().plan()
    made, gone = the(plan, "new"), the(plan, "old")
    assert (made.action, gone.action) == (Action.CREATE, Action.DELETE)
    assert gone.depends_on == (key("new"),) and made.order < gone.order
    assert made.message == "was old: the platform cannot rename, so this is made and old deleted after it"
    assert gone.message == "is new now; it goes once that one is live"


def test_a_create_that_is_held_holds_the_delete() -> None:
    world = moved()
    world.observations[key("new")] = Unknown("api-broken", "503")
    change = the(world.plan(), "old")
    assert (change.action, change.would, change.reason) == (Action.HOLD, Action.DELETE, "MoveHeld")


def test_what_is_live_under_the_new_name_already_frees_the_old_one() -> None:
    world = moved()
    world.live("new", {"n": 1})
    world.owned("new", {"n": 1})
    change = the(world.plan(), "old")
    assert (change.action, change.message) == (Action.DELETE, "is new now, which is live")


def test_drift_of_the_new_one_that_is_only_reported_keeps_nothing_back() -> None:
    world = moved(drift="report")
    world.live("new", {"n": 2})
    world.owned("new", {"n": 1})
    assert the(world.plan(), "new").action is Action.NONE
    assert the(world.plan(), "old").action is Action.DELETE


def test_without_pruning_the_old_one_stays() -> None:
    assert the(moved(prune=False).plan(), "old").reason == "PruneDisabled"


def test_a_name_that_git_still_holds_was_not_moved() -> None:
    world = moved()
    world.git("old", {"n": 1})
    assert the(world.plan(), "new").message == ""


def test_g9_a_create_just_like_what_has_left_git_is_asked_about() -> None:
    world = World()
    world.live("old", {"n": 1})
    world.owned("old", {"n": 1})
    world.git("new", {"n": 1})
    world.git("other", {"n": 2})
    for name in ("new", "other"):
        world.observations[key(name)] = Absent("get", NOW)
    plan = world.plan()
    told = "which leaves git: if it was renamed, `lifecycle: {movedFrom: old}` says so"
    assert the(plan, "new").message == f"just as {key('old')}, {told}"
    assert the(plan, "other").message == ""
    assert f"note   just as {key('old')}" in render_plan(plan)


def test_g9_what_is_nearly_the_same_is_asked_about_once_and_what_a_move_claims_is_not() -> None:
    world = World()
    for name in ("old", "claimed"):
        world.live(name, {"n": 1, "a": {"b": 1, "c": 2, "d": 3, "e": 4}})
        world.owned(name, {"n": 1, "a": {"b": 1, "c": 2, "d": 3, "e": 4}})
    world.git("new", {"n": 1, "a": {"b": 1, "c": 2, "d": 3, "e": 4, "f": 5}})
    world.git("moved", {"n": 2}, moved_from="claimed")
    for name in ("new", "moved"):
        world.observations[key(name)] = Absent("get", NOW)
    plan = world.plan()
    assert the(plan, "new").message.startswith(f"83% alike with {key('old')}, which leaves git: ")
    assert "alike" not in the(plan, "moved").message


def test_g9_the_text_of_a_plan_says_that_the_platform_cannot_rename() -> None:
    text = render_plan(moved().plan())
    assert "note   was old: the platform cannot rename, so this is made and old deleted after it" in text
    assert "is new now; it goes once that one is live" in text


def renaming(*owned: str, called: str, **git: str) -> World:
    """A kind that renames: one object that is ``called`` so, a row of it for each name that it had, and what git says
    as new name = old name."""
    world = World(thing(rename={"name": "${name}"}))
    for name in ("old", "new"):
        world.observations[key(name)] = Absent("get", NOW)
    for name in owned:
        world.owned(name, {"n": 1}, server_id="7")
    seen = world.observations[world.live(called, {"n": 1})]
    assert isinstance(seen, Present)
    world.observations[key(called)] = replace(seen, id="7", owner=world.rows[key(called)].uid)
    for new, old in git.items():
        world.git(new, {"n": 1}, moved_from=old)
    return world


def test_a_rename_is_one_update_of_the_object() -> None:
    (change,) = renaming("old", called="old", new="old").plan().changes
    assert (change.key, change.action, change.cause) == (key("new"), Action.UPDATE, Cause.MOVE)
    assert change.moved_from == key("old")


def test_the_row_of_the_former_name_is_forgotten_once_the_object_is_seen_under_the_new_one() -> None:
    for seen in (Absent("get", NOW), Unknown("api-broken", "an answer about another object")):
        world = renaming("old", "new", called="new", new="old")
        world.observations[key("old")] = seen
        (change,) = world.plan().changes
        assert (change.key, change.action) == (key("old"), Action.RELEASE)
        assert change.message == "is new now, renamed in place"


def test_a_rename_back_before_the_former_row_was_forgotten_is_a_rename() -> None:
    """The rows are those of the case above, and git names the other one: the object is let go of by neither."""
    world = renaming("old", "new", called="new", old="new")
    (change,) = world.plan().changes
    assert (change.key, change.action, change.moved_from) == (key("old"), Action.UPDATE, key("new"))
    world.observations[key("new")] = Unknown("api-broken", "503")
    plan = world.plan()
    assert [change.action for change in plan.changes] == [Action.HOLD, Action.HOLD]


def test_nothing_is_made_under_a_new_name_while_the_old_one_may_be_there() -> None:
    world = renaming("old", called="old", new="old")
    world.observations[key("old")] = Unknown("api-broken", "503")
    plan = world.plan()
    made = the(plan, "new")
    assert (made.action, made.would, made.reason) == (Action.HOLD, Action.UPDATE, "MoveHeld")
    assert made.message == "is to be renamed from old, whose live state is unknown: 503"
    assert the(plan, "old").action is Action.HOLD
    world.observations[key("old")] = Absent("get", NOW)
    assert the(world.plan(), "new").action is Action.CREATE

"""Decisions: each rule with a case just inside and one just outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agent.definitions.platform import FieldRule, Kind
from agent.errors import Problem, Where
from agent.model.canonical import digest
from agent.model.change import Action, Cause, Change, Plan
from agent.model.identity import Key, Origin, Revision, uid_of
from agent.model.inventory import InventoryRow
from agent.model.limits import Limits
from agent.model.manifest import Lifecycle
from agent.model.resource import Absent, Desired, Observation, Observed, Present, Resource, Stray, Unknown
from agent.plan.ground import Ground
from agent.plan.limits import HEALED_SECONDS, Census, census
from agent.plan.planner import make_plan
from agent.plan.policy import Policy
from agent.plan.rules import RuleBooks
from tests.unit.plan.kinds import key, platform, thing

NOW = 1_000_000.0


class World:
    """Desired, live and inventory of one target, put together step by step."""

    def __init__(self, *kinds: Kind, **policy: Any) -> None:
        self.platform = platform(*(kinds or (thing(),)))
        limits = {"deletes_max": 100, "deletes_share_max": 1.0, "updates_share_max": 1.0}
        limits |= {word: policy.pop(word) for word in list(policy) if "_max" in word or word == "kinds"}
        self.policy = Policy(**({"prune": True, "drift": "heal", "limits": Limits(**limits)} | policy))
        self.resources: dict[Key, Resource] = {}
        self.observations: dict[Key, Observation] = {}
        self.rows: dict[Key, InventoryRow] = {}
        self.applied: dict[Key, Mapping[str, Any]] = {}
        self.deciding: dict[Key, str] = {}
        self.broken: set[Key] = set()
        self.strays: tuple[Stray, ...] = ()
        self.problems: tuple[Problem, ...] = ()
        self.complete = True
        self.now = NOW
        self.census: Census | None = None

    def git(self, name: str, spec: Mapping[str, Any], *, needs: tuple[Key, ...] = (), **lifecycle: Any) -> Key:
        which = key(name)
        self.resources[which] = Resource(
            which, Origin(f"{name}.yaml", 1, 1), digest(spec), Lifecycle(**lifecycle), needs, lambda: spec
        )
        return which

    def live(self, name: str, spec: Mapping[str, Any], *, owner: str | None = "ours", **words: Any) -> Key:
        which = key(name)
        uid = uid_of("made-up", which)
        self.observations[which] = Present(
            spec, None, uid if owner == "ours" else owner, words.get("health", "ready"), NOW
        )
        return which

    def owned(self, name: str, spec: Mapping[str, Any], needs: tuple[Key, ...] = (), **words: Any) -> Key:
        which = key(name)
        settings: dict[str, Any] = {"applied_digest": digest(spec), "in_sync": True, "seen_at": NOW - 60}
        self.rows[which] = InventoryRow(which, uid_of("made-up", which), **(settings | words))
        self.applied[which] = {"spec": spec, "depends_on": [[k.target, k.kind, list(k.scope), k.name] for k in needs]}
        return which

    def all(self, name: str, spec: Mapping[str, Any], **words: Any) -> Key:
        self.git(name, spec, **words)
        self.live(name, spec)
        return self.owned(name, spec)

    def limits(self, **words: Any) -> None:
        self.policy = replace(self.policy, limits=replace(self.policy.limits, **words))

    def plan(self) -> Plan:
        desired = Desired(
            "main", Revision("c" * 40), self.resources, self.problems, frozenset(self.broken), self.complete
        )
        ground = Ground(
            self.platform,
            RuleBooks(self.platform.kinds),
            self.policy,
            self.rows,
            self.applied,
            lambda kind: None,
            lambda leaf: f"fp-{leaf}",
            self.deciding,
            self.now,
            census=self.census or census(self.rows, len(self.resources), self.now - HEALED_SECONDS),
        )
        return make_plan(desired, Observed(self.observations, self.strays), ground)


def the(plan: Plan, name: str) -> Change:
    return next(change for change in plan.changes if change.key.name == name)


def words(plan: Plan) -> list[tuple[str, str]]:
    return [(change.key.name, change.action.value) for change in plan.changes]


def test_equal_everywhere_is_no_change() -> None:
    world = World()
    world.all("a", {"x": 1})
    plan = world.plan()
    assert plan.changes == () and plan.unchanged == 1 and plan.agreed == (key("a"),)


def test_proved_absent_is_created() -> None:
    world = World()
    world.git("a", {"x": 1})
    world.observations[key("a")] = Absent("get", NOW)
    change = the(world.plan(), "a")
    assert (change.action, change.cause) == (Action.CREATE, Cause.GIT)


def test_unknown_creates_nothing() -> None:
    world = World()
    world.git("a", {"x": 1})
    world.observations[key("a")] = Unknown("api-broken", "GET answered 503")
    change = the(world.plan(), "a")
    assert (change.action, change.reason) == (Action.HOLD, "Unknown")


def test_a_key_that_was_not_looked_at_is_held() -> None:
    world = World()
    world.git("a", {"x": 1})
    assert the(world.plan(), "a").reason == "Unknown"


def test_a_change_in_git_updates() -> None:
    world = World()
    world.git("a", {"x": 2})
    world.owned("a", {"x": 1})
    world.live("a", {"x": 1})
    change = the(world.plan(), "a")
    assert (change.action, change.cause) == (Action.UPDATE, Cause.GIT)


@pytest.mark.parametrize(("mode", "action"), [("heal", "update"), ("report", "none"), ("off", None)])
def test_drift_follows_its_mode(mode: str, action: str | None) -> None:
    world = World(drift=mode)
    world.git("a", {"x": 1})
    world.owned("a", {"x": 1}, in_sync=False)
    world.live("a", {"x": 9})
    plan = world.plan()
    assert words(plan) == ([("a", action)] if action else [])
    if action:
        assert the(plan, "a").cause is Cause.DRIFT


def test_the_resource_overrides_the_targets_drift_mode() -> None:
    world = World(drift="heal")
    world.git("a", {"x": 1}, drift="report")
    world.owned("a", {"x": 1})
    world.live("a", {"x": 9})
    assert the(world.plan(), "a").action is Action.NONE


@pytest.mark.parametrize(
    ("kinds", "said", "action"),
    [
        ({"Thing": "report"}, None, Action.NONE),
        ({"Thing": "report"}, "heal", Action.UPDATE),
        ({"Other": "report"}, None, Action.UPDATE),
    ],
)
def test_a_kind_overrides_the_targets_drift_mode_and_the_resource_the_kinds(
    kinds: dict[str, str], said: str | None, action: Action
) -> None:
    world = World(drift="heal", drift_kinds=kinds)
    world.git("a", {"x": 1}, drift=said)
    world.owned("a", {"x": 1})
    world.live("a", {"x": 9})
    assert the(world.plan(), "a").action is action


def test_reported_drift_is_left_out_of_a_change_that_git_makes() -> None:
    world = World(drift="report")
    world.git("a", {"x": 1, "y": 2})
    world.owned("a", {"x": 1, "y": 1})
    world.live("a", {"x": 9, "y": 1})
    assert [field.path for field in the(world.plan(), "a").fields] == ["y"]


def test_an_unexpected_value_within_the_settle_window_is_not_drift() -> None:
    world = World()
    world.git("a", {"x": 1})
    world.owned("a", {"x": 1}, in_sync=False, settle_until=NOW + 1)
    world.live("a", {"x": 0})
    plan = world.plan()
    assert plan.changes == ()
    assert [note.partition(" a moment ago")[0] for note in plan.notes] == ["Thing/blue/a: x is not as it was written"]
    world.now = NOW + 2
    assert the(world.plan(), "a").cause is Cause.DRIFT
    assert world.plan().notes == ()


def test_an_owned_object_that_is_gone_is_made_again_as_drift() -> None:
    world = World()
    world.git("a", {"x": 1})
    world.owned("a", {"x": 1})
    world.observations[key("a")] = Absent("get", NOW)
    change = the(world.plan(), "a")
    assert (change.action, change.cause) == (Action.CREATE, Cause.DRIFT)


def test_a_foreign_mark_is_never_touched() -> None:
    world = World(adopt="always")
    world.git("a", {"x": 1})
    world.live("a", {"x": 2}, owner="othersowner1")
    assert the(world.plan(), "a").reason == "OwnedByOther"


@pytest.mark.parametrize(
    ("rule", "same", "expected"),
    [
        ("never", True, "hold"),
        ("ifMarked", True, "hold"),
        ("ifIdentical", True, "adopt"),
        ("ifIdentical", False, "hold"),
        ("always", False, "adopt"),
    ],
)
def test_an_unmarked_object_follows_the_adopt_rule(rule: str, same: bool, expected: str) -> None:
    world = World(adopt=rule)
    world.git("a", {"x": 1})
    world.live("a", {"x": 1 if same else 2}, owner=None)
    change = the(world.plan(), "a")
    assert change.action.value == expected
    assert change.cause is (Cause.ADOPT if expected == "adopt" else Cause.GIT)


def test_a_lost_inventory_is_rebuilt_from_our_mark() -> None:
    world = World(adopt="never")
    world.git("a", {"x": 1})
    world.live("a", {"x": 1})
    change = the(world.plan(), "a")
    assert change.action is Action.ADOPT and change.proof == "our mark"


def test_what_left_git_is_deleted_with_its_proof() -> None:
    world = World()
    world.owned("a", {"x": 1})
    world.live("a", {"x": 1})
    world.all("b", {"x": 1})
    change = the(world.plan(), "a")
    assert change.action is Action.DELETE and "tag and inventory agree" in change.proof


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        (lambda world: setattr(world, "policy", replace(world.policy, prune=False)), "PruneDisabled"),
        (lambda world: setattr(world, "complete", False), "IncompleteRevision"),
        (lambda world: world.observations.update({key("a"): Unknown("x", "y")}), "Unknown"),
        (lambda world: world.live("a", {"x": 1}, owner=None), "OwnershipUnproved"),
        (lambda world: world.rows.update({key("a"): replace(world.rows[key("a")], protect=True)}), "Protected"),
    ],
)
def test_a_delete_without_its_conditions_is_held(arrange: Any, reason: str) -> None:
    world = World()
    world.all("b", {"x": 1})
    world.owned("a", {"x": 1})
    world.live("a", {"x": 1})
    arrange(world)
    change = the(world.plan(), "a")
    assert (change.action, change.reason) == (Action.HOLD, reason)


def test_an_object_with_another_owner_or_none_at_all_leaves_the_inventory() -> None:
    world = World()
    world.all("c", {})
    world.owned("a", {"x": 1})
    world.live("a", {"x": 1}, owner="othersowner1")
    world.owned("b", {"x": 1})
    world.observations[key("b")] = Absent("get", NOW)
    plan = world.plan()
    assert words(plan) == [("a", "release"), ("b", "release")]
    assert plan.writes == ()


def test_a_broken_manifest_leaves_its_object_alone() -> None:
    world = World()
    world.all("b", {})
    world.owned("a", {"x": 1})
    world.live("a", {"x": 1})
    world.broken.add(key("a"))
    world.complete = False
    assert world.plan().changes == ()


def test_one_delete_more_than_the_limit_sends_none() -> None:
    world = World(deletes_max=2)
    for name in "abcdef":
        world.all(name, {"x": 1})
    del world.resources[key("a")], world.resources[key("b")]
    assert world.plan().count(Action.DELETE) == 2
    del world.resources[key("c")]
    plan = world.plan()
    assert plan.count(Action.DELETE) == 0
    assert {change.reason for change in plan.held} == {"DeleteLimit"}
    assert "3 deletes, at most 2 of 6" in plan.notes[0]


def test_a_share_of_the_inventory_limits_deletes_but_one_may_always_go() -> None:
    world = World(deletes_share_max=0.5)
    for name in "abcd":
        world.all(name, {"x": 1})
    del world.resources[key("a")], world.resources[key("b")]
    assert world.plan().count(Action.DELETE) == 2
    world.limits(deletes_share_max=0.49)
    assert world.plan().count(Action.DELETE) == 0
    world.git("b", {"x": 1})
    world.limits(deletes_share_max=0.01)
    assert world.plan().count(Action.DELETE) == 1


def test_confirmed_deletes_lift_the_limit_for_exactly_that_many() -> None:
    world = World(deletes_max=1, confirm_deletes=2)
    for name in "abc":
        world.all(name, {"x": 1})
    del world.resources[key("a")], world.resources[key("b")]
    assert world.plan().count(Action.DELETE) == 2
    world.policy = replace(world.policy, confirm_deletes=1)
    assert world.plan().count(Action.DELETE) == 0


@pytest.mark.row("G3")
def test_an_empty_set_of_manifests_deletes_nothing() -> None:
    world = World()
    world.owned("a", {"x": 1})
    world.live("a", {"x": 1})
    assert the(world.plan(), "a").reason == "EmptySet"


@pytest.mark.row("A25", "A28")
def test_many_missing_at_once_are_not_believed() -> None:
    world = World(deletes_max=1)
    for name in "abc":
        world.git(name, {"x": 1})
        world.owned(name, {"x": 1})
        world.observations[key(name)] = Absent("get", NOW)
    plan = world.plan()
    assert {change.reason for change in plan.changes} == {"Unknown"}
    assert "missing at once" in plan.notes[0]
    world.live("a", {"x": 1})
    world.live("b", {"x": 1})
    assert words(world.plan()) == [("c", "create")]


def test_an_undecided_write_holds_its_key_only() -> None:
    world = World()
    world.git("a", {"x": 1})
    world.git("b", {"x": 1})
    world.observations[key("a")] = Absent("get", NOW)
    world.observations[key("b")] = Absent("get", NOW)
    world.deciding[key("a")] = "the answer was lost"
    plan = world.plan()
    assert the(plan, "a").reason == "NeedsDecision" and the(plan, "b").action is Action.CREATE


def test_what_has_left_git_is_not_deleted_while_its_last_write_is_in_doubt() -> None:
    """The delete that was sent may still land, and then on what was made after the second one."""
    world = World()
    world.git("keeper", {})
    world.live("keeper", {})
    world.owned("keeper", {})
    world.owned("a", {"x": 1})
    world.live("a", {"x": 1})
    world.deciding[key("a")] = "the answer to a delete was lost a moment ago; it may still land"
    assert (the(world.plan(), "a").action, the(world.plan(), "a").reason) == (Action.HOLD, "NeedsDecision")
    world.deciding.clear()
    assert the(world.plan(), "a").action is Action.DELETE


def test_dependencies_go_first_and_deletes_last_in_reverse() -> None:
    world = World()
    world.git("base", {})
    world.git("top", {}, needs=(key("base"),))
    world.observations[key("base")] = world.observations[key("top")] = Absent("get", NOW)
    for name, needs in (("old-base", ()), ("old-top", (key("old-base"),))):
        world.owned(name, {}, needs)
        world.live(name, {})
    plan = world.plan()
    assert words(plan) == [("base", "create"), ("top", "create"), ("old-top", "delete"), ("old-base", "delete")]
    assert the(plan, "top").depends_on == (key("base"),)
    assert the(plan, "old-base").depends_on == (key("old-top"),)


def test_what_depends_on_a_missing_held_object_is_held_too() -> None:
    world = World()
    world.git("base", {})
    world.git("middle", {}, needs=(key("base"),))
    world.git("top", {}, needs=(key("middle"),))
    world.git("free", {})
    for name in ("middle", "top", "free"):
        world.observations[key(name)] = Absent("get", NOW)
    world.observations[key("base")] = Unknown("api-broken", "503")
    plan = world.plan()
    assert the(plan, "middle").reason == the(plan, "top").reason == "DependencyHeld"
    assert the(plan, "free").action is Action.CREATE


def test_an_unverified_write_is_planned_and_held_until_confirmed() -> None:
    world = World(thing(unverified="only an SDK call is printed"))
    world.git("a", {})
    world.observations[key("a")] = Absent("get", NOW)
    assert the(world.plan(), "a").reason == "Unverified"
    world.policy = replace(world.policy, confirmed=frozenset({"Thing"}))
    assert the(world.plan(), "a").action is Action.CREATE


@pytest.mark.parametrize(
    ("replace_word", "allowed", "live", "expected"),
    [
        ("deleteFirst", True, 1, "replace"),
        ("deleteFirst", False, 1, "ReplaceNotAllowed"),
        ("never", True, 1, "CannotReplace"),
    ],
)
def test_an_immutable_change_replaces_only_where_platform_and_manifest_allow(
    replace_word: Any, allowed: bool, live: int, expected: str
) -> None:
    world = World(thing(replace=replace_word, fields=(FieldRule("/mode", immutable=True),)))
    world.git("a", {"mode": 2}, replace=allowed)
    world.owned("a", {"mode": 1})
    world.live("a", {"mode": live})
    change = the(world.plan(), "a")
    assert expected in (change.action.value, change.reason)


def test_drift_never_replaces() -> None:
    world = World(thing(replace="deleteFirst", fields=(FieldRule("/mode", immutable=True),)))
    world.git("a", {"mode": 1}, replace=True)
    world.owned("a", {"mode": 1})
    world.live("a", {"mode": 2})
    assert the(world.plan(), "a").reason == "ReplaceForDrift"


def test_the_digest_covers_what_is_sent_and_nothing_else() -> None:
    world = World()
    world.git("a", {"x": 1})
    world.observations[key("a")] = Absent("get", NOW)
    first = world.plan().digest
    world.owned("held", {})
    world.live("held", {}, owner=None)
    assert world.plan().digest == first
    world.git("a", {"x": 2})
    assert world.plan().digest != first
    assert first.startswith("p1-") and len(first) == 35


def test_remembered_content_is_trusted_only_while_git_stands_still() -> None:
    world = World()
    world.git("a", {"x": 1})
    world.owned("a", {"x": 1})
    world.observations[key("a")] = Present(None, None, None, "ready", NOW - 60)
    assert world.plan().changes == ()
    world.git("a", {"x": 2})
    assert the(world.plan(), "a").reason == "Unknown"


def test_what_is_in_sync_only_as_last_read_is_counted() -> None:
    world = World()
    world.all("read now", {"x": 1})
    for name, known_as, listed_as in (("no list", None, None), ("vouched for", "7", "7"), ("moved on", "6", "7")):
        world.git(name, {"x": 1})
        world.owned(name, {"x": 1}, listed_as=known_as)
        world.observations[key(name)] = Present(None, None, None, "ready", NOW - 60, listed_as=listed_as)
    plan = world.plan()
    assert (plan.unchanged, plan.remembered) == (4, 2)


def test_strays_are_listed_and_never_changed() -> None:
    world = World()
    world.strays = (Stray(key("hand-made")),)
    plan = world.plan()
    assert plan.strays and plan.changes == ()


def test_a_problem_of_one_manifest_does_not_stop_its_neighbour() -> None:
    world = World()
    world.git("a", {"x": 1})
    world.observations[key("a")] = Absent("get", NOW)
    world.problems = (Problem("invalid-manifest", "no", Where("b.yaml", 1, 1)),)
    world.complete = False
    assert the(world.plan(), "a").action is Action.CREATE


@pytest.mark.parametrize(("by_manifest", "by_row"), [(True, False), (False, True), (False, False)])
def test_what_is_protected_is_not_replaced(by_manifest: bool, by_row: bool) -> None:
    world = World(thing(fields=(FieldRule("/x", immutable=True),), replace="deleteFirst"))
    world.git("a", {"x": 2}, replace=True, protect=by_manifest)
    world.owned("a", {"x": 1}, protect=by_row)
    world.live("a", {"x": 1})
    change = the(world.plan(), "a")
    if not (by_manifest or by_row):
        assert change.action is Action.REPLACE
        return
    assert (change.action, change.would, change.reason) == (Action.HOLD, Action.REPLACE, "Protected")
    assert change.message.endswith("protected; lift `protect` in one commit, make this change in a later one")

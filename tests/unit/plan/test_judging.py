"""Rules in a plan: what they deny or put off is held, what they say is in the digest, and without them nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.model.change import Action, Plan, digest_of
from agent.model.judging import Case, Judge, Occasion
from agent.model.resource import Absent
from agent.model.verdict import Effect, Verdict
from tests.unit.plan.kinds import key
from tests.unit.plan.test_planner import NOW, World, the


def saying(effect: Effect, *names: str, failure: str = "") -> Judge:
    def judge(cases: Sequence[Case], occasion: Occasion) -> tuple[Verdict, ...]:
        assert occasion.at == NOW and occasion.target == "main"
        return tuple(
            Verdict("rule", effect, case.change.key, "no", failure=failure)
            for case in cases
            if case.change.key.name in names
        )

    return judge


def world(judge: Judge | None = None) -> World:
    """One to create, one that needs it, one to delete, one in sync."""
    made = World() if judge is None else World(judge=judge)
    made.git("new", {"n": 1})
    made.git("needy", {"n": 1}, needs=(key("new"),))
    for name in ("new", "needy"):
        made.observations[key(name)] = Absent("get", NOW)
    made.live("old", {"n": 1})
    made.owned("old", {"n": 1})
    made.all("same", {"n": 1})
    return made


def actions(plan: Plan) -> dict[str, Action]:
    return {change.key.name: change.action for change in plan.changes}


def test_what_is_denied_is_held_with_what_needs_it_and_the_rest_goes() -> None:
    plan = world(saying(Effect.DENY, "new")).plan()
    assert actions(plan) == {"new": Action.HOLD, "needy": Action.HOLD, "old": Action.DELETE}
    held = the(plan, "new")
    assert (held.reason, held.would, held.configured, held.calls) == ("Policy", Action.CREATE, False, 0)
    assert held.message == "no (rule rule)"
    assert the(plan, "needy").reason == "DependencyHeld"
    assert [verdict.key.name for verdict in plan.denied] == ["new"]


def test_what_is_put_off_waits_as_its_author_meant_it_to() -> None:
    held = the(world(saying(Effect.HOLD, "old")).plan(), "old")
    assert (held.action, held.reason, held.would, held.configured) == (Action.HOLD, "PolicyHold", Action.DELETE, True)


def test_what_is_warned_of_goes() -> None:
    plan = world(saying(Effect.WARN, "old", "new")).plan()
    assert actions(plan) == actions(world().plan())
    assert [verdict.key.name for verdict in plan.verdicts or ()] == ["new", "old"] and plan.denied == ()


def test_a_denial_weighs_more_than_a_delay() -> None:
    def both(cases: Sequence[Case], occasion: Occasion) -> tuple[Verdict, ...]:
        later, never = saying(Effect.HOLD, "old"), saying(Effect.DENY, "old")
        return (*later(cases, occasion), *never(cases, occasion))

    assert the(world(both).plan(), "old").reason == "Policy"


def test_only_what_would_be_sent_is_judged_and_after_the_limits() -> None:
    seen: list[str] = []

    def judge(cases: Sequence[Case], occasion: Occasion) -> tuple[Verdict, ...]:
        seen.extend(case.change.key.name for case in cases)
        assert occasion.owned == {"Thing": 2} and occasion.manifests == 3
        return ()

    made = world(judge)
    made.limits(deletes_max=0)
    assert actions(made.plan())["old"] is Action.HOLD
    assert sorted(seen) == ["needy", "new"]


def test_a_rule_may_ask_for_either_side_with_secrets_hidden() -> None:
    found: dict[str, object] = {}

    def judge(cases: Sequence[Case], occasion: Occasion) -> tuple[Verdict, ...]:
        found.update({case.change.key.name: (case.desired(), case.live()) for case in cases})
        return ()

    made = World(judge=judge)
    made.git("a", {"n": 2, "password": "hunter2"})
    made.live("a", {"n": 1, "password": "hunter1"})
    made.owned("a", {"n": 1, "password": {"$fingerprint": "fp-hunter1"}})
    made.plan()
    assert found == {"a": ({"n": 2, "password": "(secret)"}, {"n": 1, "password": "(secret)"})}


def test_without_a_policy_the_digest_is_what_it_was() -> None:
    """The words of a plan's digest before there was a policy: a golden value, so that no approval is lost."""
    plan = world().plan()
    assert plan.verdicts is None
    assert plan.digest == "p1-e31350eff7ed8b20a07f6ec74182555e"


def test_what_rules_say_is_in_the_digest() -> None:
    plain, silent = world().plan(), world(saying(Effect.WARN)).plan()
    warned, failed = world(saying(Effect.WARN, "old")).plan(), world(saying(Effect.WARN, "old", failure="x")).plan()
    assert plain.writes == silent.writes == warned.writes == failed.writes
    digests = {plan.digest for plan in (plain, silent, warned, failed)}
    assert len(digests) == 4, "who approved one of them has seen another judgement"
    assert warned.digest == world(saying(Effect.WARN, "old")).plan().digest
    reworded = tuple(replace(verdict, message="other words") for verdict in warned.verdicts or ())
    assert digest_of((replace(warned, verdicts=reworded),)) == warned.digest, "wording stays out"

"""Rules applied to changes: which are asked, what they may know, and what a failure means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ConfigError
from agent.model.actor import NOBODY, Actor, Person
from agent.model.change import Action, Cause, Change, FieldChange, FieldOp
from agent.model.identity import Key, Origin, Revision
from agent.model.judging import Case, Occasion
from agent.model.verdict import Effect, Verdict
from agent.policy.facts import plain
from agent.policy.judge import RuleJudge
from agent.policy.rule import Match, Rule

FRIDAY = datetime(2026, 3, 6, 17, 30, tzinfo=UTC).timestamp()


def change(name: str, action: Action = Action.UPDATE, kind: str = "Workflow", **words: Any) -> Change:
    key = Key("main", kind, (("workspace", "public"),), name)
    return Change(key, action, **{"origin": Origin(f"manifests/{name}.yaml", 1, 1), **words})


def case(one: Change, desired: Mapping[str, Any] | None = None, live: Mapping[str, Any] | None = None) -> Case:
    return Case(one, lambda: desired, lambda: live)


def rule(expression: str, effect: Effect = Effect.DENY, name: str = "one", **words: Any) -> Rule:
    return Rule(name, effect, expression, "it is so", **words)


def judged(*rules: Rule, cases: list[Case], actor: Actor | None = NOBODY, at: float = FRIDAY) -> tuple[Verdict, ...]:
    occasion = Occasion("main", "acme/v1", Revision("c" * 40, "main"), {"Workflow": 8, "Depot": 2}, 9, at)
    return RuleJudge(rules, lambda: actor)(cases, occasion)


def fires(expression: str, one: Case | None = None, **words: Any) -> bool:
    actor = words.pop("actor", NOBODY)
    found = judged(rule(expression, **words), cases=[one or case(change("a"))], actor=actor)
    assert not any(verdict.failure for verdict in found), found
    return bool(found)


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        (Match(), True),
        (Match(kinds=("Depot", "Workflow")), True),
        (Match(kinds=("Depot",)), False),
        (Match(actions=("update",)), True),
        (Match(actions=("delete",)), False),
        (Match(causes=("drift",)), False),
        (Match(names=("prod-*",)), True),
        (Match(names=("public/prod-*",)), True),
        (Match(names=("private/*",)), False),
        (Match(paths=("manifests/*",)), True),
        (Match(paths=("other/*",)), False),
        (Match(targets=("ma*",)), True),
        (Match(targets=("sales",)), False),
        (Match(kinds=("Workflow",), actions=("delete",)), False),
    ],
)
def test_a_rule_is_asked_about_what_its_match_fits(match: Match, fits: bool) -> None:
    assert fires("true", case(change("prod-a")), match=match) is fits


def test_a_change_is_known_as_in_the_plan() -> None:
    field = FieldChange("spec.cron", "/spec/cron", FieldOp.CHANGE, Cause.GIT, "a", "b")
    secret = FieldChange("password", "/password", FieldOp.CHANGE, Cause.SECRET, sensitive=True, reference="env:P")
    apart = FieldChange("other", "/other", FieldOp.CHANGE, Cause.DRIFT, 1, 2, apart=True)
    one = case(change("a", fields=(field, secret, apart), cause=Cause.DRIFT))
    assert fires("change.scope.workspace == 'public' && change.path == 'manifests/a.yaml'", one)
    assert fires("change.cause == 'drift' && change.fields.size() == 2", one)
    assert fires("change.fields.exists(f, f.path == 'spec.cron' && f.before == 'a' && f.after == 'b')", one)
    assert fires("change.fields.exists(f, f.sensitive && !has(f.before) && !has(f.after))", one)


def test_counts_are_of_all_that_would_be_sent() -> None:
    cases = [
        *(case(change(f"d{number}", Action.DELETE)) for number in range(3)),
        case(change("u")),
        case(change("r", Action.REPLACE, "Depot")),
    ]
    expression = (
        "plan.deletes == 3 && plan.updates == 1 && plan.replaces == 1 && plan.creates == 0 && plan.owned == 10"
        " && plan.by_kind.Workflow.deletes == 3 && plan.by_kind.Depot.replaces == 1"
        " && plan.owned_by_kind.Depot == 2 && plan.deletes_share == 0.4 && plan.manifests == 9 && plan.branch == 'main'"
    )
    assert len(judged(rule(expression), cases=cases)) == 5


def test_now_is_told_in_the_zone_of_the_rule() -> None:
    expression = "now.weekday == 'friday' && now.time == '{}' && now.date == '2026-03-06' && now.hour == {}"
    assert fires(expression.format("17:30", 17))
    assert fires(expression.format("18:30", 18), zone="Europe/Berlin")


def test_the_actor_is_asked_for_only_where_a_rule_reads_it() -> None:
    asked: list[int] = []

    def actor() -> Actor:
        asked.append(1)
        return Actor(Person("Ann", "ann@example.com"), signer="ann")

    occasion = Occasion("main", "", Revision("c" * 40), {}, 0, FRIDAY)
    RuleJudge([rule("change.name == 'a'")], actor)([case(change("a"))], occasion)
    assert asked == []
    reads = rule("actor.author.email == 'ann@example.com' && actor.signer == 'ann' && actor.committer.name == ''")
    assert len(RuleJudge([reads], actor)([case(change("a")), case(change("b"))], occasion)) == 2
    assert asked == [1]


def test_both_sides_are_read_only_where_a_rule_asks() -> None:
    def refuse() -> Mapping[str, Any]:
        raise AssertionError("nobody asked")

    one = Case(change("a"), refuse, refuse)
    assert fires("change.name == 'a'", one)
    assert fires("change.desired.n == 1 && change['live'].n == 2", case(change("a"), {"n": 1}, {"n": 2}))
    assert fires("now['hour'] == 17 && actor['signer'] == '' && plan['owned'] == 10", one)


@pytest.mark.parametrize(
    ("effect", "counts_as"), [(Effect.DENY, Effect.DENY), (Effect.HOLD, Effect.DENY), (Effect.WARN, Effect.WARN)]
)
def test_what_cannot_be_evaluated_counts_as_true(effect: Effect, counts_as: Effect) -> None:
    (verdict,) = judged(rule("change.desired.owner == 'x'", effect), cases=[case(change("a"), {"n": 1})])
    assert (verdict.effect, verdict.failure) == (counts_as, 'no member "owner"')
    assert verdict.sentence == 'it is so (rule one could not be evaluated: no member "owner")'


def test_a_side_that_is_not_there_is_told_as_such() -> None:
    (verdict,) = judged(rule("change.desired.n == 1"), cases=[case(change("a", Action.DELETE), None, {"n": 1})])
    assert verdict.failure == "this delete has no `change.desired`"


def test_a_secret_that_cannot_be_read_fails_the_rules_that_need_the_spec() -> None:
    def unreadable() -> Mapping[str, Any]:
        raise ConfigError("the secret lake cannot be read")

    one = Case(change("a"), unreadable, lambda: None)
    found = judged(rule("change.desired.n == 1"), rule("change.name == 'b'", name="two"), cases=[one])
    assert [(verdict.rule, verdict.failure) for verdict in found] == [("one", "the secret lake cannot be read")]


def test_an_actor_whom_nobody_can_tell_fails_the_rules_that_ask() -> None:
    (verdict,) = judged(rule("actor.author.email == ''"), cases=[case(change("a"))], actor=None)
    assert verdict.effect is Effect.DENY and "actor" in verdict.failure


def test_values_are_those_of_the_rule() -> None:
    assert fires("change.name in values.names", values={"names": ["a"]})
    assert not fires("change.name in values.names", values={"names": ["b"]})


def test_verdicts_come_in_the_order_of_keys_and_rules_whatever_came_first() -> None:
    cases = [case(change("b")), case(change("a"))]
    rules = (rule("true", name="z"), rule("true", name="a"))
    found = [(verdict.key.name, verdict.rule) for verdict in judged(*rules, cases=cases)]
    assert found == [("a", "z"), ("a", "a"), ("b", "z"), ("b", "a")]
    assert judged(*rules, cases=cases) == judged(*rules, cases=cases[::-1])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(JSON)
def test_whatever_a_spec_holds_a_rule_is_true_false_or_told_to_have_failed(value: Any) -> None:
    one = case(change("a"), {"x": value})
    assert fires("change.desired.x == change.desired.x && size([change.desired]) == 1", one)
    for expression in ("change.desired.x > 1", "change.desired.x.y == 'z'", "change.desired.x in [1, 'a']"):
        assert {verdict.rule for verdict in judged(rule(expression), cases=[one])} <= {"one"}


def test_a_text_does_not_end_at_u_0000() -> None:
    one = case(change("a"), {"x": "allowed\0not"})
    assert not fires("change.desired.x == 'allowed'", one)
    assert fires("change.desired.x.startsWith('allowed') && size(change.desired.x) == 11", one)
    assert fires("size(change.desired.x) == 2", case(change("a"), {"x": {"": 1, "\0": 2}}))


def test_every_json_value_is_one_that_rules_can_hold() -> None:
    value = {"big": 2**70, "huge": 10**400, "least": -(2**63), "half": Decimal("0.5"), "odd": "a\ud800", "no": None}
    assert plain(value) == {
        "big": float(2**70),
        "huge": str(10**400),
        "least": -(2**63),
        "half": 0.5,
        "odd": "a?",
        "no": None,
    }
    assert fires("change.desired.big > 1.0 && change.desired.odd == 'a?'", case(change("a"), value))

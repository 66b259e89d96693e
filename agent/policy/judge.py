"""Rules applied to changes: the judge that a plan asks, and that tests of a policy and plan files are held before.

A rule is asked about each change that its ``match`` fits. One that cannot be evaluated counts as one that fired, and
one that would only have put the change off then denies it: unknown is never a yes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from agent.errors import AgentError
from agent.model.actor import Actor
from agent.model.identity import Key
from agent.model.judging import Case, Occasion
from agent.model.verdict import Effect, Verdict
from agent.policy.facts import actor_facts, change_facts, now_facts, plain, plan_facts
from agent.policy.language import Condition, NotEvaluated
from agent.policy.rule import Rule
from agent.report.change_documents import change_document

Spec = Callable[[], Mapping[str, Any] | None]
_FAILED = {Effect.DENY: Effect.DENY, Effect.HOLD: Effect.DENY, Effect.WARN: Effect.WARN}


def nothing() -> None:
    """The spec of a side that nobody knows."""


@dataclass(frozen=True)
class Subject:
    """A change to be judged: ``document`` as a plan's JSON has it, either side's spec for rules that read it."""

    key: Key
    document: Mapping[str, Any]
    desired: Spec = nothing
    live: Spec = nothing
    lacks: str = ""
    """Why neither side is there, where nobody kept them."""

    @cached_property
    def facts(self) -> dict[str, Any]:
        return change_facts(self.document)

    @cached_property
    def specs(self) -> dict[str, Any]:
        """Both sides, as far as they are known. Raises AgentError where a secret in one cannot be read."""
        sides = (("desired", self.desired()), ("live", self.live()))
        return {name: plain(spec) for name, spec in sides if spec is not None}


class RuleJudge:
    """Judges by these rules, in their order. ``actor`` is asked for where a rule reads it; None: nobody knows."""

    def __init__(self, rules: Sequence[Rule], actor: Callable[[], Actor | None]) -> None:
        self._rules = [
            (replace(rule, values=plain(rule.values)), Condition(rule.expression, rule.values)) for rule in rules
        ]
        self._actor = actor

    def __call__(self, cases: Sequence[Case], occasion: Occasion) -> tuple[Verdict, ...]:
        """As the planner asks."""
        subjects = [
            Subject(case.change.key, change_document(case.change), case.desired, case.live)
            for case in sorted(cases, key=lambda case: case.change.key)
        ]
        return self.judged(subjects, occasion)

    def judged(self, subjects: Sequence[Subject], occasion: Occasion) -> tuple[Verdict, ...]:
        """The verdicts on each subject, in the order of the rules."""
        everything = {"plan": plan_facts(occasion, [subject.facts for subject in subjects])}
        if any("actor" in condition.names for _, condition in self._rules):
            actor = self._actor()
            everything |= {} if actor is None else {"actor": actor_facts(actor)}
        return tuple(
            verdict
            for subject in subjects
            for rule, condition in self._rules
            if (verdict := _verdict(rule, condition, subject, everything, occasion)) is not None
        )


def _verdict(
    rule: Rule, condition: Condition, subject: Subject, everything: Mapping[str, Any], occasion: Occasion
) -> Verdict | None:
    if not rule.match.fits(subject.facts):
        return None
    change = subject.facts
    try:
        if condition.sides:
            change = {**change, **subject.specs}
        facts = {**everything, "change": change, "values": rule.values}
        if "now" in condition.names:
            facts["now"] = now_facts(occasion.at, rule.zone)
        if not condition.holds({name: facts[name] for name in condition.names & facts.keys()}):
            return None
    except AgentError as error:
        return Verdict(rule.name, _FAILED[rule.effect], subject.key, rule.message, rule.fix, error.what)
    except NotEvaluated as error:
        absent = [side for side in condition.sides if side not in change]
        why = f"this {change['action']} has no `change.{absent[0]}`{subject.lacks}" if absent else str(error)
        return Verdict(rule.name, _FAILED[rule.effect], subject.key, rule.message, rule.fix, why)
    return Verdict(rule.name, rule.effect, subject.key, rule.message, rule.fix)

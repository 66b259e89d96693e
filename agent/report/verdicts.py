"""What rules of a policy say, as JSON members and as sentences: one for each rule and what it says, of all that it is
about. Called by the writers of plans and reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.model.change import Plan
from agent.model.verdict import Verdict
from agent.report.change_documents import key_document

DOES = {"deny": "denies", "hold": "holds", "warn": "warns of"}
_NAMED_MAX = 5


@dataclass(frozen=True, slots=True)
class Said:
    """``names`` are kinds and names of the resources; ``failure`` says why the rule could not be evaluated."""

    rule: str
    effect: str
    names: tuple[str, ...]
    message: str
    fix: str = ""
    failure: str = ""

    @property
    def of(self) -> str:
        """The first of the resources, and how many more there are."""
        rest = len(self.names) - _NAMED_MAX
        return ", ".join(self.names[:_NAMED_MAX]) + (f" and {rest} more" if rest > 0 else "")

    @property
    def sentence(self) -> str:
        why = f"{self.message} (could not be evaluated: {self.failure})" if self.failure else self.message
        return f"{self.rule} {DOES[self.effect]} {self.of}: {why}"


def verdict_documents(plans: Iterable[Plan]) -> list[dict[str, Any]] | None:
    """All verdicts, in the order of their keys and rules; None where no plan was judged."""
    judged = [plan for plan in plans if plan.verdicts is not None]
    return [verdict_document(one) for plan in judged for one in plan.verdicts or ()] if judged else None


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    document: dict[str, Any] = {
        "rule": verdict.rule,
        "effect": verdict.effect.value,
        "key": key_document(verdict.key),
        "message": verdict.message,
    }
    optional = {"fix": verdict.fix, "failure": verdict.failure}
    return document | {word: text for word, text in optional.items() if text}


def said_in(documents: Iterable[Mapping[str, Any]]) -> list[Said]:
    """Verdicts that say the same, together; what stops something first."""
    found: dict[tuple[str, ...], list[str]] = {}
    for one in documents:
        alike = (one["rule"], one["effect"], one["message"], one.get("fix", ""), one.get("failure", ""))
        found.setdefault(alike, []).append(f"{one['key']['kind']}/{one['key']['name']}")
    told = [
        Said(rule, effect, tuple(names), message, fix, failure)
        for (rule, effect, message, fix, failure), names in found.items()
    ]
    return sorted(told, key=lambda one: list(DOES).index(one.effect))


def said_of(plan: Plan) -> list[Said]:
    return said_in(map(verdict_document, plan.verdicts or ()))

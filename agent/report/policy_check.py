"""``datakeel.policy-check/1``: what rules say of a plan file, as text and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent import __version__
from agent.model.verdict import Verdict
from agent.report.escape import clean
from agent.report.values import Paint, counted, plain
from agent.report.verdicts import said_in, verdict_document

FORMAT = "datakeel.policy-check/1"
_ROLES = {"deny": "error", "hold": "held", "warn": "held"}


def check_document(
    plan: Mapping[str, Any], verdicts: Sequence[Verdict], *, changes: int, rules: int, exit_status: int
) -> dict[str, Any]:
    """``changes`` of the plan were judged by ``rules``."""
    return {
        "format": FORMAT,
        "agent": __version__,
        "exit_status": exit_status,
        "digest": plan["digest"],
        "summary": {"changes": changes, "rules": rules},
        "policy": [verdict_document(one) for one in verdicts],
    }


def render_check(document: Mapping[str, Any], *, paint: Paint = plain) -> str:
    """A line for each rule that says something, and how much was judged."""
    lines = []
    for said in said_in(document["policy"]):
        lines.append(paint(_ROLES[said.effect], clean(said.sentence)))
        lines += [f"  fix: {clean(said.fix)}"] if said.fix else []
    summary = document["summary"]
    lines.append(f"{counted(summary['changes'], 'change')} judged by {counted(summary['rules'], 'rule')}")
    return "".join(f"{line}\n" for line in lines)

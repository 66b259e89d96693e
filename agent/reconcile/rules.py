"""The judge that a target's rules make, handed to the planner with the rest of its policy. Called by ``target``.

Who wrote a revision is read from git once, and only where a rule asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.errors import SourceError
from agent.model.identity import Revision
from agent.model.judging import Judge

if TYPE_CHECKING:
    from agent.config.model import TargetConfig
    from agent.model.actor import Actor
    from agent.source import Source


def judge_of(config: TargetConfig, source: Source, revision: Revision) -> Judge | None:
    """None where no rule was written; then the language is not loaded either."""
    if not config.rules:
        return None
    from agent.policy.judge import RuleJudge

    def actor() -> Actor | None:
        try:
            return source.actor(revision)
        except SourceError:
            return None  # a rule that asks cannot be evaluated then, and refuses

    return RuleJudge(config.rules, actor)

"""``datakeel policy check --plan FILE``: the rules of the configuration held against a plan file, without any call."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.cli.reading import cache_folder
from agent.config.model import Config
from agent.errors import AgentError, UsageError
from agent.model.actor import Actor, Person
from agent.model.verdict import Verdict
from agent.policy.examples import subjects_of
from agent.policy.judge import RuleJudge
from agent.source import open_source


def verdicts_on(
    document: Mapping[str, Any], config: Config, at: float, author: str | None
) -> tuple[int, int, list[Verdict]]:
    """How many changes were judged, by how many rules, and what these say. Raises UsageError."""
    changes, rules = 0, set[str]()
    found: list[Verdict] = []
    for name in document["scope"]["targets"]:
        target = config.targets.get(name)
        if target is None:
            raise UsageError(
                f"the plan is of target {name}, which the configuration does not have",
                fix=f"targets are {', '.join(sorted(config.targets))}",
            )
        subjects, occasion = subjects_of(document, name, at)
        commit = occasion.revision.commit
        judge = RuleJudge(target.rules, lambda commit=commit: _actor(config, commit, author))  # type: ignore[misc]
        found += judge.judged(subjects, occasion)
        changes += len(subjects)
        rules |= {rule.name for rule in target.rules}
    return changes, len(rules), found


def moment_of(written: str | None, now: float) -> float:
    """``--now`` as epoch seconds; it needs an offset, since rules may be told in several zones."""
    if written is None:
        return now
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        at = datetime.min
    if at.tzinfo is None:
        raise UsageError(f"--now {written}: not a moment with an offset", fix="write 2026-03-06T18:30+01:00")
    return at.timestamp()


def _actor(config: Config, commit: str, author: str | None) -> Actor | None:
    """As the command line says, else as the repository tells; None where neither does."""
    if author is not None:
        person = Person(email=author)
        return Actor(person, person)
    try:
        with closing(open_source(config.source, cache_folder())) as source:
            return source.actor(source.resolve(commit))
    except AgentError:
        return None


def plan_path(written: str | None, here: Path) -> Path:
    if written is None:
        raise UsageError("policy check needs a plan", fix="datakeel policy check --plan plan.json")
    return here / written

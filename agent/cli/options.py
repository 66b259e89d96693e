"""What the verbs hand to the wiring, and what they get back: options, selectors, plans, live rows, log lines.

Written by the verbs from the parsed command line, read by ``wiring`` and its neighbours. No I/O, nothing heavy is
imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from agent.errors import UsageError
from agent.model.selector import Selector

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.model import Address, Config
    from agent.errors import AgentError
    from agent.model.change import Plan
    from agent.model.identity import Key
    from agent.model.resource import Desired, Health

__all__ = ["FAIL_ON", "LiveRow", "LogLine", "Options", "Selector", "TargetPlan", "chosen"]

FAIL_ON = ("delete", "replace", "drift", "held", "policy")


@dataclass(frozen=True, slots=True)
class Options:
    """Every option that changes what a verb does; each verb leaves the others at their defaults."""

    verb: str = ""
    targets: tuple[str, ...] = ()  # empty: all
    only: tuple[Selector, ...] = ()
    paths: tuple[str, ...] = ()  # validate PATH…
    revision: str | None = None
    base: str | None = None  # diff, apply: where a proposal begins
    offline: bool = False
    worktree: bool = False  # uncommitted files of a local source (validate, diff)
    fresh: bool = False
    yes: bool = False
    expect: str | None = None
    plan_file: Path | None = None
    confirm_deletes: int | None = None
    confirm_changes: int | None = None
    ignore_windows: bool = False
    detailed_exitcode: bool = False
    fail_on: frozenset[str] = frozenset()
    max_calls: int | None = None
    once: bool = False
    addresses: Mapping[str, Address | None] = field(default_factory=dict)  # run: listen, probes
    quiet: bool = False
    verbose: bool = False

    def selects(self, kind: str, scope: tuple[tuple[str, str], ...], name: str, path: str = "") -> bool:
        """Whether ``--only`` lets this resource through: some inclusion matches (or there is none), no exclusion."""
        chosen = [one for one in self.only if not one.exclude]
        if chosen and not any(one.matches(kind, scope, name, path) for one in chosen):
            return False
        return not any(one.exclude and one.matches(kind, scope, name, path) for one in self.only)


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """The plan of one target, or the error that prevented it. ``desired`` carries the problems of its manifests.

    ``merged`` is what the revision before a proposal says: its problems are not the proposal's.
    """

    target: str
    plan: Plan | None = None
    desired: Desired | None = None
    error: AgentError | None = None
    merged: Desired | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a platform's own log, as evidence for people."""

    time: str | None
    level: str | None
    text: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One live object for ``get``. ``body`` is masked already; ``in_sync`` is None when nobody compared."""

    key: Key
    health: Health
    ours: bool
    in_sync: bool | None = None
    seen_at: float | None = None
    body: Mapping[str, Any] | None = None


def chosen(config: Config, options: Options) -> Config:
    """The configuration with only the targets that ``--target`` names. Raises UsageError for an unknown one."""
    unknown = [name for name in options.targets if name not in config.targets]
    if unknown:
        raise UsageError(
            f"no target {unknown[0]!r} in {config.path.name}", fix=f"one of: {', '.join(sorted(config.targets))}"
        )
    if not options.targets:
        return config
    return replace(config, targets={name: config.targets[name] for name in options.targets})

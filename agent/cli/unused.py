"""Variables that have a value and are named nowhere: told by ``validate``, since a pass has no use for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.config.model import Config
from agent.errors import Problem
from agent.model.resource import Desired

CODE = "variable-unused"


def with_unused(config: Config, found: Sequence[Desired], *, every: bool) -> tuple[Desired, ...]:
    """The same, each with a warning for every variable of its target that nothing names.

    ``every``: all targets were read, so that variables of all targets can be told too. Where a manifest is wrong
    nothing is said: what it was to name is not known.
    """
    if any(desired.errors for desired in found) or not any(
        target.variables.known for target in config.targets.values()
    ):
        return tuple(found)
    told = [replace(desired, problems=(*desired.problems, *_own(config, desired))) for desired in found]
    if every and told:
        told[0] = replace(told[0], problems=(*told[0].problems, *_shared(config, found)))
    return tuple(told)


def _own(config: Config, desired: Desired) -> Iterator[Problem]:
    variables = config.targets[desired.target].variables
    for name in sorted(variables.own - variables.used(desired.variables)):
        if name in variables.known:
            what = f"target {desired.target}: no manifest names the variable `{name}`"
            yield Problem(CODE, what, variables.known[name].where, fix="remove it", severity="warning")


def _shared(config: Config, found: Sequence[Desired]) -> Iterator[Problem]:
    used: set[str] = set()
    for desired in found:
        used |= config.targets[desired.target].variables.used(desired.variables)
    for name, where in config.variables.items():
        if name not in used:
            what = f"no manifest of any target names the variable `{name}`"
            yield Problem(CODE, what, where, fix="remove it", severity="warning")

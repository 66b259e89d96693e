"""Limits before the first mutation, and the order of what is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent.model.change import Action, Cause
from tests.simulation.sabotage import tales
from tests.simulation.sabotage.swap import Swap
from tests.simulation.sabotage.variant import Variant, always, asynchronously


def _first_ones(right: Any) -> Any:
    """A limit that lets the first ones go."""

    def deletes(changes: Any, known: Any, policy: Any) -> Any:
        verdicts = right(changes, known, policy)
        return dict(list(verdicts.items())[policy.deletes_allowed(known.total) :])

    return deletes


def _row_with(**words: Any) -> Any:
    """The inventory's row says something else where it is pruned."""

    def wrong(right: Any) -> Any:
        return lambda row, *arguments, **named: right(replace(row, **words), *arguments, **named)

    return wrong


def _desired_with(**words: Any) -> Any:
    def wrong(right: Any) -> Any:
        return lambda row, kind, seen, desired, *rest, **named: right(
            row, kind, seen, replace(desired, **words), *rest, **named
        )

    return wrong


def _believed(right: Any) -> Any:
    """An empty set of manifests is believed."""

    def deletes(changes: Any, known: Any, policy: Any) -> Any:
        return right(changes, replace(known, manifests=max(1, known.manifests)), policy)

    return deletes


def _pruning(right: Any) -> Any:
    return lambda *arguments, **words: replace(right(*arguments, **words), prune=True)


def _in_any_order(right: Any) -> Any:
    """Deletes wait for nobody, and go in the order of what is made."""

    def tied(changes: Any, *arguments: Any) -> Any:
        planned = right(changes, *arguments)
        deletes = [replace(each, depends_on=()) for each in planned if each.action is Action.DELETE]
        return (*(each for each in planned if each.action is not Action.DELETE), *reversed(deletes))

    return tied


def _with_leave(right: Any) -> Any:
    """Replacing needs nobody's leave."""

    def replaced(decider: Any, resource: Any, *arguments: Any) -> Any:
        return right(decider, replace(resource, lifecycle=replace(resource.lifecycle, replace=True)), *arguments)

    return replaced


def _for_drift(right: Any) -> Any:
    """What people changed is a reason to replace."""

    def replaced(decider: Any, resource: Any, kind: Any, fields: Any, immutable: Any, cause: Any, seen: Any) -> Any:
        return right(decider, resource, kind, fields, immutable, Cause.GIT, seen)

    return replaced


def _as_they_are(right: Any) -> Any:
    return lambda changes, *arguments: changes


def _variant(name: str, guard: str, tale: Any, caught_by: str, *swaps: Swap) -> Variant:
    return Variant(name, "limits", guard, tale, caught_by, swaps=swaps)


_PRUNE = "plan.prune:prune_row"

VARIANTS = (
    _variant(
        "no delete limit", "deletes of a pass are counted", tales.LIMITS, "I6", Swap("plan.limits:_deletes", always({}))
    ),
    _variant(
        "the first ones go", "beyond the limit none goes", tales.LIMITS, "I6", Swap("plan.limits:_deletes", _first_ones)
    ),
    _variant(
        "no mass-absence limit",
        "much missing at once is not believed",
        tales.LIMITS,
        "I6",
        Swap("plan.limits:mass_absence", always(None)),
    ),
    _variant(
        "an empty folder is believed",
        "no manifest at all deletes nothing",
        tales.EMPTIED,
        "I6",
        Swap("plan.limits:_deletes", _believed),
    ),
    _variant(
        "an invalid manifest is a removed one",
        "an invalid manifest holds its object",
        tales.LIMITS,
        "I3",
        Swap(_PRUNE, _desired_with(broken=frozenset(), complete=True)),
    ),
    _variant(
        "pruned while a manifest is invalid",
        "an incomplete revision prunes nothing",
        tales.LIMITS,
        "I6",
        Swap(_PRUNE, _desired_with(complete=True)),
    ),
    _variant(
        "protection is not heeded",
        "what was protected waits for a person",
        tales.LIMITS,
        "I6",
        Swap(_PRUNE, _row_with(protect=False)),
    ),
    _variant(
        "prune is not asked for",
        "`prune: false` keeps everything",
        tales.NO_PRUNE,
        "I6",
        Swap("reconcile.target:Target.policy", _pruning),
    ),
    _variant(
        "dependents go on",
        "what a change needs must be done first",
        tales.ORDER,
        "I6",
        Swap("apply.executor:_Executor.after_dependencies", asynchronously(None)),
        Swap("plan.planner:_hold_dependants", _as_they_are),
    ),
    _variant(
        "deletes in any order",
        "dependents are deleted first",
        tales.ORDER,
        "I6",
        Swap("plan.departing:tie_deletes", _in_any_order),
    ),
    _variant(
        "a rename deletes first",
        "the old name goes when the new one is live",
        tales.ORDER,
        "I3",
        Swap("plan.moves:tie_moves", _as_they_are),
    ),
    _variant(
        "replaced without leave",
        "`lifecycle.replace` allows it",
        tales.REPLACING,
        "I3",
        Swap("plan.decide:Decider.replace", _with_leave),
    ),
    _variant(
        "replaced for drift",
        "drift never replaces",
        tales.REPLACING,
        "I3",
        Swap("plan.decide:Decider.replace", _for_drift),
    ),
    _variant(
        "suspension is not heeded",
        "what a person suspended is not written",
        tales.PAUSED,
        "I6",
        Swap("plan.pauses:hold_paused", _as_they_are),
    ),
    _variant(
        "windows are not heeded",
        "writes wait for the target's windows",
        tales.WINDOWED,
        "I6",
        Swap("plan.pauses:hold_paused", _as_they_are),
    ),
)

"""The metrics of resources: how many there are by state, how old what is known of them is, what is held.

Made by ``measures`` in a thread. Their number of series is bounded by targets, kinds and words of ours; counting grows
with the resources, so it is done anew at most so often that it takes a fiftieth of the time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from agent.clock import Clock
from agent.model.histogram import Histogram
from agent.model.identity import Key
from agent.model.outcome import Report
from agent.reconcile.states import states_of
from agent.reconcile.tally import FINE
from agent.reconcile.target import Target
from agent.store.store import Store

INFO_MAX = 1000  # resources, beyond which there is no series for each
_QUANTILES = (0.5, 0.95, 1.0)
_REST = 50.0  # times as long as the counting took
_REST_SECONDS_MAX = 30.0  # also where the machine is busy

Value = float | Histogram
Samples = Iterable[tuple[tuple[str, ...], Value]]


class Family(NamedTuple):
    """One metric: its name without prefix and suffix, what it is, and a value for each set of labels."""

    kind: str  # counter | gauge | histogram
    name: str
    told: str
    labels: tuple[str, ...]
    samples: tuple[tuple[tuple[str, ...], Value], ...]


def family(kind: str, name: str, told: str, labels: str, samples: Samples) -> Family:
    return Family(kind, name, told, tuple(labels.split()), tuple(samples))


@dataclass(frozen=True, slots=True)
class Seen:
    """One target at the moment of asking."""

    target: Target
    report: Report | None
    drifted: Mapping[Key, float]


class Census:
    """Counts what is there when it is asked, or tells what it counted a moment ago."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._told: tuple[frozenset[str], float, list[Family]] = (frozenset(), -math.inf, [])

    def families(self, of: Iterable[Seen], succeeded: Mapping[str, float]) -> list[Family]:
        """``succeeded``: when a pass of this process last did all it could, by target. Blocks."""
        of = list(of)
        names, began = frozenset(one.target.name for one in of), self._clock.monotonic()
        before, until, told = self._told
        if names == before and began < until:
            return told
        told = list(_of_resources(of, self._store, succeeded, self._clock.now()))
        ended = self._clock.monotonic()
        self._told = names, ended + min(_REST * (ended - began), _REST_SECONDS_MAX), told
        return told


def _of_resources(of: Iterable[Seen], store: Store, succeeded: Mapping[str, float], now: float) -> Iterator[Family]:
    """What is known of live, from the store and the last pass."""
    of = list(of)
    kinds: Counter[tuple[str, ...]] = Counter()
    drift: Counter[tuple[str, ...]] = Counter()
    held: Counter[tuple[str, ...]] = Counter()
    infos: list[tuple[str, ...]] = []
    ages: list[tuple[tuple[str, ...], float]] = []
    for one in of:
        name, rows = one.target.name, store.rows(one.target.name)
        states = states_of(one.target.last.desired, rows, one.report)
        kinds.update((name, key.kind, state) for key, state in states.items())
        if len(infos) <= INFO_MAX:
            infos += [(name, key.kind, key.path.partition("/")[2], state) for key, state in states.items()]
        drift.update((name, key.kind) for key in one.drifted)
        plan = one.report.plan if one.report is not None else None
        held.update((name, change.reason) for change in (plan.held if plan is not None else ()))
        seen = sorted(now - row.seen_at for row in rows.values() if row.seen_at is not None)
        ages += [((name, f"{share:g}"), _at(seen, share)) for share in _QUANTILES if seen]
    yield family("gauge", "resources", "Resources by state.", "target kind state", kinds.items())
    told = f"Each resource; nothing above {INFO_MAX} of them."
    listed = [(each, 1) for each in infos] if len(infos) <= INFO_MAX else []
    yield family("gauge", "resource_info", told, "target kind name state", listed)
    yield family("gauge", "drift", "Resources whose drift is reported.", "target kind", drift.items())
    told = "How long this process has seen the drift that it has seen longest."
    oldest = [((one.target.name,), now - min(one.drifted.values(), default=now)) for one in of]
    yield family("gauge", "drift_oldest_seconds", told, "target", oldest)
    yield family("gauge", "held", "Changes that are held, by reason.", "target reason", held.items())
    told = "Resources that somebody else writes too."
    flaps = [((one.target.name,), held[one.target.name, "Flapping"]) for one in of]
    yield family("gauge", "flapping", told, "target", flaps)
    told = "How old the knowledge of live content is, at these shares of the resources."
    yield family("gauge", "verified_age_seconds", told, "target quantile", ages)
    told = "Calls whose answer is not known yet."
    opened = [((one.target.name,), len(store.open_intents(one.target.name))) for one in of]
    yield family("gauge", "open_intents", told, "target", opened)
    told = "When a pass last did all it could."
    well = _succeeded(of, store.status(), succeeded)
    yield family("gauge", "last_success_timestamp_seconds", told, "target", (((name,), at) for name, at in well))


def _succeeded(
    of: Iterable[Seen], status: Mapping[str, Mapping[str, Any]], succeeded: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    """Of each target, the last good pass: of this process, of one before it, or of another agent."""
    for name in (one.target.name for one in of):
        last = status.get(name, {}).get("last_pass")
        moments = [succeeded[name]] if name in succeeded else []
        if last and last["result"] in FINE:
            moments.append(last["at"])
        if moments:
            yield name, max(moments)


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.floor(len(ordered) * share))]

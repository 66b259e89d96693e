"""The numbers of a running agent, under the names of its metrics, as plain values; ``server/metrics`` words them.

Asked through ``cli/listening``. What the loop changes is copied in the loop (:meth:`Measures.begin`), what the store
knows is read afterwards in a thread. No name of a resource is in a label, but for one metric that large agents leave
out: labels are targets, kinds and words of ours, so how many series there are is bounded by the configuration.
"""

from __future__ import annotations

import math
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from agent import __version__
from agent.clock import Clock
from agent.model.histogram import Histogram
from agent.model.identity import Key
from agent.model.outcome import Report
from agent.reconcile.loop import Loop
from agent.reconcile.states import states_of
from agent.reconcile.tally import FINE, RESULTS
from agent.reconcile.target import Target
from agent.store.store import Store

INFO_MAX = 1000  # resources, beyond which there is no series for each
_QUANTILES = (0.5, 0.95, 1.0)

Value = float | Histogram
Samples = Iterable[tuple[tuple[str, ...], Value]]


class Family(NamedTuple):
    """One metric: its name without prefix and suffix, what it is, and a value for each set of labels."""

    kind: str  # counter | gauge | histogram
    name: str
    told: str
    labels: tuple[str, ...]
    samples: tuple[tuple[tuple[str, ...], Value], ...]


def _family(kind: str, name: str, told: str, labels: str, samples: Samples) -> Family:
    return Family(kind, name, told, tuple(labels.split()), tuple(samples))


@dataclass(frozen=True, slots=True)
class _Of:
    """One target at the moment of asking."""

    target: Target
    report: Report | None
    drifted: Mapping[Key, float]


class Measures:
    """``hooks`` tells how often each receiver answered what: name and status to a number."""

    def __init__(
        self, loop: Loop, store: Store, clock: Clock, hooks: Callable[[], Mapping[tuple[str, str], int]]
    ) -> None:
        self._loop = loop
        self._store = store
        self._clock = clock
        self._hooks = hooks

    def begin(self) -> Callable[[], list[Family]]:
        """What the loop knows, copied now; the step that is returned adds what the store knows, and may block."""
        ready = [*self._of_passes(), *self._of_calls(), *self._of_the_outside()]
        now = self._clock.now()
        paces = self._loop.paces
        of = [
            _Of(target, paces[target.name].last if target.name in paces else None, self._drifted(target))
            for target in self._loop.targets
        ]
        succeeded = dict(self._loop.tally.succeeded_at)
        return lambda: [*ready, *_of_resources(of, self._store, succeeded, now)]

    def _drifted(self, target: Target) -> Mapping[Key, float]:
        return self._loop.tally.drifted.get(target.name, {})  # replaced by each pass, never changed

    def _of_passes(self) -> Iterator[Family]:
        tally = self._loop.tally
        told = "Passes over a target, by how they ended."
        passes = {(target.name, word): 0 for target in self._loop.targets for word in RESULTS} | tally.passes
        yield _family("counter", "reconcile", told, "target result", passes.items())
        told = "How long passes took."
        yield _family("histogram", "reconcile_seconds", told, "", [((), tally.seconds.copy())])
        told = "What became of changes, held ones included."
        yield _family("counter", "changes", told, "target kind action outcome", tally.changes.items())
        told = "Reasons to look, by sort."
        yield _family("counter", "wakeups", told, "kind", (((kind,), count) for kind, count in tally.wakeups.items()))
        told = "Attempts to send a message, by sink and how they ended."
        yield _family("counter", "notifications", told, "sink result", dict(tally.notifications).items())
        waits = self._loop.overdue()
        yield _family("gauge", "queue_depth", "Targets that are due and wait for their turn.", "", [((), len(waits))])
        told = "How long the one has waited that waits longest."
        yield _family("gauge", "queue_oldest_seconds", told, "", [((), max(waits, default=0.0))])

    def _of_calls(self) -> Iterator[Family]:
        apis = [(target.name, target.api) for target in self._loop.targets]
        told = "Calls to the platform, by what they were for and what was answered."
        counts = [((name, *each), count) for name, api in apis for each, count in api.answers.items()]
        yield _family("counter", "api_calls", told, "target purpose code", counts)
        told = "How long calls took, without the wait for the budget."
        yield _family(
            "histogram", "api_call_seconds", told, "target", [((name,), api.took.copy()) for name, api in apis]
        )
        budgets = {api.budget.credential: api.budget for _, api in apis}
        left = {(each.credential, f"{each.window_seconds:g}s"): each for one in budgets.values() for each in one.left()}
        told = "Calls that a window still holds for the agent."
        yield _family("gauge", "api_budget_left", told, "credential window", ((at, w.left) for at, w in left.items()))
        told = "Calls that a window holds in all, people's share included."
        yield _family("gauge", "api_budget_limit", told, "credential window", ((at, w.limit) for at, w in left.items()))
        told = "Seconds that calls waited for the budget."
        waited = [((name,), one.waited_seconds) for name, one in budgets.items()]
        yield _family("counter", "api_wait_seconds", told, "credential", waited)
        told = "Answers that asked for a pause (429)."
        yield _family(
            "counter", "api_throttled", told, "credential", (((name,), one.throttled) for name, one in budgets.items())
        )
        told = "When a token ends that says so itself."
        ends = [((name, word), end) for name, api in apis for word, end in api.authorizer.expiries.items()]
        yield _family("gauge", "token_expiry_timestamp_seconds", told, "target credential", ends)

    def _of_the_outside(self) -> Iterator[Family]:
        fetches: Counter[tuple[str, ...]] = Counter({("source", word): 0 for word in ("fetched", "failed")})
        commits = set()
        for target in self._loop.targets:
            fetches.update({("source", word): count for word, count in target.heads.fetches.items()})
            if target.last.desired is not None:
                commits.add(("source", target.last.desired.revision.commit))
        told = "Looks at the git source."
        yield _family("counter", "git_fetch", told, "source result", fetches.items())
        told = "The commits that targets are at."
        yield _family("gauge", "revision_info", told, "source commit", ((each, 1) for each in sorted(commits)))
        tenure, names = self._loop.tenure, [target.name for target in self._loop.targets]
        told = "Whether this agent is the one that works at a target."
        held = [((name,), int(tenure is None or name in tenure.mine)) for name in names]
        yield _family("gauge", "lease_held", told, "target", held)
        told = "Turns at a target that another agent took over."
        yield _family("counter", "lease_lost", told, "", [((), tenure.losses if tenure is not None else 0)])
        told = "Webhooks, by the status that was answered."
        yield _family("counter", "hooks", told, "receiver result", self._hooks().items())
        about = (__version__, platform.python_version())
        yield _family("gauge", "build_info", "What runs.", "version python", [(about, 1)])


def _of_resources(of: Iterable[_Of], store: Store, succeeded: dict[str, float], now: float) -> Iterator[Family]:
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
    yield _family("gauge", "resources", "Resources by state.", "target kind state", kinds.items())
    told = f"Each resource; nothing above {INFO_MAX} of them."
    listed = [(each, 1) for each in infos] if len(infos) <= INFO_MAX else []
    yield _family("gauge", "resource_info", told, "target kind name state", listed)
    yield _family("gauge", "drift", "Resources whose drift is reported.", "target kind", drift.items())
    told = "How long this process has seen the drift that it has seen longest."
    oldest = [((one.target.name,), now - min(one.drifted.values(), default=now)) for one in of]
    yield _family("gauge", "drift_oldest_seconds", told, "target", oldest)
    yield _family("gauge", "held", "Changes that are held, by reason.", "target reason", held.items())
    told = "Resources that somebody else writes too."
    flaps = [((one.target.name,), held[one.target.name, "Flapping"]) for one in of]
    yield _family("gauge", "flapping", told, "target", flaps)
    told = "How old the knowledge of live content is, at these shares of the resources."
    yield _family("gauge", "verified_age_seconds", told, "target quantile", ages)
    told = "Calls whose answer is not known yet."
    opened = [((one.target.name,), len(store.open_intents(one.target.name))) for one in of]
    yield _family("gauge", "open_intents", told, "target", opened)
    before = store.status()
    for one in of:
        last = before.get(one.target.name, {}).get("last_pass")
        if one.target.name not in succeeded and last and last["result"] in FINE:
            succeeded[one.target.name] = last["at"]
    told = "When a pass last did all it could."
    yield _family(
        "gauge", "last_success_timestamp_seconds", told, "target", (((name,), at) for name, at in succeeded.items())
    )


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.floor(len(ordered) * share))]

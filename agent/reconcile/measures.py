"""The numbers of a running agent, under the names of its metrics, as plain values; ``server/metrics`` words them.

Asked through ``cli/listening``. What the loop changes is copied in the loop (:meth:`Measures.begin`), what the store
knows is read afterwards in a thread. No name of a resource is in a label, but for one metric that large agents leave
out: labels are targets, kinds and words of ours, so how many series there are is bounded by the configuration.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from agent import __version__
from agent.clock import Clock
from agent.model.identity import Key
from agent.reconcile.census import Census, Family, Seen, family
from agent.reconcile.loop import Loop
from agent.reconcile.tally import RESULTS
from agent.reconcile.target import Target
from agent.store.store import Store


class Measures:
    """``hooks`` tells how often each receiver answered what: name and status to a number."""

    def __init__(
        self, loop: Loop, store: Store, clock: Clock, hooks: Callable[[], Mapping[tuple[str, str], int]]
    ) -> None:
        self._loop = loop
        self._hooks = hooks
        self._census = Census(store, clock)

    def begin(self) -> Callable[[], list[Family]]:
        """What the loop knows, copied now; the step that is returned adds what the store knows, and may block."""
        ready = [*self._of_passes(), *self._of_calls(), *self._of_the_outside()]
        paces, tenure = self._loop.paces, self._loop.tenure
        of = [
            Seen(target, paces[target.name].last if target.name in paces else None, self._drifted(target))
            for target in self._loop.targets
            if tenure is None or target.name in tenure.mine  # one of several agents tells of a target
        ]
        succeeded = dict(self._loop.tally.succeeded_at)
        return lambda: [*ready, *self._census.families(of, succeeded)]

    def _drifted(self, target: Target) -> Mapping[Key, float]:
        return self._loop.tally.drifted.get(target.name, {})  # replaced by each pass, never changed

    def _of_passes(self) -> Iterator[Family]:
        tally = self._loop.tally
        told = "Passes over a target, by how they ended."
        passes = {(target.name, word): 0 for target in self._loop.targets for word in RESULTS} | tally.passes
        yield family("counter", "reconcile", told, "target result", passes.items())
        told = "How long passes took."
        yield family("histogram", "reconcile_seconds", told, "", [((), tally.seconds.copy())])
        told = "What became of changes, held ones included."
        yield family("counter", "changes", told, "target kind action outcome", tally.changes.items())
        told = "Reasons to look, by sort."
        yield family("counter", "wakeups", told, "kind", (((kind,), count) for kind, count in tally.wakeups.items()))
        told = "Attempts to send a message, by sink and how they ended."
        yield family("counter", "notifications", told, "sink result", dict(tally.notifications).items())
        waits = self._loop.overdue()
        yield family("gauge", "queue_depth", "Targets that are due and wait for their turn.", "", [((), len(waits))])
        told = "How long the one has waited that waits longest."
        yield family("gauge", "queue_oldest_seconds", told, "", [((), max(waits, default=0.0))])

    def _of_calls(self) -> Iterator[Family]:
        apis = [(target.name, target.api) for target in self._loop.targets]
        told = "Calls to the platform, by what they were for and what was answered."
        counts = [((name, *each), count) for name, api in apis for each, count in api.answers.items()]
        yield family("counter", "api_calls", told, "target purpose code", counts)
        told = "How long calls took, without the wait for the budget."
        yield family(
            "histogram", "api_call_seconds", told, "target", [((name,), api.took.copy()) for name, api in apis]
        )
        budgets = {api.budget.credential: api.budget for _, api in apis}
        left = {(each.credential, f"{each.window_seconds:g}s"): each for one in budgets.values() for each in one.left()}
        told = "Calls that a window still holds for the agent."
        yield family("gauge", "api_budget_left", told, "credential window", ((at, w.left) for at, w in left.items()))
        told = "Calls that a window holds in all, people's share included."
        yield family("gauge", "api_budget_limit", told, "credential window", ((at, w.limit) for at, w in left.items()))
        told = "Seconds that calls waited for the budget."
        waited = [((name,), one.waited_seconds) for name, one in budgets.items()]
        yield family("counter", "api_wait_seconds", told, "credential", waited)
        told = "Answers that asked for a pause (429)."
        yield family(
            "counter", "api_throttled", told, "credential", (((name,), one.throttled) for name, one in budgets.items())
        )
        told = "When a token ends that says so itself."
        ends = [((name, word), end) for name, api in apis for word, end in api.authorizer.expiries.items()]
        yield family("gauge", "token_expiry_timestamp_seconds", told, "target credential", ends)

    def _of_the_outside(self) -> Iterator[Family]:
        fetches: Counter[tuple[str, ...]] = Counter({("source", word): 0 for word in ("fetched", "failed")})
        commits = set()
        for target in self._loop.targets:
            fetches.update({("source", word): count for word, count in target.heads.fetches.items()})
            if target.last.desired is not None:
                commits.add(("source", target.last.desired.revision.commit))
        told = "Looks at the git source."
        yield family("counter", "git_fetch", told, "source result", fetches.items())
        told = "The commits that targets are at."
        yield family("gauge", "revision_info", told, "source commit", ((each, 1) for each in sorted(commits)))
        tenure, names = self._loop.tenure, [target.name for target in self._loop.targets]
        told = "Whether this agent is the one that works at a target."
        held = [((name,), int(tenure is None or name in tenure.mine)) for name in names]
        yield family("gauge", "lease_held", told, "target", held)
        told = "Turns at a target that another agent took over."
        yield family("counter", "lease_lost", told, "", [((), tenure.losses if tenure is not None else 0)])
        told = "Webhooks, by the status that was answered."
        yield family("counter", "hooks", told, "receiver result", self._hooks().items())
        about = (__version__, platform.python_version())
        yield family("gauge", "build_info", "What runs.", "version python", [(about, 1)])

"""wake -> once -> wait: the agent at work. One pass at a time over each target; a wake-up carries no content.

Called by ``cli/verbs/run`` through the wiring. A target that fails backs off alone; the others keep their pace. Events
of a platform wait in the target's inbox: they make a look at what they name due, and never a whole pass. Between all
that the sweep reads what is oldest, a few objects at a time.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from agent.errors import AgentError, LeaseLost, StoreError
from agent.live.haste import OVERTAKEN
from agent.model.identity import Key
from agent.model.outcome import Report
from agent.reconcile import collector
from agent.reconcile.asked import is_settled
from agent.reconcile.dependents import wake_dependents
from agent.reconcile.failed import report_failure
from agent.reconcile.heads import newest
from agent.reconcile.hurry import is_long, left_over
from agent.reconcile.inbox import WAITING_MAX, Inbox
from agent.reconcile.named import reconcile_hurried, reconcile_named
from agent.reconcile.once import reconcile_once
from agent.reconcile.pace import Pace
from agent.reconcile.pulse import Pulse
from agent.reconcile.sweep import Sweep
from agent.reconcile.tally import Tally
from agent.reconcile.target import Target
from agent.reconcile.telling import tell_change, tell_pass
from agent.reconcile.tenure import Tenure
from agent.reconcile.wish import Wish
from agent.source import Wakeups
from agent.tracing import traced

_log = structlog.get_logger("datakeel")
_GRACE_SECONDS = 20.0  # of the 30 that a container is usually given
_BY_THEMSELVES = frozenset({"poll", "event", "lease", "push"})  # reasons that each target judges by its own pace
_READS = ("list", "read", "named", "sweep", "probe")  # what looking costs, as against what mending does


@dataclass(slots=True)
class Loop:
    """All targets of one source. ``stop`` ends it after what is in flight; ``interval_seconds`` is the poll's.

    ``inboxes`` hold the events of those targets that may send any. ``after`` is called after each pass, with what was
    asked of it; it must not wait. ``reload`` is called between passes when the configuration may have changed.
    ``tenure`` says whose turn it is where targets are shared with other agents.
    """

    targets: Sequence[Target]
    wakeups: Wakeups
    interval_seconds: float
    tell: Callable[[Report], None] = lambda report: None
    after: Callable[[Target, Report, Wish], None] = lambda target, report, wish: None
    reload: Callable[[], Awaitable[None]] | None = None
    inboxes: Mapping[str, Inbox] = field(default_factory=dict)
    stopping: bool = False
    paces: dict[str, Pace] = field(default_factory=dict)
    sweeps: dict[str, Sweep] = field(default_factory=dict)
    passing: asyncio.Future[Report | None] | None = None
    overtaken: asyncio.Event = field(default_factory=asyncio.Event)  # a newer commit is there than a pass is about
    asked: set[str] = field(default_factory=set)  # targets that a person wants to be looked at
    tenure: Tenure | None = None
    pulse: Pulse = field(default_factory=Pulse)
    tally: Tally = field(default_factory=Tally)
    busy: str = ""  # the target whose turn it is
    settle: Callable[[], None] = collector.settle

    def replace_targets(self, targets: Sequence[Target], interval_seconds: float) -> None:
        """From the next turn on these; those that were here before keep their pace. Not to be called amid a pass."""
        here = {target.name: target for target in self.targets}
        kept = {target.name for target in targets if here.get(target.name) is target}
        self.paces = {target.name: self.paces[target.name] if target.name in kept else Pace() for target in targets}
        keeps = kept if interval_seconds == self.interval_seconds else set()
        self.sweeps = {
            target.name: self.sweeps[target.name] if target.name in keeps else Sweep(target, interval_seconds)
            for target in targets
        }
        self.targets, self.interval_seconds = targets, interval_seconds

    def halt(self) -> None:
        """End a pass at once, after :meth:`stop`: the journal covers what it cuts off."""
        if self.passing is not None and not self.passing.done():
            self.passing.cancel()

    def stop(self) -> None:
        self.stopping = True
        if self.passing is not None and not self.passing.done():
            # What waits for the budget would wait for minutes; what is in flight has until then.
            asyncio.get_running_loop().call_later(_GRACE_SECONDS, self.passing.cancel)
        self.wakeups.poke("stop")

    def ask(self, name: str) -> None:
        """A person wants a whole pass over this target, as soon as the one under way has ended."""
        self.asked.add(name)
        self.wakeups.poke("event")  # which wakes no other target

    def is_stopping(self) -> bool:
        return self.stopping

    def _stops_writing(self) -> bool:
        return self.stopping or self.overtaken.is_set() or (self.tenure is not None and self.tenure.is_over())

    async def run(self) -> None:
        """Until :meth:`stop`. The first pass starts at once."""
        self.paces = {target.name: Pace() for target in self.targets}
        self.sweeps = {target.name: Sweep(target, self.interval_seconds) for target in self.targets}
        await self.wakeups.start()  # before the first look: what moves after it must not wait for the tick
        if self.tenure is None:
            await self._rounds()
            return
        await self.tenure.look()
        watching = asyncio.ensure_future(self.tenure.watch(lambda: self.wakeups.poke("lease")))
        try:
            await self._rounds()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await self.tenure.leave()

    async def _rounds(self) -> None:
        reasons = {"start"}
        while not self.is_stopping():
            self.pulse.beat(self.targets[0].clock.monotonic())
            self.tally.woken(reasons)
            is_newer = False
            for target in self.targets:
                if not self.is_stopping():
                    self.overtaken.clear()  # whoever comes next walks the newer commit
                    self.busy = target.name
                    await self._held_turn(target, self.paces[target.name], reasons - _BY_THEMSELVES)
                    is_newer |= self.overtaken.is_set()
            self.busy = ""
            if self.is_stopping():
                return
            wake_dependents(self.targets, self.paces)
            if "start" in reasons:
                self.settle()
            if is_newer:
                reasons = {"git"}  # at once; what else woke us is told by the next wait
                continue
            wait = min(map(self._due_at, self.targets)) - self.targets[0].clock.monotonic()
            reasons = set((await self.wakeups.wait(min(max(0.0, wait), self.interval_seconds))).split(","))
            if reasons & {"file", "signal"} and self.reload is not None:
                await self.reload()
                reasons = reasons - {"file"} or {"poll"}  # what a new configuration changed is due by itself
            pushed = "push" in reasons and await self._pushed()
            if pushed or (reasons == {"poll"} and await self._moved()):
                reasons |= {"git"}

    async def _moved(self) -> bool:
        """Whether git has moved while a target was left alone after trouble: its backoff is not git's."""
        now = self.targets[0].clock.monotonic()
        waiting = [each for each in self.targets if self.paces[each.name].failures and self._due_at(each) > now]
        return bool(waiting) and await self._is_newer(waiting[0])

    async def _pushed(self) -> bool:
        """Whether a push that was told of has brought something; a source that was never read is tried in any case."""
        mine = [each for each in self.targets if self.tenure is None or each.name in self.tenure.mine]
        walked = [each for each in mine if each.walking is not None]
        return not walked or await self._is_newer(walked[0])

    async def _is_newer(self, target: Target) -> bool:
        """Whether a commit is there that the last pass over this target, or the one under way, was not about."""
        if target.walking is None:
            return False
        try:
            return (await newest(target)).revision.commit != target.walking
        except AgentError:
            return False  # told by the next pass

    async def _watch(self, target: Target) -> None:
        """Beside a pass: a newer commit ends what it still waits for."""
        while True:
            await self.wakeups.stirred(self.interval_seconds)
            self.pulse.beside(target)
            if await self._is_newer(target):
                _log.info("pass.superseded", target=target.name)
                self.overtaken.set()
                return

    def overdue(self) -> list[float]:
        """For how many seconds each target has been due that is not being looked at."""
        now = self.targets[0].clock.monotonic()
        idle = [each for each in self.targets if each.name in self.paces and each.name != self.busy]
        return [now - due for each in idle if -math.inf < (due := self._due_at(each)) < now]

    def _due_at(self, target: Target) -> float:
        """When this target wants its next turn. One that fails is left alone until then, whatever events say."""
        own = self._own_due_at(target)
        return own if self.tenure is None else self.tenure.due_at(target, own)

    def _own_due_at(self, target: Target) -> float:
        pace, inbox = self.paces[target.name], self.inboxes.get(target.name)
        if target.name in self.asked:
            return -math.inf
        if pace.failures or target.last.desired is None:
            return pace.next_at
        events_at = inbox.due_at if inbox is not None else math.inf
        return min(pace.next_at, events_at, self.sweeps[target.name].due_at)

    async def _held_turn(self, target: Target, pace: Pace, reasons: set[str]) -> None:
        """A turn; where targets are shared, under a lease, and only if this agent is the one to take it.

        The store is read between passes too: one that is away ends neither the agent nor the other targets' turns.
        """
        try:
            if self.tenure is None:
                await self._turn(target, pace, reasons)
            else:
                own = lambda: self._own_due_at(target)  # noqa: E731
                await self.tenure.turn_at(target, reasons, own, lambda reasons: self._turn(target, pace, reasons))
        except StoreError as error:
            _log.warning("store.failed", target=target.name, message=error.what)
            pace.failed(target.clock.monotonic(), target.random)

    async def _turn(self, target: Target, pace: Pace, reasons: set[str]) -> None:
        """A whole pass when something asks for it or it is time; else a look at what events name, or at what is old."""
        now, sweep = target.clock.monotonic(), self.sweeps[target.name]
        if target.name in self.asked:
            self.asked.discard(target.name)
            reasons = reasons | {"asked"}
        if reasons or now >= pace.next_at:
            # A commit waits for no list; the poll that brings them is due right after it, if they are.
            lists_wait = sweep.lists_at() > now if not reasons else reasons == {"git"}
            lists_wait = lists_wait and target.listed_at is not None
            if lists_wait and is_long(target.api.budget, left_over(pace.last)):
                await self._interruptible(target, pace, self._wish(lists_wait=True, hurried=True))
                if self._stops_writing():
                    return
            await self._interruptible(target, pace, self._wish(lists_wait=lists_wait))
        if pace.failures or target.last.desired is None or self._stops_writing():
            return
        await self._named(target, pace)
        if target.clock.monotonic() >= sweep.due_at and not self._stops_writing() and (old := sweep.take()):
            began = target.clock.now()
            await self._interruptible(target, pace, self._wish(old=old))
            sweep.ended(old, began)

    async def _named(self, target: Target, pace: Pace) -> None:
        """A look at what events name, as many as there are calls at hand."""
        inbox, known, now = self.inboxes.get(target.name), target.last.desired, target.clock.monotonic()
        if inbox is None or known is None or now < inbox.due_at:
            return
        left = min((int(window.left * 0.9) for window in target.api.budget.left()), default=WAITING_MAX)
        named = inbox.take(known, target.store.rows(target.name), left)
        if named:
            before = _reads(target)
            await self._interruptible(target, pace, self._wish(named=named))
            inbox.rest_after(now, _reads(target) - before)
            _log.info("events.read", target=target.name, named=len(named), counts=dict(inbox.counts))

    def _wish(
        self,
        *,
        lists_wait: bool = False,
        named: frozenset[Key] = frozenset(),
        old: frozenset[Key] = frozenset(),
        hurried: bool = False,
    ) -> Wish:
        return Wish(
            interval_seconds=self.interval_seconds,
            lists_wait=lists_wait,
            sweeps=not self.sweeps,
            named=named,
            old=old,
            hurried=hurried,
            patient=True,
            stopping=self._stops_writing,
            tell=tell_change,
        )

    async def _interruptible(self, target: Target, pace: Pace, wish: Wish) -> None:
        """A pass that ends, when the agent is stopping, within the grace time: the journal covers what it cuts off."""
        target.walking = None
        OVERTAKEN.set(self.overtaken)
        self.passing = asyncio.ensure_future(traced(target.name, self._pass(target, pace, wish), is_settled))
        watch = asyncio.ensure_future(self._watch(target))
        try:
            await self.passing
        except asyncio.CancelledError:
            if not self.is_stopping():
                raise
            _log.warning("pass.cut_off", target=target.name)
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def run_once(self) -> tuple[Report, ...]:
        """One pass over every target; what ``run --once`` does."""
        self.paces = {target.name: Pace() for target in self.targets}
        passes = [await self._pass(target, self.paces[target.name], self._wish()) for target in self.targets]
        return tuple(report for report in passes if report is not None)

    async def _pass(self, target: Target, pace: Pace, wish: Wish) -> Report | None:
        """One pass, whatever comes of it; None when all that events named is as git says."""
        began = target.clock.monotonic()
        started_at = target.clock.now()
        report: Report | None
        try:
            few = bool(wish.named or wish.old)
            step = reconcile_named if few else reconcile_hurried if wish.hurried else reconcile_once
            report = await step(target, wish)
            if report is None:
                return None
        except LeaseLost:
            return None  # another agent tells what becomes of the target; `lease.lost` says so here
        except AgentError as error:
            report = report_failure(target, error, started_at, self.interval_seconds)
        except Exception as error:  # noqa: BLE001 - one of the three places that may
            # Our own bug in one target must not end the others; it is told in full and tried again more slowly.
            _log.exception("pass.crashed", target=target.name)
            internal = AgentError(f"an error of datakeel itself ({type(error).__name__}); the log has it in full")
            report = report_failure(target, internal, started_at, self.interval_seconds)
        planned = pace.next_at
        wait = self._paced(target, pace, report, began)
        if wish.named or wish.old:
            pace.next_at = min(planned, pace.next_at)  # neither events nor the sweep may push the poll ahead of them
        self.tally.passed(report, target.clock.monotonic() - began)
        tell_pass(report, target.clock.monotonic() - began, wait)
        self.tell(report)
        self.after(target, report, wish)
        return report

    def _paced(self, target: Target, pace: Pace, report: Report, began: float) -> float:
        """How long after its beginning the next pass is due: the interval, or a backoff after trouble."""
        if self.overtaken.is_set():
            pace.last, pace.next_at = report, began
            return 0.0
        wait = pace.after(report, self.interval_seconds, target.random)
        pace.next_at = began + wait
        unlisted = target.listed_at is not None and target.listed_at < began
        if unlisted and not pace.failures and target.name in self.sweeps:
            # No list was read: commits that come often must not push the poll ahead of them for ever.
            pace.next_at = min(pace.next_at, max(began, self.sweeps[target.name].lists_at()))
        return wait


def _reads(target: Target) -> int:
    """Reads that were sent for this target so far."""
    calls: Counter[str] = target.api.calls
    return sum(calls[purpose] for purpose in _READS)

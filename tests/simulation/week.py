"""A week with a thousand workflows on one token: ``python -m tests.simulation.week``.

The real loop, inbox, budget, store and ledger against the sandbox, in virtual time. A person takes a tenth of the
token, git moves, people change things by hand with and without an event, and everything is timed. Exit 1 when a window
was exceeded, a call was refused for its number, or anything took longer than it may.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from agent.live.budget_registry import BudgetRegistry
from agent.model.outcome import Report
from agent.reconcile.inbox import Inbox
from agent.reconcile.loop import Loop
from agent.reconcile.target import Target
from agent.sandbox import Commit, create_app
from agent.sandbox.rate_limit import RateLimiter
from agent.source import Wakeups
from agent.store.store import Store
from tests.simulation.opening import config_of, open_target
from tests.simulation.places import memory_folder
from tests.simulation.shared_token import WINDOWS, Line, Meter, person_beside
from tests.simulation.source import MemorySource
from tests.simulation.story import workflow
from tests.simulation.virtual_time import VirtualClock, VirtualLoop, run

TOKEN = "canary-token-7d20c4b1"
QUICK_SECONDS = 10.0
"""How soon a commit is live, and how soon what an event names is healed."""
INTERVAL = 60.0
_SAMPLE_SECONDS = 600.0


@dataclass(frozen=True)
class Plan:
    """What is played. ``sliding``: how the server moves its windows; ours must do for both. ``busy``: how much happens,
    compared with an ordinary week.
    """

    workflows: int = 1000
    hours: float = 168.0
    goal_seconds: float = 7200.0
    sliding: bool = False
    seed: int = 0
    busy: float = 1.0


@dataclass
class Waits:
    """Seconds from what happened until the platform was as git says, by the sort of what happened."""

    open: dict[str, tuple[str, float, str]] = field(default_factory=dict)
    took: dict[str, list[float]] = field(default_factory=lambda: {"git": [], "event": [], "silent": []})

    def begin(self, name: str, sort: str, now: float, cron: str) -> None:
        self.open[name] = (sort, now, cron)

    def see(self, commit: Commit, now: float) -> None:
        """A change on the platform: whether somebody has waited for it."""
        waited = self.open.get(commit.name)
        if waited is not None and not commit.person and cron_of(commit.after) == waited[2]:
            self.took[waited[0]].append(now - waited[1])
            del self.open[commit.name]


@dataclass
class Told:
    """What came of it. Ages are of all objects at all samples, in seconds, ascending."""

    plan: Plan
    first_hours: float
    calls: Mapping[str, int]
    purposes: Mapping[str, int]
    throttled: Mapping[str, int]
    full: list[int]
    took: Mapping[str, list[float]]
    ages: list[float]
    violations: list[str]
    status: Mapping[str, Any]
    wall_seconds: float


def cron_of(record: Mapping[str, Any] | None) -> str:
    return str((record or {}).get("spec", {}).get("workflow", {}).get("schedule", {}).get("cron", ""))


class Week:
    """Git, platform, person and agent of one run."""

    def __init__(self, plan: Plan, folder: Path, loop: VirtualLoop) -> None:
        self.plan = plan
        self.clock = VirtualClock(loop)
        self.chance = random.Random(f"week/{plan.seed}")
        self.app = create_app(token=TOKEN, clock=self.clock, seed=plan.seed, ready_after=2.0, keep=100)
        self.world = self.app.state.sandbox
        self.world.limiter = RateLimiter(WINDOWS, sliding=plan.sliding)
        self.world.on_commit(self._seen)
        self.meter = Meter(self.clock)
        self.waits = Waits()
        self.source = MemorySource()
        self.crons = {f"flow-{number:04}": "0 1 * * *" for number in range(plan.workflows)}
        self.files = {f"{name}.json": workflow(name, cron) for name, cron in self.crons.items()}
        self.source.commit(self.files)
        self.store = Store.open(f"sqlite:///{folder / 'state.db'}", clock=self.clock)
        self.store.lock()
        self.target = self._target()
        self.wakeups = Wakeups(clock=self.clock, random=random.Random(plan.seed))
        self.inbox = Inbox(self.target.platform, {}, self.clock, lambda: self.wakeups.poke("event"))
        self.loop = Loop([self.target], self.wakeups, INTERVAL, self._report, inboxes={"main": self.inbox})
        self.ages: list[float] = []
        self.violations: list[str] = []

    def _target(self) -> Target:
        chance = random.Random(f"agent/{self.plan.seed}")
        return open_target(
            config_of("main", "http://sandbox.example", verify_seconds=self.plan.goal_seconds),
            token=TOKEN,
            wire=Line(self.app, self.clock, self.meter, "agent", chance),
            source=self.source,
            store=self.store,
            clock=self.clock,
            budgets=BudgetRegistry(self.clock, self.store, chance),
            chance=chance,
        )

    def _seen(self, commit: Commit) -> None:
        self.waits.see(commit, self.clock.monotonic())

    def _report(self, report: Report) -> None:
        if report.error:
            self.violations.append(f"a pass failed: {report.error}")

    # What happens

    def commit(self) -> None:
        """Git moves, and whoever watches it says so."""
        name, cron = self._other()
        self.crons[name] = cron
        self.files[f"{name}.json"] = workflow(name, cron)
        self.waits.begin(name, "git", self.clock.monotonic(), cron)
        self.source.commit(self.files)
        self.wakeups.poke("git")

    def edit(self, *, event: bool) -> None:
        """A person changes a workflow by hand; the platform tells, or nobody does."""
        name, cron = self._other()
        self.waits.begin(name, "event" if event else "silent", self.clock.monotonic(), self.crons[name])
        self.world.person_edit("workflow", name, {"workflow": {"schedule": {"cron": cron}}}, workspace="public")
        if event:
            told = {"type": "workflow", "name": name, "workspace": "public", "status": "active"}
            self.inbox.receive(json.dumps({"event": "resource.updated", "resource": told}).encode())

    def _other(self) -> tuple[str, str]:
        name = self.chance.choice([name for name in self.crons if name not in self.waits.open])
        return name, f"{self.chance.randint(0, 59)} {self.chance.randint(2, 23)} * * *"

    async def happenings(self, sort: str, every_seconds: float, until: float) -> None:
        """So often, at random moments; the last early enough to be seen through."""
        while True:
            await self.clock.sleep(self.chance.uniform(0.2, 1.8) * every_seconds)
            if self.clock.monotonic() > until:
                return
            if sort == "git":
                self.commit()
            else:
                self.edit(event=sort == "event")

    async def samples(self) -> None:
        """The age of what is known, from once around after the first pass on: that pass alone takes hours."""
        await self.clock.sleep(self._settling())
        while True:
            await self.clock.sleep(_SAMPLE_SECONDS)
            now = self.clock.now()
            self.ages += [now - row.seen_at for row in self.store.rows("main").values() if row.seen_at is not None]

    def _settling(self) -> float:
        return min(self.plan.goal_seconds, 0.3 * self.plan.hours * 3600.0)

    # From start to end

    async def play(self) -> float:
        """Hours until everything was there for the first time."""
        running = asyncio.ensure_future(self.loop.run())
        beside = person_beside(self.app, self.clock, self.meter, self.plan.seed, TOKEN)
        while len(self.world.records) < self.plan.workflows or self.loop.paces["main"].last is None:
            await self.clock.sleep(60.0)
        began = self.clock.monotonic()
        end = began + self.plan.hours * 3600.0
        tail = self._settling()
        playing = [
            asyncio.ensure_future(self.samples()),
            asyncio.ensure_future(self.happenings("git", 2900.0 / self.plan.busy, end - 60.0)),
            asyncio.ensure_future(self.happenings("event", 3100.0 / self.plan.busy, end - 60.0)),
            asyncio.ensure_future(self.happenings("silent", 2300.0 / self.plan.busy, end - tail)),
        ]
        await self.clock.sleep(end - self.clock.monotonic())
        for task in (*playing, beside):
            task.cancel()
        self.loop.stop()
        await running
        self._judge()
        return began / 3600.0

    def _judge(self) -> None:
        found = self.violations
        found += self.meter.exceeded
        found += [
            f"{count} calls of the {who} were answered 429" for who, count in self.meter.throttled.items() if count
        ]
        for sort, most in (("git", QUICK_SECONDS), ("event", QUICK_SECONDS), ("silent", self.plan.goal_seconds)):
            late = [seconds for seconds in self.waits.took[sort] if seconds > most]
            found += (
                [f"{len(late)} of {sort} took more than {most:.0f} s, the longest {max(late):.1f} s"] if late else []
            )
        now = self.clock.monotonic()
        for name, (sort, since, _) in self.waits.open.items():
            if now - since > (self.plan.goal_seconds if sort == "silent" else QUICK_SECONDS):
                found.append(f"{name}: {sort}, {now - since:.0f} s ago, was never seen to")
        live = {each["name"]: cron_of(each) for each in self.world.resources()}
        for name, cron in self.crons.items():
            if name not in self.waits.open and live.get(name) != cron:
                found.append(f"{name} is {live.get(name)}, git says {cron}")


def play(plan: Plan, folder: Path) -> Told:
    """Play it all, and tell."""
    began = time.monotonic()
    loop = VirtualLoop()
    week = Week(plan, folder, loop)
    first_hours = run(week.play(), loop)
    status = week.store.status()["main"]["status"]
    week.store.close()
    week.world.close()
    return Told(
        plan,
        first_hours,
        week.meter.calls,
        dict(week.target.api.calls),
        week.meter.throttled,
        week.meter.full,
        week.waits.took,
        sorted(week.ages),
        week.violations,
        status,
        time.monotonic() - began,
    )


def lines_of(told: Told) -> list[str]:
    """What came of it, for people."""
    plan, ages = told.plan, told.ages
    windows = ", ".join(
        f"{most} of {limit} in {seconds:.0f} s" for most, (limit, seconds) in zip(told.full, WINDOWS, strict=True)
    )
    lines = [
        f"{plan.workflows} workflows, {plan.hours:g} h after the first {told.first_hours:.1f} h that made them, seed "
        f"{plan.seed}, the server's windows {'slide' if plan.sliding else 'are fixed'}",
        f"calls      {told.calls['agent']} by the agent, {told.calls['person']} by the person; fullest: {windows}",
        "           " + ", ".join(f"{count} {name}" for name, count in sorted(told.purposes.items())),
        f"429s       {told.throttled['agent']} for the agent, {told.throttled['person']} for the person",
    ]
    if ages:
        half, most = ages[len(ages) // 2], ages[min(len(ages) - 1, int(len(ages) * 0.95))]
        lines.append(
            f"knowledge  p50 {half / 60:.0f} min, p95 {most / 60:.0f} min, oldest {ages[-1] / 60:.0f} min, "
            f"goal {plan.goal_seconds / 60:.0f} min"
        )
    words = {"git": "commits applied", "event": "changes by hand with an event healed", "silent": "without one"}
    for sort, took in told.took.items():
        if took:
            ordered = sorted(took)
            half = ordered[len(took) // 2]
            lines.append(f"{sort:<10} {len(took)} {words[sort]}, p50 {half:.1f} s, longest {ordered[-1]:.1f} s")
    lines += [f"VIOLATION  {each}" for each in told.violations]
    lines.append(f"{len(told.violations)} violations, {told.wall_seconds:.0f} s of real time")
    return lines


def quiet() -> None:
    """A week has ten thousand passes, and each would say so."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.week", description=__doc__)
    parser.add_argument("--workflows", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=168.0)
    parser.add_argument("--goal-hours", type=float, default=2.0, help="the wanted age of what is known")
    parser.add_argument("--sliding", action="store_true", help="the server's windows slide")
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    quiet()
    plan = Plan(words.workflows, words.hours, words.goal_hours * 3600.0, words.sliding, words.seed)
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        told = play(plan, Path(folder))
    print("\n".join(lines_of(told)))
    return 1 if told.violations else 0


if __name__ == "__main__":
    sys.exit(main())

"""Tells a story: the world moves, agents pass and die, and in the end everything is as git says, and at rest."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.model.outcome import Report, Result
from agent.plan.quiet import UNKEPT
from agent.reconcile.wish import Wish
from agent.sandbox.requests_log import Entry
from tests.simulation.full.agent import INTERVAL, RIGHT, Agent, Parts
from tests.simulation.full.at_work import Working
from tests.simulation.full.draw import draw_story
from tests.simulation.full.happenings import Happenings
from tests.simulation.full.referee import label_of
from tests.simulation.full.samples import tokens_in
from tests.simulation.full.tale import Story
from tests.simulation.full.world import CANARY, TOKEN, World, named_in
from tests.simulation.virtual_time import VirtualLoop, run

PATIENCE = 8
"""Passes after the last fault in which everything has come to rest, at most."""
TAIL = 65.0
"""Seconds after the last happening until all faults stop."""
CONFIRMS = 4
"""The pass before which a person has confirmed what waits for that."""

QUARANTINED = "file-quarantined"
"""L5: processes that died while they read a file were taken to die of it."""


@dataclass
class Told:
    """What came of a story. ``excused`` counts, by reason, what was not as git says and had a named blocker."""

    story: Story
    violations: list[str]
    reached: Counter[str]
    kills: int
    passes: int
    requests: int
    commits: int
    effects: list[str]
    excused: Counter[str] = field(default_factory=Counter)
    live: str = ""
    log: list[str] = field(default_factory=list)


def tell(story: Story | int, folder: Path, template: bytes, *, parts: Parts = RIGHT, keep: bool = True) -> Told:
    """Play a story, or the one that a seed draws, in ``folder``. ``parts`` may be wrong, to see that a referee notices.

    ``keep`` False leaves the log out of what is told when nothing was broken.
    """
    story = draw_story(story) if isinstance(story, int) else story
    loop = VirtualLoop(random.Random(f"order/{story.seed}"))
    stage = _Stage(story, loop, folder, template, parts)
    try:
        run(stage.play(), loop)
    finally:
        stage.close()
    return stage.told(keep=keep)


class _Stage(Happenings):
    def __init__(self, story: Story, loop: VirtualLoop, folder: Path, template: bytes, parts: Parts) -> None:
        super().__init__(World(story, loop))
        self.story = story
        self.folder, self.template, self.parts = folder, template, parts
        self.moving = True

    # The story

    async def play(self) -> None:
        world = self.world
        moving = asyncio.ensure_future(self._move())
        while not self.world.source.revisions:
            await asyncio.sleep(0.001)
        self.agents.append(Agent(world, "main", self.folder, self.template, self.parts, self.story.deaths))
        if self.story.cell.neighbour and self._may_be_two():
            self.agents.append(Agent(world, "other", self.folder, self.template, RIGHT))
        told_when = [agent for agent in self.agents if not self._is_at_work(agent)]
        await asyncio.gather(self._works(), *(self._life(agent) for agent in told_when))
        await moving
        await asyncio.gather(*self.later)
        await self._ends()

    def _may_be_two(self) -> bool:
        """Without a mark nobody can tell what two installations that want the same have made: that is no fault."""
        return all(sample.is_unique and sample.has_mark for sample in self.world.labels.values())

    def _is_at_work(self, agent: Agent) -> bool:
        return self.story.cell.loop and agent is self.agents[0]

    async def _works(self) -> None:
        """The first agent's own loop, in stories where it has one."""
        if not self.story.cell.loop:
            return
        self.working = Working(self.agents[0])
        working = asyncio.ensure_future(self.working.run())
        while self.moving and not working.done():
            await asyncio.sleep(5.0)
            if self.agents[0].referee.made and self.world.chance.random() < 0.05:
                self.agents[0].keeps_a_copy()
        self.working.stop()
        await working

    async def _life(self, agent: Agent) -> None:
        while self.moving:
            await agent.mortal_pass()
            if agent is not self.agents[0]:
                self.world.reached["H2"] += 1
            elif agent.referee.made and self.world.chance.random() < 0.3:
                agent.keeps_a_copy()
            wait = INTERVAL
            if self.world.loop.time() < self.slow_until:
                self.world.reached["A30"] += self.slow_until - self.slow_from >= 3600.0
                wait = 900.0  # as the loop of a real agent backs off
            await asyncio.sleep(wait)

    async def _move(self) -> None:
        for happening in self.story.happenings:
            await asyncio.sleep(max(0.0, happening.at + self.put_off - self.world.loop.time()))
            await self.happen(happening)
        await asyncio.sleep(TAIL)
        self.moving = False

    # The end

    async def _ends(self) -> None:
        """I7: when faults stop, git within a few passes, then rest: a pass that sends no mutating call."""
        world, main = self.world, self.agents[0]
        world.say("faults stop")
        world.sandbox.faults.clear()
        world.races.clear()
        world.lies.clear()
        world.source.fetches = 0
        world.clock.wrong_by = 0.0
        for agent in self.agents:
            agent.trouble, agent.nowhere = None, 0
            agent.target.store.trouble = None  # type: ignore[attr-defined]
        await asyncio.sleep(120.0)
        reports: dict[str, Report | None] = {}
        for number in range(PATIENCE):
            confirms = number == CONFIRMS
            wish = Wish(interval_seconds=INTERVAL, careful=True, confirm_deletes=99) if confirms else None
            for agent in self.agents:
                reports[agent.target_name] = await agent.mortal_pass(wish)
            await asyncio.sleep(INTERVAL)
            if number > 0 and not any(report is None or report.outcomes for report in reports.values()):
                break
        for agent in self.agents:
            await self._at_rest(agent)
        self._as_git_says(reports)
        await main.check()

    async def _at_rest(self, agent: Agent) -> None:
        world = self.world
        seen = len(world.sandbox.requests)
        agent.life.last = None
        report = await agent.mortal_pass(Wish(interval_seconds=INTERVAL, fresh=True, patient=True))
        self.final = report
        # A create whose name is taken by what nobody shows us is tried again, ever more seldom: this may be its turn.
        taken = report is not None and any(each.taken for each in report.outcomes)
        writes = [
            f"{each.method} {each.path} {each.status}"
            for each in world.sandbox.requests[seen:]
            if each.method not in ("GET", "HEAD") and each.path != "/api/auth/login"
            if not (taken and each.method == "POST" and 400 <= each.status < 500)
        ]
        if writes:
            agent.referee.broken("I7", f"no rest: {writes}")

    final: Report | None = None

    def _as_git_says(self, reports: dict[str, Report | None]) -> None:
        """Each manifest's token is on one live object, unless a report names what is in the way."""
        world, main = self.world, self.agents[0]
        blocked: dict[str, str] = {}
        if self.final is None:
            main.referee.broken("I7", "the last pass failed")
        for report in (*reports.values(), self.final):
            for each in report.outcomes if report is not None else ():
                if each.result is not Result.DONE:
                    blocked[each.change.key.name] = each.code or each.change.reason or each.result.value
        for told in self.final.plan.suppressed if self.final is not None and self.final.plan is not None else ():
            if told.why == UNKEPT:
                blocked[told.key.name] = told.why
        tree = world.source.revisions[-1][1]
        for problem in self.final.problems if self.final is not None else ():
            if problem.code == QUARANTINED and problem.where.path in tree:
                path = problem.where.path
                blocked |= dict.fromkeys(named_in(world.source, {path: tree[path]}), QUARANTINED)
        for label, text in named_in(world.source, tree).items():
            shown = [tokens_in(commit.after) for commit in world.alive.values() if label_of(commit) == label]
            wrong = "" if any(tokens_in(json.loads(text)) <= tokens for tokens in shown) else f"{label} shows {shown}"
            if wrong and label in blocked:
                main.excused[blocked[label]] += 1
            elif wrong:
                main.referee.broken("I7", f"not as git says: {wrong}, not {tokens_in(json.loads(text))}")

    def close(self) -> None:
        for agent in self.agents:
            with contextlib.suppress(Exception):
                agent.close()
        self.world.sandbox.close()

    def told(self, *, keep: bool) -> Told:
        world, main = self.world, self.agents[0]
        self._counters()
        violations = [f"{each}" for agent in self.agents for each in agent.referee.violations]
        for played in world.sandbox.faults.played:
            word, _, row = played.label.partition(" ")
            world.reached[row] += word == "row"
        return Told(
            self.story,
            violations,
            +world.reached,
            sum(agent.kills for agent in self.agents),
            sum(agent.passes for agent in self.agents),
            len(world.sandbox.requests),
            sum(agent.referee.commits for agent in self.agents),
            main.effects or main.life.points,
            main.excused,
            _live(world),
            world.log if keep or violations else [],
        )

    def _counters(self) -> None:
        """I8, and I9: canaries of every secret in whatever was kept or said."""
        world, main = self.world, self.agents[0]
        if len(world.sandbox.limiter.windows) > 1 and world.story.cell.definition == "dataos/v1":
            most, seconds = world.sandbox.limiter.windows[0]
            times = [entry.time for entry in world.sandbox.requests]
            busy = any(late - early < seconds for early, late in zip(times, times[int(most * 0.4) :], strict=False))
            world.reached["A13"] += busy
        if not world.others_spend and len(self.agents) == 1:
            own = self_inflicted(world.sandbox.requests, world.sandbox.limiter.windows, world.losses)
            if own and world.story.cell.definition != "datalinx/v1":
                main.referee.broken("I8", f"{own} self-inflicted 429")
        for agent in self.agents:
            stored = b"".join(path.read_bytes() for path in self.folder.glob(f"{agent.target_name}.db*"))
            said = "\n".join((*agent.outputs, *world.log))
            for canary in (TOKEN, CANARY):
                if canary.encode() in stored:
                    agent.referee.broken("I9", "a secret is in the store")
                if canary in said:
                    agent.referee.broken("I9", "a secret is in a report")


def self_inflicted(requests: Sequence[Entry], windows: Sequence[tuple[int, float]], losses: Sequence[float]) -> int:
    """How many 429s an agent could have known of: its calls since its store was last lost fill a window by themselves.

    An agent whose store is lost has lost its count of calls too, and meets the platform's with the first answer.
    """
    own = 0
    for refused in requests:
        if refused.status != 429 or refused.fault:
            continue
        since = max((at for at in losses if at <= refused.time), default=float("-inf"))
        counted = [each.time for each in requests if since <= each.time < refused.time and each.status != 429]
        own += any(sum(at >= refused.time - seconds for at in counted) >= most for most, seconds in windows)
    return own


def _live(world: World) -> str:
    """What manifests speak of, as text: two stories with the same end have the same."""
    return json.dumps(sorted((label_of(each), sorted(tokens_in(each.after))) for each in world.alive.values()))

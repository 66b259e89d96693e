"""An agent whose own loop decides when to look: commits in the middle of a pass, backoff, and the sweep's pace.

Used by ``play`` for a share of the stories. In the others passes follow one another at a fixed interval, which reaches
more of what a single pass does; the end of every story is played by such passes.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from agent.model.outcome import Report
from agent.reconcile.loop import Loop, Pace
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.source import Wakeups
from tests.simulation.full.life import Killed

if TYPE_CHECKING:
    from tests.simulation.full.agent import Agent

INTERVAL = 30.0


class Watched(Loop):
    """The real loop; the world is told when a pass begins, and what came of it."""

    agent: Agent

    async def _pass(self, target: Target, pace: Pace, wish: Wish) -> Report | None:
        agent = self.agent
        agent.begins()
        report: Report | None = None
        with agent.in_nowhere():
            report = await super()._pass(target, pace, wish)
        agent.ended(report)
        if report is not None and "an error of datakeel itself" in report.error:
            agent.referee.broken("I8", f"crashed: {report.error}")
        if wish.hurried and report is not None:
            agent.world.say(f"{agent.target_name} let a newer commit go first")
        if agent.life.stopped or agent.restart:
            self.stop()
        return report


class Working:
    """One agent at work, incarnation by incarnation, until it is told that the story is over."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._over = False
        self._wakeups: Wakeups | None = None
        self._loop: Watched | None = None

    def stir(self) -> None:
        """Git has moved, and somebody says so."""
        if self._wakeups is not None:
            self._wakeups.poke("git")

    def stop(self) -> None:
        """After the pass under way; nobody is born again."""
        self._over = True
        if self._loop is not None:
            self._loop.stop()

    async def run(self) -> None:
        agent = self._agent
        while not self._over:
            chance = random.Random(f"wakeups/{agent.world.story.seed}/{agent.incarnation}")
            self._wakeups = Wakeups(clock=agent.world.clock, random=chance)
            self._loop = Watched([agent.target], self._wakeups, INTERVAL, settle=lambda: None)
            self._loop.agent = agent
            agent.loop = self._loop
            try:
                await self._loop.run()
            except Killed:
                agent.died()
            else:
                if agent.life.stopped or agent.restart:
                    agent.reborn()
            finally:
                agent.loop = None
            await asyncio.sleep(1.0)

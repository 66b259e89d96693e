"""The loop at work beside a story, in virtual time: what an agent does that nobody asks anything of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from agent.model.outcome import Report
from agent.reconcile.loop import Loop
from agent.source import Wakeups
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import Scene

INTERVAL = 60.0


class AtWork:
    """A scene and a running loop; ``stirs`` False is a source that nobody watches, as one behind a URL.

    ``interval`` is in seconds: what takes a day asks for a longer one than usual.
    """

    def __init__(self, scene: Scene, *, stirs: bool = True, interval: float = INTERVAL) -> None:
        self.scene = scene
        self.stirs = stirs
        self.wakeups = Wakeups(clock=scene.clock)
        self.reports: list[Report] = []
        self.loop = Loop([scene.target], self.wakeups, interval, self.reports.append)
        self.mark = 0

    def commit(self, **changes: bytes | None) -> None:
        self.scene.commit(**changes)
        if self.stirs:
            self.wakeups.poke("git")

    async def pass_time(self, seconds: float) -> None:
        await self.scene.clock.sleep(seconds)

    def sent(self) -> list[str]:
        """Since the last call."""
        mark, self.mark = self.mark, self.scene.mark
        return self.scene.sent_since(mark)

    def writes(self) -> list[str]:
        """Since the last call, reads left out."""
        return [word for word in self.sent() if not word.startswith("GET")]

    def status(self) -> dict[str, Any]:
        return dict(self.scene.target.store.status()["main"]["status"])


Story = Callable[[AtWork], Coroutine[Any, Any, None]]


def play_at_work(
    folder: Path,
    files: Mapping[str, bytes],
    story: Story,
    *,
    stirs: bool = True,
    interval: float = INTERVAL,
    prepare: Callable[[Scene], None] = lambda scene: None,
) -> None:
    """Play a story beside the running loop, from its very first pass on."""
    loop = VirtualLoop()
    scene = Scene(folder, loop, dict(files))

    async def whole() -> None:
        prepare(scene)
        at = AtWork(scene, stirs=stirs, interval=interval)
        running = asyncio.ensure_future(at.loop.run())
        try:
            await story(at)
        finally:
            at.loop.stop()
            await running

    try:
        run(whole(), loop)
    finally:
        scene.close()

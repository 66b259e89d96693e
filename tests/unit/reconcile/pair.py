"""Two targets of one configuration on one platform, each with a folder of its own, in one store and in virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.model.outcome import Report
from agent.reconcile.once import reconcile_once
from agent.reconcile.target import Neighbour, Target
from agent.reconcile.wish import Wish
from tests.simulation.kill import Life, MortalStore
from tests.simulation.virtual_time import VirtualLoop
from tests.unit.reconcile.scene import INTERVAL, Scene, dataos

NAMES = ("north", "south")


class Pair(Scene):
    """``north`` and ``south`` have the folders of their names. ``words`` configure either further."""

    def __init__(
        self,
        folder: Path,
        loop: VirtualLoop,
        files: dict[str, bytes],
        life: Life | None = None,
        **words: dict[str, Any],
    ) -> None:
        self.life = Life()
        self.words = words
        self.targets: dict[str, Target] = {}
        super().__init__(folder, loop, files)

    def reborn(self, life: Life | None = None) -> None:
        """The process died; the next one begins on its store."""
        self.life = life or Life()
        self.restart()

    async def pass_of(self, name: str) -> Report:
        return await reconcile_once(self.targets[name], Wish(self.source.fetch(), interval_seconds=INTERVAL))

    def put(self, **files: bytes | None) -> None:
        """``north__alpha`` is the manifest alpha in the folder of north; None removes it."""
        self.commit(**{name.replace("__", "/"): content for name, content in files.items()})

    def _made(self) -> Target:
        store = MortalStore.open(f"sqlite:///{self._path}", clock=self.clock)
        store.life = self.life
        store.lock()
        made = {
            name: self.made(name, store, self.life, **({"folder": name} | self.words.get(name, {}))) for name in NAMES
        }
        for name, target in made.items():
            others = [other.config for each, other in made.items() if each != name]
            target.neighbours = tuple(Neighbour(other, dataos) for other in others)
        self.targets = made
        return made[NAMES[0]]

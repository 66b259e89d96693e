"""A scene in the made-up ``garden``: git, one target with a scheme of its own, passes in virtual time."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import httpx

from agent.definitions.load import load_platform
from agent.model.change import Action
from agent.model.outcome import Report, Result
from agent.reconcile.looking import look
from agent.reconcile.once import reconcile_once
from agent.reconcile.wish import Wish
from agent.store.store import Store
from tests.platforms.conformance.emulated import assembled, beyond, told
from tests.platforms.made_up.garden import Garden
from tests.simulation.source import MemorySource
from tests.simulation.virtual_time import VirtualClock, VirtualLoop

PLATFORM = load_platform("garden/v1", extra_folders=[Path(__file__).parents[1] / "definitions" / "garden"])
LINK = {"accessKey": "a&k"}
DESK = {"clerk": "clerk", "password": "p:w"}
TICKET = {"user": "flora", "key": "k1"}


class Scene:
    """The garden, git and one target with a scheme of its own."""

    def __init__(self, folder: Path, loop: VirtualLoop) -> None:
        self.clock = VirtualClock(loop)
        self.garden = Garden(self.clock.now)
        self.source = MemorySource()
        self.folder = folder
        self.store = self.opened(Store)
        self.manifests: dict[str, dict[str, Any]] = {}
        self.adopt(LINK)

    def opened(self, keeper: type[Store]) -> Store:
        address = f"sqlite:///{self.folder / 'state.db'}"
        return keeper.open(address, clock=self.clock, random_bytes=random.Random(0).randbytes)

    def wire(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(app=self.garden)

    def adopt(self, credentials: Mapping[str, str], **words: Any) -> None:
        self.target = self.another(credentials, **words)

    def another(self, credentials: Mapping[str, str], **words: Any) -> Any:
        return assembled(
            PLATFORM,
            self.wire(),
            self.clock,
            self.store,
            self.source,
            settings={"region": "north"},
            credentials=credentials,
            secrets=(),
            chance=random.Random(len(self.garden.asked)),
            **words,
        )

    def commit(self, *manifests: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> None:
        written = {f"{place}.json": json.dumps(each).encode() for place, each in enumerate(manifests)}
        self.source.commit({**written, **(files or {})})

    async def look(self, wish: Wish | None = None) -> Report:
        wish = wish or Wish(fresh=True)
        seen = await look(self.target, wish)
        before = Counter(self.target.api.calls)
        report = await reconcile_once(self.target, wish, seen)
        if not any(each.change.reason == "Action" for each in report.outcomes):
            assert beyond(seen.plan, self.target.api.calls - before) == "", told(report)
        assert [problem.what for problem in report.problems if problem.severity == "error"] == []
        return report

    async def does(self, *actions: Action, wish: Wish | None = None) -> Report:
        """A pass that does exactly this, and after which nothing is left to do."""
        report = await self.look(wish)
        done = sorted((each.change.action, each.result) for each in report.outcomes)
        assert done == sorted((action, Result.DONE) for action in actions), told(report)
        await self.clock.sleep(60)
        before = len(self.writes())
        assert told(await self.look()) == ""
        assert len(self.writes()) == before
        return report

    def writes(self) -> list[str]:
        return [f"{each.method} {each.path.removeprefix('/north/api')}" for each in self.sent() if each.method != "GET"]

    def sent(self) -> list[Any]:
        return [each for each in self.garden.asked if not each.path.endswith("/tickets")]


def manifest(kind: str, name: str, spec: Mapping[str, Any] | None = None, **metadata: str) -> dict[str, Any]:
    return {
        "apiVersion": "garden/v1",
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "lifecycle": {"replace": "allow"},
        "spec": dict(spec or {}),
    }


def plant(**spec: Any) -> dict[str, Any]:
    return manifest("Plant", "oak", {"species": "quercus", "notes": "by the wall", **spec}, bed="south")


Story = Callable[[Callable[[Scene], Coroutine[Any, Any, None]]], None]
"""What the fixture `play` gives: it plays a story in a garden of its own."""

"""A target at work in virtual time: the sandbox in this process, git in memory, the real walk in between."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from agent.apply.secrets import SecretValues
from agent.config.model import Limits, TargetConfig
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.live.api import open_api
from agent.live.budget import Budget
from agent.live.connection import Connection
from agent.model.outcome import Report
from agent.reconcile.once import reconcile_once
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.sandbox import create_app
from agent.secrets import Secret
from agent.store.store import Store
from tests.simulation.kill import Life, MortalTransport
from tests.simulation.source import MemorySource
from tests.simulation.virtual_time import VirtualClock, VirtualLoop

INTERVAL = 30.0
dataos = cache(partial(load_platform, "dataos/v1"))
_TOKEN = "scene-token"


def workflow(name: str, hour: int) -> bytes:
    return (
        f"name: {name}\nversion: v1\ntype: workflow\nworkspace: public\n"
        f'workflow:\n  schedule: {{cron: "0 {hour} * * *"}}\n'
        '  dag: [{name: task, spec: {stack: "flare:7.0"}}]\n'
    ).encode()


def document(name: str, hour: int, tags: Sequence[str] = ()) -> dict[str, Any]:
    """The same as somebody else would make it."""
    dag = [{"name": "task", "spec": {"stack": "flare:7.0"}}]
    body = {"schedule": {"cron": f"0 {hour} * * *"}, "dag": dag}
    place = {"version": "v1", "type": "workflow", "workspace": "public"}
    return {"name": name, **place, "tags": [*tags], "workflow": body}


def wrapped(name: str, hour: int, **lifecycle: object) -> bytes:
    """The same with an envelope, and with what the agent may do with it."""
    words = json.dumps(lifecycle) if lifecycle else "null"
    return (
        f"apiVersion: dataos/v1\nkind: Workflow\nmetadata: {{name: {name}, workspace: public}}\nlifecycle: {words}\n"
        f'spec:\n  version: v1\n  workflow:\n    schedule: {{cron: "0 {hour} * * *"}}\n'
        '    dag: [{name: task, spec: {stack: "flare:7.0"}}]\n'
    ).encode()


class Scene:
    """Git, platform, store and one incarnation of the agent; ``restart`` makes the next one.

    ``token`` is read at each use, as from a file.
    """

    token = _TOKEN

    def __init__(self, folder: Path, loop: VirtualLoop, files: dict[str, bytes], verify_seconds: float = 1e6) -> None:
        self.verify_seconds = verify_seconds
        self.clock = VirtualClock(loop)
        self.app = create_app(token=self.token, clock=self.clock, ready_after=0.0)
        self.sandbox = self.app.state.sandbox
        self.source = MemorySource()
        self.files = dict(files)
        self.source.commit(self.files)
        self._path = folder / "state.db"
        self.target = self._made()

    def close(self) -> None:
        self.target.store.close()
        self.sandbox.close()

    def restart(self) -> None:
        self.target.store.close()
        self.target = self._made()

    def lose_state(self) -> None:
        """The disk of the store is gone; the next incarnation begins with nothing."""
        self.target.store.close()
        for file in self._path.parent.glob("state.db*"):
            file.unlink()
        self.target = self._made()

    async def look(self, *, woken_by_git: bool = True) -> Report:
        """A pass, as the loop makes it after a commit, or by itself: lists are read once in an interval."""
        listed_at, now = self.target.listed_at, self.clock.monotonic()
        waits = woken_by_git and listed_at is not None and now - listed_at < INTERVAL
        return await reconcile_once(self.target, Wish(self.source.fetch(), interval_seconds=INTERVAL, lists_wait=waits))

    def commit(self, **changes: bytes | None) -> None:
        """Names of manifests and their new text; None removes one."""
        for name, content in changes.items():
            if content is None:
                del self.files[f"{name}.yaml"]
            else:
                self.files[f"{name}.yaml"] = content
        self.source.commit(self.files)

    @property
    def mark(self) -> int:
        return len(self.sandbox.requests)

    def sent_since(self, mark: int) -> list[str]:
        """Method and last part of the path of each request."""
        return [f"{each.method} {each.path.rsplit('/', 1)[-1]}" for each in self.sandbox.requests[mark:]]

    def platform(self) -> Platform:
        return dataos()

    def wire(self, life: Life) -> MortalTransport:
        return MortalTransport(self.app, life)

    def _made(self) -> Target:
        store = Store.open(f"sqlite:///{self._path}", clock=self.clock)
        store.lock()
        return self.made("main", store, Life())

    def made(self, name: str, store: Store, life: Life, **words: Any) -> Target:
        """A target on this platform; ``words`` are further words of its configuration."""
        platform = self.platform()
        connection = Connection(
            target=name,
            server="http://sandbox.example",
            settings={},
            credentials={"token": lambda: Secret(self.token)},
            deadline_seconds=30.0,
            concurrency=4,
            allow_http=True,
        )
        api = open_api(
            platform,
            connection,
            clock=self.clock,
            budget=Budget(platform.budget.windows, 0.2, self.clock, None, "scene"),
            random=random.Random(0),
            writable=True,
            transport=self.wire(life),
        )
        allowed: dict[str, Any] = {"prune": True, "drift": "heal", "ready_timeout_seconds": 30.0}
        allowed["limits"] = Limits(deletes_max=3, deletes_share_max=0.9)
        allowed["verify_seconds"] = self.verify_seconds
        config = TargetConfig(name, "dataos/v1", server="http://sandbox.example", **(allowed | words))
        secrets = SecretValues({}, store.installation_key)
        return Target(
            config, platform, api, self.source, store, secrets, self.clock, random.Random(), "http://sandbox.example"
        )

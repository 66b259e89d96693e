"""A stage whose agent runs in the image's root, with what it needs shown where the documentation says."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from tests.image.container import USER, Container, Mount
from tests.system.stage import TOKEN, Agent, Stage
from tests.unit.source.publishers import GitSync

CONFIG_PLACE = "/etc/datakeel/datakeel.yaml"


class Contained(Stage):
    """``with_git``: the image that has git follows the repository itself; the other one what a git-sync publishes."""

    def __init__(self, folder: Path, root: Path, *, with_git: bool) -> None:
        super().__init__(folder)
        self.root = root
        self.with_git = with_git
        self.volume = folder / "volume"
        self.state = self.volume / "state.db"
        self.containers: list[Container] = []
        if not with_git:
            self.source = f"mount: {folder / 'git' / 'current'}"

    def __enter__(self) -> Contained:
        super().__enter__()
        self.volume.mkdir(mode=0o700)
        os.chown(self.volume, USER, USER)
        self.git_sync = GitSync(self.folder / "git")
        return self

    def __exit__(self, *details: object) -> None:
        for container in self.containers:
            container.kill()
        super().__exit__(*details)  # type: ignore[arg-type]

    def commit(self, files: Mapping[str, str | None], message: str = "a change") -> str:
        revision = super().commit(files, message)
        if not self.with_git:
            there = sorted((self.repository / "manifests").rglob("*.json"))
            contents = {str(file.relative_to(self.repository)): file.read_bytes() for file in there}
            self.git_sync.publish(revision, contents)
        return revision

    def start_agent(self, *more: str) -> Agent:
        config = self.repository / "datakeel.yaml"
        mounts = [Mount(config, CONFIG_PLACE), Mount(self.volume, "/var/lib/datakeel", writable=True)]
        variables = {
            "DATAOS_TOKEN": TOKEN,
            "LAKE_PASSWORD": "canary-lake-5519",
            "DATAKEEL_STATE": "sqlite:////var/lib/datakeel/state.db",
            "DATAKEEL_SERVER__PROBES": f"127.0.0.1:{free_port()}",
        }
        if self.with_git:
            mounts.append(Mount(self.repository, "/repository"))
            variables["DATAKEEL_SOURCE__PATH"] = "/repository"
        else:
            mounts.append(Mount(self.git_sync.root, "/git"))
            variables["DATAKEEL_SOURCE__MOUNT"] = "/git/current"
        hook = self.folder / "hook"
        if hook.exists():
            os.chown(hook, USER, USER)
            mounts.append(Mount(hook, "/run/secrets/datakeel/hook"))
            variables["DATAKEEL_TARGETS__FLOWS__HOOK__SECRET__FILE"] = "/run/secrets/datakeel/hook"
        log = self.folder / f"agent-{len(self.containers):04d}.log"
        command = ["run", *more] if more else None
        stage = "" if self.with_git else "sidecar"
        self.containers.append(Container(self.root, log, mounts, variables, command, stage))
        return ContainedAgent(self.containers[-1], log)


class ContainedAgent(Agent):
    """What the stage's agents tell and take, of one in a container."""

    def __init__(self, container: Container, log: Path) -> None:
        self.child = container  # type: ignore[assignment]
        self.log = log


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

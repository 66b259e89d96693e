"""A process as a container holds it: a root that cannot be written to, an unprivileged user, its own process table.

`unshare`, `mount`, `setpriv` and `chroot` stand in for the engine. The network is the machine's, so that a sandbox on
the loopback address is in reach; nothing limits memory or processor time.
"""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.image.dockerfile import environment, lineage, words
from tests.image.root import PATH

USER = 65532


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or file of the machine, shown at ``place``."""

    origin: Path
    place: str
    writable: bool = False


class Container:
    """One run of the image's entry point. ``pid`` is that of the agent, seen from outside."""

    def __init__(
        self,
        root: Path,
        log: Path,
        mounts: Sequence[Mount],
        variables: dict[str, str],
        command: Sequence[str] | None = None,
        stage: str = "",
    ) -> None:
        chain = lineage(stage)
        said = {
            word: next(found for each in reversed(chain) if (found := each.last(word)))
            for word in ("ENTRYPOINT", "CMD")
        }
        given = {"PATH": PATH, "HOME": "/nonexistent", **environment(stage), **variables}
        self.environment = [f"{name}={value}" for name, value in given.items()]
        command = words(said["CMD"]) if command is None else command
        run = ["env", "-i", *self.environment, *words(said["ENTRYPOINT"]), *command]
        inside = (
            f"setpriv --no-new-privs --bounding-set=-all --reuid {USER} --regid {USER} --clear-groups {shlex.join(run)}"
        )
        lines = [
            f"mount --bind {root} {root}",
            f"mount -t tmpfs -o size=64m,mode=1777,nosuid,nodev tmpfs {root}/tmp",
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /dev {root}/dev",
            *(line for each in mounts for line in _shown(root, each)),
            f"mount -o remount,bind,ro {root}",
            f"exec chroot {root} /usr/bin/{inside}",
        ]
        with log.open("wb") as stream:
            self.child = subprocess.Popen(
                [
                    "unshare",
                    "--mount",
                    "--propagation",
                    "private",
                    "--pid",
                    "--fork",
                    "/bin/sh",
                    "-euc",
                    "\n".join(lines),
                ],
                stdout=stream,
                stderr=stream,
                stdin=subprocess.DEVNULL,
            )
        self.log = log

    @property
    def init(self) -> int:
        """The process table's first, seen from outside."""
        return _until(lambda: next(iter(_children(self.child.pid)), 0), self)

    @property
    def pid(self) -> int:
        """The agent: the child that lives as long as the init process does."""
        return _until(lambda: next((pid for pid in _children(self.init) if "datakeel" in _line(pid)), 0), self)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Another command in the same container, as the same user: what a health check is."""
        enter = ["nsenter", "-t", str(self.init), "--mount", "--pid", "--root", "--wd"]
        drop = ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", "--no-new-privs"]
        return subprocess.run(
            [*enter, *drop, "env", "-i", *self.environment, *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )

    # What `tests.system.stage.Agent` asks of a child.
    def poll(self) -> int | None:
        return self.child.poll()

    def send_signal(self, number: int) -> None:
        """To the init process, as an engine does."""
        subprocess.run(["kill", f"-{int(number)}", str(self.init)], check=True)

    def wait(self, timeout: float | None = None) -> int:
        return self.child.wait(timeout)

    def kill(self) -> None:
        if self.child.poll() is None:
            subprocess.run(["kill", "-9", str(self.init)], check=False)


def _shown(root: Path, each: Mount) -> list[str]:
    """Shell lines that show it. The place is made where a volume of its own, or the tmpfs, holds it."""
    place = f"{root}{each.place}"
    make = f"mkdir -p {place}" if each.origin.is_dir() else f"mkdir -p {Path(place).parent} && touch {place}"
    lines = [make, f"mount --bind {shlex.quote(str(each.origin))} {place}"]
    return lines if each.writable else [*lines, f"mount -o remount,bind,ro {place}"]


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _until(asked: Callable[[], int], container: Container) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = asked()
        if found:
            return found
        if container.child.poll() is not None:
            raise AssertionError(f"ended with {container.child.poll()}: {container.log.read_text()[-2000:]}")
        time.sleep(0.02)
    raise AssertionError("the container does not come up")

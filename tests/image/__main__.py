"""The image, proven without a container engine: ``python -m tests.image``; and with one, where one is.

Each step of the Dockerfile is played in a clean root (Debian by `debootstrap`, with this Python in the place of the
base image's). Then both images run an agent at work: a root that cannot be written to, uid 65532 without any
capability, its own process table with tini at its head, a health check from within, SIGTERM at the end. Takes root,
the network and some minutes. Exit 1 when anything is not as it should be, 2 when this machine cannot play it.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.image.container import USER
from tests.image.dockerfile import ROOT
from tests.image.root import Missing, build
from tests.image.stage import Contained
from tests.system.stage import until, workflow

FOLDER = ROOT / ".image"
GRACE_SECONDS = 25.0
TOOLS = ("pip", "pip3", "gcc", "cc", "make")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.image", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the roots are kept (default .image)")
    asked = parser.parse_args()
    try:
        roots = {name: build(asked.folder, name) for name in ("sidecar", "")}
    except Missing as error:
        print(f"not played: {error}")
        return 2
    wrong = []
    for name, root in roots.items():
        shown = name or "image"
        wrong += [f"{shown}: {each}" for each in (*holds(root, with_git=not name), *works(root, with_git=not name))]
    wrong += with_engine()
    print("\n".join(wrong) or "the image is as it should be")
    return 1 if wrong else 0


def holds(root: Path, *, with_git: bool) -> Iterator[str]:
    """What is wrong with the files."""
    folders = [root / each for each in ("usr/local/bin", "usr/bin", "bin", "sbin", "usr/sbin")]
    found = {path.name for folder in folders if folder.is_dir() for path in folder.iterdir()}
    yield from (f"holds {tool}" for tool in TOOLS if tool in found)
    if ("git" in found) is not with_git:
        yield "holds git" if "git" in found else "has no git"
    yield from (f"has no {tool}" for tool in ("tini", "datakeel") if tool not in found)
    for path in root.rglob("*"):
        status = path.lstat()
        if status.st_uid == USER and path != root / "var/lib/datakeel":
            yield f"{path.relative_to(root)} belongs to the agent's user"
    if any((root / "wheels").glob("*")) or (root / "src").exists():
        yield "holds what it was built from"


def works(root: Path, *, with_git: bool) -> Iterator[str]:
    """What is wrong with an agent at work in it."""
    shown = "image" if with_git else "sidecar"
    with tempfile.TemporaryDirectory(prefix="datakeel-image-") as folder:
        Path(folder).chmod(0o755)
        with Contained(Path(folder) / "stage", root, with_git=with_git) as stage:
            stage.start_sandbox(ready_after=0.2)
            stage.configure()
            first = stage.commit({"a.json": workflow("a"), "b.json": workflow("b")})
            agent = stage.start_agent()
            container = stage.containers[0]
            until(lambda: agent.passes(first), "the first pass", 180.0)
            second = stage.commit({"b.json": None})
            until(lambda: [each for each in agent.passes(second) if not each["held"]], "the second commit", 180.0)
            if {each["name"] for each in stage.live().values()} != {"a"}:
                yield "live is not as the second commit says"
            yield from _confined(container.pid)
            touched = container.run("/bin/sh", "-c", "echo x > /opt/x || echo x > /usr/local/x || echo x > /etc/x")
            if touched.returncode == 0 or touched.stderr.count("Read-only file system") != 3:
                yield f"the root is not read-only: {touched.stderr}"
            health = container.run("datakeel", "status", "--probe", "livez")
            print(f"{shown}: health check ends with {health.returncode}: {health.stdout.strip()[:80]}")
            if health.returncode != 0:
                yield f"the health check ends with {health.returncode}: {health.stderr}{health.stdout}"
            if with_git and container.run("git", "--version").returncode != 0:
                yield "git does not run"
            zombies = container.run("/bin/sh", "-c", "cat /proc/[0-9]*/stat | grep -c ') Z '").stdout.strip()
            if zombies != "0":
                yield f"{zombies} zombies"
            began = time.monotonic()
            status = agent.end(signal.SIGTERM)
            seconds = time.monotonic() - began
            print(f"{shown}: SIGTERM ends it with {status} after {seconds:.1f} s")
            if status != 143 or seconds > GRACE_SECONDS:
                yield f"SIGTERM ends it with {status} after {seconds:.1f} s"
            unread = [path for path in stage.volume.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077]
            yield from (f"others may read {path.name}" for path in unread)


def _confined(pid: int) -> Iterator[str]:
    said = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    wanted = {"Uid": f"{USER}\t" * 3 + str(USER), "Gid": f"{USER}\t" * 3 + str(USER), "NoNewPrivs": "1"}
    wanted |= dict.fromkeys(("CapEff", "CapPrm", "CapBnd"), "0" * 16)
    yield from (f"{word} is {said[word]!r}" for word, value in wanted.items() if said[word].strip() != value)


def with_engine() -> list[str]:
    """Where a container engine answers, it builds the Dockerfile too and runs it with a read-only root."""
    engine = shutil.which("docker") or shutil.which("podman")
    if engine is None or subprocess.run([engine, "info"], capture_output=True, check=False).returncode != 0:
        print("not played: docker build, for want of an engine that answers; the base image itself is not proven")
        return []
    wrong = []
    for target in ("sidecar", ""):
        words = [engine, "build", "-q", *(("--target", target) if target else ()), str(ROOT)]
        built = subprocess.run(words, capture_output=True, text=True, check=False)
        if built.returncode != 0:
            return [f"{engine} build: {built.stderr[-1000:]}"]
        image = built.stdout.strip()
        flags = ["--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
        ran = subprocess.run([engine, "run", *flags, image, "version"], capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            wrong.append(f"{engine} run: {ran.stderr[-1000:]}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())

"""Where runs keep their stores: in memory where that is possible, each from a store that was migrated once."""

from __future__ import annotations

import random
from pathlib import Path

from agent.store.store import Store
from tests.simulation.virtual_time import VirtualClock, VirtualLoop


def make_template(folder: Path) -> Path:
    """An empty store, migrated once, that every run starts from."""
    path = folder / "template.db"
    loop = VirtualLoop()
    Store.open(f"sqlite:///{path}", clock=VirtualClock(loop), random_bytes=random.Random(0).randbytes).close()
    loop.close()
    return path


def memory_folder() -> str | None:
    """A folder in memory where there is one: a simulation syncs thousands of times."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def place(folder: Path, name: str) -> Path:
    """A new folder for one story."""
    made = folder / name
    made.mkdir()
    return made

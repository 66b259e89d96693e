"""What one measurement takes: wall and CPU seconds of this process and of the git it runs, calls, memory.

Called by ``worker``.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Taken:
    """What one measurement found; ``calls`` by purpose, ``facts`` what tells that the right thing was done."""

    wall: float = 0.0
    cpu: float = 0.0
    calls: dict[str, int] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def clock(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), cpu_seconds()
        yield
        self.wall, self.cpu = time.perf_counter() - wall, cpu_seconds() - cpu


def peak_megabytes() -> float:
    """The most memory that this process ever held. ``ru_maxrss`` would count the parent's before exec."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cpu_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime

"""What a process holds, from /proc, and whether it holds steady: slopes with their uncertainty, from many samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

BLOCKS = 12
# What SQLite keeps of a store's pages, by its own default: memory that fills as a young store grows, and then no more.
PAGE_CACHE = 2000 << 10
PAGE_COST = 1.23  # measured: memory a byte of it, while it fills; a store beyond it made a process grow no more
# Student's t, two-sided 95 %, by degrees of freedom.
_T95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26, 10: 2.23}


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: seconds since the start, resident memory in MiB, counts, and bytes of the store and its log."""

    at: float
    rss: float
    descriptors: int
    threads: int
    children: int
    zombies: int
    store: int
    log: int

    @property
    def memory(self) -> float:
        """Resident memory in MiB, less the pages of the store that are kept."""
        return self.rss - PAGE_COST * min(self.store, PAGE_CACHE) / 2**20


@dataclass(frozen=True, slots=True)
class Slope:
    """Change an hour, and the half width of its 95 % confidence interval."""

    hourly: float
    margin: float

    @property
    def low(self) -> float:
        return self.hourly - self.margin

    def __str__(self) -> str:
        return f"{self.hourly:+.2f} ± {self.margin:.2f} an hour"


def look(pid: int, store: Path, at: float) -> Sample:
    """The process as it is now. FileNotFoundError and ProcessLookupError once it is gone."""
    proc = Path(f"/proc/{pid}")
    words = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    children = [child for task in (proc / "task").iterdir() for child in _read(task / "children").split()]
    states = [_read(Path(f"/proc/{child}/stat")).rpartition(")")[2].split()[:1] for child in children]
    log = store.with_name(store.name + "-wal")
    return Sample(
        at,
        int(words["VmRSS"].split()[0]) / 1024,
        sum(1 for _ in (proc / "fd").iterdir()),
        int(words["Threads"]),
        len(children),
        states.count(["Z"]),
        store.stat().st_size,
        log.stat().st_size if log.exists() else 0,
    )


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it ended between two looks
        return ""


def slope(times: Sequence[float], values: Sequence[float]) -> Slope:
    """The trend through the means of equal blocks of time.

    Neighbouring samples of memory are much alike, so the ordinary error of a line through all of them would be far too
    small; means of long blocks are nearly independent.
    """
    if len(times) < 3 or times[-1] == times[0]:
        return Slope(0.0, math.inf)
    width = (times[-1] - times[0]) / BLOCKS
    blocks: dict[int, list[int]] = {}
    for index, at in enumerate(times):
        blocks.setdefault(min(BLOCKS - 1, int((at - times[0]) / width)), []).append(index)
    xs = [fmean(times[index] for index in block) for block in blocks.values()]
    ys = [fmean(values[index] for index in block) for block in blocks.values()]
    count, middle, level = len(xs), fmean(xs), fmean(ys)
    if count < 3:
        return Slope(0.0, math.inf)
    spread = sum((x - middle) ** 2 for x in xs)
    rise = sum((x - middle) * (y - level) for x, y in zip(xs, ys, strict=True)) / spread
    rest = sum((y - level - rise * (x - middle)) ** 2 for x, y in zip(xs, ys, strict=True))
    error = math.sqrt(rest / (count - 2) / spread)
    return Slope(rise * 3600, _T95.get(count - 2, 2.0) * error * 3600)


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def judge(samples: Sequence[Sample], *, rss_hourly_max: float, descriptors_slack: int = 2) -> list[str]:
    """What is not flat. Memory grows when even the low end of its slope's interval is beyond the limit (MiB an hour).

    Descriptors and threads may rise for a moment, while a call or a child is under way: their resting level, the median
    of a third of the time, may not move.
    """
    wrong = []
    memory = slope([sample.at for sample in samples], [sample.memory for sample in samples])
    if memory.low > rss_hourly_max:
        wrong.append(f"memory grows: {memory} MiB, {rss_hourly_max:g} are allowed")
    third = max(1, len(samples) // 3)
    first, last = samples[:third], samples[-third:]
    for word, slack in (("descriptors", descriptors_slack), ("threads", 0)):
        before, after = (median([getattr(sample, word) for sample in part]) for part in (first, last))
        if after > before + slack:
            wrong.append(f"{word} grow: {before:g} in the first third, {after:g} in the last")
    if samples and samples[-1].zombies:
        wrong.append(f"{samples[-1].zombies} zombies in the end")
    return wrong

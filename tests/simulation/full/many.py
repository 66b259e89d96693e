"""Many stories at once: workers play shares of the seeds, and what they tell is summed up."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from tests.simulation.full.draw import draw_story
from tests.simulation.full.play import Told, tell
from tests.simulation.full.tale import Story

SHARE = 40
"""Seeds that a worker takes at once."""


@dataclass
class Sum:
    """What came of many stories. ``failed`` holds the seeds with what they broke, ``seconds`` of all workers."""

    stories: int = 0
    kills: int = 0
    passes: int = 0
    requests: int = 0
    commits: int = 0
    seconds: float = 0.0
    reached: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: Sum) -> None:
        for word in ("stories", "kills", "passes", "requests", "commits", "seconds"):
            setattr(self, word, getattr(self, word) + getattr(other, word))
        self.reached += other.reached
        self.excused += other.excused
        self.failed |= other.failed


def quiet() -> None:
    """The agent's log goes nowhere: a story has one of its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def play_many(
    seeds: Sequence[int],
    template: bytes,
    folder: str | None,
    *,
    jobs: int = 1,
    definition: str | None = None,
    tell_of: Callable[[Sum], None] = lambda done: None,
) -> Sum:
    """All these seeds; ``tell_of`` hears of each share that is done."""
    total = Sum()
    shares = [seeds[start : start + SHARE] for start in range(0, len(seeds), SHARE)]
    for done in _shares(shares, template, folder, jobs, definition):
        total.add(done)
        tell_of(done)
    return total


def _shares(
    shares: Sequence[Sequence[int]], template: bytes, folder: str | None, jobs: int, definition: str | None
) -> Iterator[Sum]:
    if jobs <= 1:
        yield from (_share(seeds, template, folder, definition) for seeds in shares)
        return
    gc.freeze()  # what is loaded by now is shared by all workers, and looked at by no collector
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork")) as pool:
        for done in as_completed(pool.submit(_share, seeds, template, folder, definition) for seeds in shares):
            yield done.result()


def _share(seeds: Sequence[int], template: bytes, folder: str | None, definition: str | None) -> Sum:
    quiet()
    gc.disable()
    total = Sum()
    began = time.process_time()
    for number, seed in enumerate(seeds):
        told = played(draw_story(seed, definition), template, folder)
        total.stories += 1
        if isinstance(told, str):
            total.failed[seed] = [told]
            continue
        for word in ("kills", "passes", "requests", "commits"):
            setattr(total, word, getattr(total, word) + getattr(told, word))
        total.reached += told.reached
        total.excused += told.excused
        if told.violations:
            total.failed[seed] = told.violations
        if number % 10 == 9:
            gc.collect()
    total.seconds = time.process_time() - began
    return total


def played(story: Story, template: bytes, folder: str | None) -> Told | str:
    """One story in a folder of its own; a crash is told as text, for it is a violation like any other."""
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        return tell(story, place, template, keep=False)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"crash: {type(error).__name__}: {error} at {Path(where.filename).name}:{where.lineno}"
    finally:
        shutil.rmtree(place, ignore_errors=True)


def broken_by(told: Told | str) -> str:
    """What is looked for while a story is shortened: the invariant and how it was broken, or the kind of crash."""
    if isinstance(told, str):
        return told.partition(" at ")[0][:60]
    return " ".join(told.violations[0].split()[:3]) if told.violations else ""

"""The garbage collector, told what not to walk: what ten thousand manifests load is neither garbage nor cyclic.

Used by ``desired`` (bulk loading), ``once`` (a look) and ``loop`` (after the first pass). Left alone, it took
a quarter of a cold look, and freed nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENT = (100_000, 50, 100)  # instead of 700, 10, 10: cycles are still freed, which matters when a look takes hours


@contextmanager
def waiting() -> Iterator[None]:
    """No collection inside: for work of seconds."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def patient() -> Iterator[None]:
    """Fewer collections inside: for work that may wait for others."""
    before = gc.get_threshold()
    gc.set_threshold(*_PATIENT)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def settle() -> None:
    """What is loaded now stays: it need not be walked again."""
    gc.collect()
    gc.freeze()

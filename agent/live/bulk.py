"""The many calls of a long pass leave a part of each window to the few of a commit that comes in between.

``observe`` and ``once`` say that many calls follow; ``budget`` heeds it. What a person asked for has no rival.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from agent.live.haste import OVERTAKEN

FEW = 20
"""So many objects are looked at or written without ado; a pass over more of them is a long one."""
_BULK: ContextVar[bool] = ContextVar("bulk", default=False)


def is_bulk() -> bool:
    return _BULK.get()


@contextmanager
def in_bulk(objects: int) -> Iterator[None]:
    """Around calls for so many objects: those of a long pass that a newer commit may end. Tasks inherit it."""
    token = _BULK.set(objects > FEW and OVERTAKEN.get() is not None)
    try:
        yield
    finally:
        _BULK.reset(token)

"""When a target may be written: openings and closures that repeat. Pure; ``agent/windows`` judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ApplyWindow:
    """Begins at each moment of ``cron`` in ``timezone`` and lasts ``lasts_seconds``.

    ``of`` deletes: it speaks of deletes and replacements alone. Where any window allows, nothing is allowed outside of
    those that do; a window that denies wins.
    """

    allows: bool
    cron: str
    lasts_seconds: float
    timezone: str = "UTC"
    of: Literal["writes", "deletes"] = "writes"


@dataclass(frozen=True, slots=True)
class Closed:
    """Why nothing may be written now, for all writes and for deletes: a sentence, "" where it may."""

    writes: str = ""
    deletes: str = ""


OPEN = Closed()

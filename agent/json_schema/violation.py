"""The shape of one schema fault; pure, given to whoever knows the file and its positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Violation:
    """A fault at a JSON pointer; ``at`` says whether the key or the value is to be shown.

    Safe to print: ``what`` and ``why`` hold no values, ``got`` and ``fix`` none of a sensitive field. ``more`` is not 0
    only in the last one of a value with too many: it stands for so many faults that are not told one by one.
    """

    pointer: str
    at: Literal["key", "value"]
    code: str
    what: str
    got: str | None = None
    why: str = ""
    fix: str | None = None
    more: int = 0

"""The state of a target in the field's common words: Ready, Reconciling, Stalled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Condition:
    """``reason`` is one PascalCase word, ``message`` one sentence; ``since`` the epoch second it began."""

    type: Literal["Ready", "Reconciling", "Stalled"]
    status: bool
    reason: str
    message: str
    since: float = 0.0

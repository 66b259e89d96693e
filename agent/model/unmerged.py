"""What a proposed change would alter about the agent itself: shown in words, and not used before it is merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UnmergedCode = Literal["config-changed", "definition-changed", "policy-changed"]


@dataclass(frozen=True, slots=True)
class Unmerged:
    """One such thing. ``lines`` begin with ``- `` for what is in force and ``+ `` for what is proposed.

    ``path`` is seen from the repository's top; ``line`` is where the proposal writes it, None for what it removes and
    for whole files.
    """

    code: UnmergedCode
    path: str
    what: str
    lines: tuple[str, ...] = ()
    line: int | None = None

"""What one rule of a policy says of one change: part of a plan, and of its digest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.model.identity import Key


class Effect(StrEnum):
    DENY = "deny"
    HOLD = "hold"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``failure`` says why the rule could not be evaluated; it then counts as one that fired.

    A hold that could not be judged denies: what waits by a mistake would wait for ever, and nobody would be told.
    """

    rule: str
    effect: Effect
    key: Key
    message: str
    fix: str | None = None
    failure: str = ""

    @property
    def sentence(self) -> str:
        """Why the change does not go, or what is to be said of it."""
        said = f"{self.message} (rule {self.rule} could not be evaluated: {self.failure})" if self.failure else ""
        return said or f"{self.message} (rule {self.rule})"

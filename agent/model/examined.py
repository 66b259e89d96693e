"""What an examination found: one check, how it is, what a person does about it, and the facts worth keeping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ``subject`` is the target that it is about, or empty; ``facts`` are JSON values without a secret.

    ``warn`` works and should be looked at; ``bad`` does not work. ``configuration``: what is wrong is what we were
    told, not what the world is like.
    """

    check: str
    state: State
    said: str
    fix: str | None = None
    subject: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    configuration: bool = False

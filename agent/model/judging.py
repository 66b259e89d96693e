"""What rules of a policy say of the changes of a plan, and what they are asked with. Nouns only.

``plan`` asks a :data:`Judge` that was handed to it; ``agent/policy`` makes one of the rules that an operator wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.model.change import Change
from agent.model.identity import Revision
from agent.model.verdict import Verdict

DENIED = "Policy"
"""Reason of a hold: a rule refuses the change, and somebody has to change it."""
DELAYED = "PolicyHold"
"""Reason of a hold: a rule puts the change off, as its author meant it to."""


@dataclass(frozen=True, slots=True)
class Case:
    """A change that would be sent. ``desired`` and ``live`` give the whole spec of either side with secrets hidden,
    None where there is none; both are called only for rules that read them, and may raise ConfigError.
    """

    change: Change
    desired: Callable[[], Mapping[str, Any] | None]
    live: Callable[[], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a plan is about: ``owned`` are objects of ours by kind, ``at`` the moment in epoch seconds.

    ``owned`` and ``manifests`` are None where nobody can tell, as of a plan file.
    """

    target: str
    platform: str
    revision: Revision
    owned: Mapping[str, int] | None
    manifests: int | None
    at: float


Judge = Callable[[Sequence[Case], Occasion], tuple[Verdict, ...]]

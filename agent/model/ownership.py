"""A person's word on whose an object is: take it over as it is now, or let it go. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.model.identity import Key


@dataclass(frozen=True, slots=True)
class Word:
    """Said by ``adopt`` or ``release`` of one object, and heeded by the next pass; the last one said counts.

    ``digest`` is that of what a person was shown and agreed to (None: whatever it is, which only a look may ask for).
    ``server_id`` names the object that is meant where its name does not. ``at`` is in epoch seconds.
    """

    key: Key
    verb: Literal["adopt", "release"]
    who: str
    at: float
    digest: str | None = None
    server_id: str | None = None

"""What an import makes of a live object: its spec, and what is left out of it and why. Pure shapes of this room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.plan.rules import Place

SERVERS = "set by the platform"
IDENTITY = "said by metadata"
NOTHING = "null, which says nothing"
UNKNOWN = "not in the schema"
SOUNDS_SERVERS = "taken for the platform's own, for the schema does not name it"
DEFAULT = "as by default"
MASKED = "shown masked"
UPLOADED = "uploaded, and its content is not shown"
MARK = "marks of ownership"
TELLS_SECRET = "holds a secret among other text"  # noqa: S105
REFERENCED = "names an object that was not found"
UNFIT = "not allowed by the schema"
PLACEHOLDER = "looks like a placeholder, which no manifest may hold"
_REASONS = (SERVERS, SOUNDS_SERVERS, DEFAULT, TELLS_SECRET, MASKED, UPLOADED, REFERENCED, UNFIT, PLACEHOLDER, UNKNOWN)
"""In the order in which comments tell them; the rest is no news to anybody."""

GONE: Any = object()
"""In place of a value that is left out."""


class Unfit(Exception):
    """No manifest can ask for this object; the message says why, in words of ours."""


class Hidden(Unfit):
    """What a manifest must say is never shown by the platform: nobody's fault, and a person has to write it."""


@dataclass(slots=True)
class Shaped:
    """``spec`` in the order of the schema. ``left_out`` pairs reasons with the places that they hold of.

    ``secrets`` are the names that stand for secrets, by place; ``hidden`` are places that the platform never shows and
    that the manifest does not write; ``open`` are members that the schema does not name and that were taken over.
    """

    spec: dict[str, Any]
    left_out: dict[str, list[Place]] = field(default_factory=dict)
    secrets: dict[Place, str] = field(default_factory=dict)
    hidden: list[Place] = field(default_factory=list)
    open: list[Place] = field(default_factory=list)

    @property
    def told(self) -> Iterator[tuple[str, list[Place]]]:
        """What was left out and is worth a word."""
        for reason in _REASONS:
            if self.left_out.get(reason):
                yield reason, self.left_out[reason]

    def conceal(self, values: Sequence[str]) -> None:
        """Places whose very words tell a secret are told without them: comments are read by everybody, too."""
        for places in (*self.left_out.values(), self.open):
            places[:] = [
                tuple("(secret)" if any(value in token for value in values) else token for token in place)
                for place in places
            ]

    def leave_whole(self, place: Place) -> Any:
        """A list of which an element was left out, for the same reason: less one of its elements it is another list."""
        reason = ""
        for each, places in self.left_out.items():
            below = [one for one in places if len(one) > len(place) and one[: len(place)] == place]
            places[:] = [one for one in places if one not in below]
            reason = each if below else reason
        return self.leave(reason, place)

    def leave(self, reason: str, place: Place) -> Any:
        self.left_out.setdefault(reason, []).append(place)
        return GONE

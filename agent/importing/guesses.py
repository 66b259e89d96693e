"""Members and labels that sound like a platform's own: asked only where definition and schema leave it open.

Many APIs echo an id, a state and times into the objects that people write. A schema that is open, for its API page
prints no more, cannot tell those from what a person meant. Leaving one out costs nothing, since what a manifest does
not write is left as it is; writing one that the platform changes by itself would be a difference for ever. Pure.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WHOLE = frozenset(
    [
        "id",
        "uid",
        "uuid",
        "guid",
        "etag",
        "href",
        "hash",
        "checksum",
        "self",
        "state",
        "status",
        "links",
        "revision",
        "generation",
        "fingerprint",
        "permalink",
    ]
)
_WHEN = frozenset(["created", "updated", "modified", "deleted"])
_WHO = frozenset(["at", "by", "on", "date", "time", "timestamp"])
_LABEL = re.compile(r"([a-z0-9]+):")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@lru_cache(maxsize=4096)
def sounds_like_the_platform(name: str) -> bool:
    """``id``, ``state``, ``created_at``, ``lastRunAt``, ``modifiedBy``: what platforms set, and people seldom."""
    words = [word.lower() for word in _PARTS.findall(name[:200])]
    if not words:
        return False
    if len(words) == 1:
        return words[0] in _WHOLE or words[0] in _WHEN
    if words[0] == "last" and (words[-1] in _WHO or words[-1] in _WHEN or words[-1] in _WHOLE):
        return True
    return words[0] in _WHEN and words[-1] in _WHO


def labels_itself(platform: str, label: object) -> bool:
    """``acme:type:thing`` on an ``acme``: a label in the platform's own name. Asked of sets of which git owns only
    what it lists, for those are the ones that somebody else adds to.
    """
    found = _LABEL.match(label) if isinstance(label, str) else None
    return found is not None and found[1] == platform.partition("-")[0]

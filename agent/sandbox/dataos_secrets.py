"""What a read of the emulated DataOS may leave out: the sensitive fields of secrets and of depots.

The vendor's command line leaves them out unless it is asked for "the resources un-sanitized, this includes sensitive
fields". Which fields these are follows the manifests: `data` and `files` of a Secret and an Instance-secret, the same
and `password` in a Depot's `connectionSecret` and `secrets` (a guess). Used by both faces.
"""

from __future__ import annotations

from typing import Any

_SENSITIVE = frozenset({"data", "files", "password"})


def sanitized(value: Any, within: bool = False) -> Any:
    """The value without its sensitive fields: those at any depth below a member whose name speaks of a secret."""
    if isinstance(value, dict):
        return {
            word: sanitized(member, within or "secret" in word.lower())
            for word, member in value.items()
            if not (within and word in _SENSITIVE)
        }
    if isinstance(value, list):
        return [sanitized(member, within) for member in value]
    return value

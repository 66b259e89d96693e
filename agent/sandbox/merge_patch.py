"""A document after a change that names members of it (RFC 7396). Used by every platform that has a PATCH."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merged(document: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A new document: null removes a member, mappings merge, everything else replaces."""
    result = dict(document)
    for word, value in change.items():
        if value is None:
            result.pop(word, None)
        elif isinstance(value, Mapping):
            present = result.get(word)
            result[word] = merged(present if isinstance(present, Mapping) else {}, value)
        else:
            result[word] = value
    return result

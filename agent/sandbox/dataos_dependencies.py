"""Which resource of the emulated DataOS depends on which, read from the manifests.

The vendor prints the refusal, "cannot delete resource, it is a dependency of 'depot:v2alpha:sampleinstdepot'", and says
that it holds for whatever names a Secret, a Depot or another resource. How the server finds that out is not printed:
here a name under its type's word, as in `secrets: [{name: …}]` or `compute: …`, or a Depot's address (a guess).
Used by :mod:`agent.sandbox.dataos_state`.
"""

from __future__ import annotations

import re
from typing import Any

from agent.sandbox.dataos_documents import Document


def identifier(document: Document) -> str:
    """`TYPE:VERSION:NAME[:WORKSPACE]`, the form that the command line takes as `--id`."""
    return ":".join(filter(None, (document.type, document.written["version"], document.name, document.workspace)))


def depends_on(document: Document, other: Document) -> bool:
    """Whether a section of `document` names `other`. What lives in one workspace is not seen from another."""
    if other.workspace is not None and other.workspace != document.workspace:
        return False
    word = other.type.rpartition("-")[2]
    address = re.compile(rf"dataos://{re.escape(other.name)}(?![-\w])") if other.type == "depot" else None
    return any(_mentions(section, other.name, word, address, "") for section in document.sections().values())


def _mentions(value: Any, name: str, word: str, address: re.Pattern[str] | None, under: str) -> bool:
    if isinstance(value, dict):
        return any(_mentions(member, name, word, address, f"{under} {key}") for key, member in value.items())
    if isinstance(value, list):
        return any(_mentions(member, name, word, address, under) for member in value)
    if not isinstance(value, str):
        return False
    if address is not None and address.search(value):
        return True
    return value == name and word in under.lower()

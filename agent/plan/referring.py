"""Which of the target's secrets a leaf that differs refers to: its value is shown to nobody, its name to everybody.

Called by ``ground`` after the comparison, where both sides are fingerprints already. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.model.change import FieldChange
from agent.model.secret_names import REFERENCE, is_reference
from agent.plan.compare import Comparison
from agent.plan.rules import split_pointer


def with_references(found: Comparison, spec: Mapping[str, Any]) -> Comparison:
    """The comparison with ``secretRef:NAME`` at each leaf where the manifest's ``spec`` says ``{secretRef: NAME}``."""
    if not any(each.sensitive for each in found.fields):
        return found

    def named(field: FieldChange) -> FieldChange:
        leaf = _at(spec, field.pointer) if field.sensitive else None
        if leaf is None or not is_reference(leaf):
            return field
        return replace(field, reference=f"{REFERENCE}:{leaf[REFERENCE]}")

    return replace(found, fields=[*map(named, found.fields)], immutable=[*map(named, found.immutable)])


def _at(spec: Any, pointer: str) -> Any:
    for token in split_pointer(pointer):
        if isinstance(spec, Mapping):
            spec = spec.get(token)
        elif isinstance(spec, list) and token.isdigit() and int(token) < len(spec):
            spec = spec[int(token)]
        else:
            return None
    return spec

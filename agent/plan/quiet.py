"""Differences that no write would end: what the platform did not keep, and two names for one thing.

Called by ``ground`` after the comparison, so that they are no part of a plan. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.definitions.platform import Platform
from agent.model.canonical import digest
from agent.model.change import FieldChange
from agent.model.inventory import InventoryRow
from agent.plan.compare import Comparison
from agent.plan.elsewhere import Wires
from agent.plan.flapping import rule, shown
from agent.plan.rules import RuleBook, pattern_of, split_pointer

UNKEPT = "not kept by the server"


def is_current(row: InventoryRow, platform: Platform) -> bool:
    """Whether an object was last written by what the definition says now: another one may send another form."""
    return row.definition == platform.digest


def unkept(row: InventoryRow, platform: Platform) -> Mapping[str, str]:
    """What the platform did not keep, as far as that still says anything."""
    return row.not_kept if row.not_kept and is_current(row, platform) else {}


def less_unkept(found: Comparison, desired: Mapping[str, Any], not_kept: Mapping[str, str]) -> Comparison:
    """``not_kept`` maps a pointer to the digest of a value that the server twice did not keep.

    Whatever the difference there is, a leaf, an element of a set or a default: it is quiet while git asks for the same.
    """
    pointers = {each.pointer for each in found.fields if not_kept.get(each.pointer) == digest_at(desired, each.pointer)}
    if not pointers:
        return found
    told = {each.path: each for each in found.fields if each.pointer in pointers}
    return replace(
        found,
        fields=[each for each in found.fields if each.pointer not in pointers],
        immutable=[each for each in found.immutable if each.pointer not in pointers],
        quiet=[*found.quiet, *((path, UNKEPT, _learnt(each)) for path, each in told.items())],
    )


def _learnt(field: FieldChange) -> str:
    """The two values, and the line that says the same in git."""
    values = (
        "" if field.sensitive else f"git asks for {shown(field.after)}, the platform answers {shown(field.before)}; "
    )
    return f"written twice: {values}{rule([field.pointer])}"


def digest_at(spec: Any, pointer: str) -> str:
    """Digest of what git asks for at a pointer, "" where it asks for nothing."""
    for token in split_pointer(pointer):
        if isinstance(spec, Mapping) and token in spec:
            spec = spec[token]
        elif isinstance(spec, list) and token.isdigit() and int(token) < len(spec):
            spec = spec[int(token)]
        else:
            return ""
    return digest(spec)


def less_alike(book: RuleBook, found: Comparison, wires: Wires) -> Comparison:
    """A comparison without the leaves for which two names stand for one thing: two files of the same content, say."""
    known = {place: wires.get(rule.pointer, {}) for place, rule in book.elsewhere}

    def alike(change: FieldChange) -> bool:
        names = known.get(pattern_of(split_pointer(change.pointer)), {})
        values = [names.get(str(side)) for side in (change.before, change.after)]
        return values[0] is not None and values[0] == values[1]

    if not any(map(alike, found.fields)):
        return found
    return replace(
        found,
        fields=[change for change in found.fields if not alike(change)],
        immutable=[change for change in found.immutable if not alike(change)],
    )

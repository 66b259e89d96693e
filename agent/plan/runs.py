"""Runs: objects that are made once for each content and never changed, such as a job that was submitted.

The mark of a run holds the hash of what it was started from, and that is all that is compared: rows of runs are
summaries, whose blanks are no drift (``design/platform-definitions.md`` 3.3, 14). Pure; called by ``ground``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from agent.definitions.marks import content_of_run
from agent.model.canonical import canonical
from agent.model.change import Cause, FieldChange, FieldOp
from agent.model.resource import Health
from agent.plan.compare import Comparison, compare
from agent.plan.normalize import FINGERPRINT, fingerprinted, is_fingerprint
from agent.plan.rules import RuleBook

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
OVER: frozenset[Health] = frozenset({"ready", "failed", "gone"})
"""Healths of a run that will not go on: another content may be started beside it."""


def content_of(book: RuleBook, spec: Mapping[str, Any]) -> str:
    """Eight characters of ``[a-z0-9]``: a hash of what is asked for, values of secrets left out."""
    plain = _without_values(fingerprinted(book, spec, lambda leaf: ""))
    number = int.from_bytes(hashlib.sha256(canonical(plain)).digest()[:8], "big")
    letters = []
    for _ in range(8):
        number, index = divmod(number, 36)
        letters.append(_ALPHABET[index])
    return "".join(letters)


def compare_run(
    book: RuleBook,
    written: Mapping[str, Any],
    applied: Mapping[str, Any] | None,
    live: Mapping[str, Any] | None,
    *,
    ignore: Sequence[str] = (),
    create_only: Sequence[str] = (),
) -> Comparison:
    """Nothing when the run was started from this content; else what git changed since the last one.

    ``live`` is None for a run that is no longer listed: then what was applied last tells what it was started from.
    Leaves under ``ignore`` and ``create_only`` start nothing, once a run was started.
    """
    wanted = content_of(book, written)
    found = content_of_run(book.kind, live) if live is not None else content_of(book, applied or {})
    if found == wanted:
        return Comparison()
    if applied is not None:
        told = compare(book, written, applied, applied, ignore=ignore, create_only=create_only)
        if told.fields or told.released or ignore or create_only:  # else only such leaves have ever changed
            return Comparison(fields=[*told.fields, *told.released], quiet=told.quiet)
    change = FieldChange("content", "", FieldOp.CHANGE, Cause.GIT, found, wanted)
    return Comparison(fields=[change])


def _without_values(spec: Any) -> Any:
    """A fingerprint differs between installations, and after a rotation; a run is not started again for that."""
    if is_fingerprint(spec):
        return {FINGERPRINT: ""}
    if isinstance(spec, Mapping):
        return {name: _without_values(member) for name, member in spec.items()}
    return [_without_values(member) for member in spec] if isinstance(spec, list) else spec

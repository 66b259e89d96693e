"""Reads the file that ``diff -o json=FILE`` wrote, for ``apply --plan FILE``; it may have been changed since."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from agent.errors import UsageError
from agent.model.change import PLAN_FORMAT, WRITES, Action, Cause, Change, FieldChange, FieldOp
from agent.model.identity import Key
from agent.report.text import change_line

SIZE_MAX = 256 << 20


@dataclass(frozen=True, slots=True)
class PlanFile:
    """What is remembered: the approved digest, what was chosen, and one line for each change that would be sent.

    ``base`` is the commit at which a proposal began, None for a plan of all that git says.
    """

    digest: str
    targets: tuple[str, ...]
    only: tuple[str, ...]
    lines: list[str]
    base: str | None = None


def read_plan_file(path: Path) -> PlanFile:
    """The plan file; UsageError when it is none of this version."""

    def refuse(fault: str) -> UsageError:
        return UsageError(f"the plan file {path} {fault}", code="plan-unreadable", fix=f"datakeel diff -o json={path}")

    try:
        if path.stat().st_size > SIZE_MAX:
            raise refuse(f"is larger than {SIZE_MAX} bytes")
        document = json.loads(path.read_bytes(), parse_float=Decimal)
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise refuse("is not JSON") from error
    if not isinstance(document, dict) or document.get("format") != PLAN_FORMAT:
        raise refuse(f"is not of the format {PLAN_FORMAT}")
    digest, scope = document.get("digest"), document.get("scope")
    if not isinstance(digest, str) or not re.fullmatch(r"p1-[0-9a-f]{32}", digest):
        raise refuse("has no digest")
    scope = scope if isinstance(scope, dict) else {}
    revision = document.get("revision")
    base = revision.get("base") if isinstance(revision, dict) else None
    if base is not None and not (isinstance(base, str) and re.fullmatch(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", base)):
        raise refuse("names a base that is no commit")
    return PlanFile(
        digest,
        _texts(scope.get("targets")),
        _texts(scope.get("only")),
        [line for change in document.get("changes") or () if (line := _line(change))],
        base,
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _line(change: Any) -> str | None:
    """The same line that ``report.text`` makes of a change that would be sent."""
    try:
        action = Action(change["action"])
        if action not in WRITES and not (action is Action.RELEASE and change.get("calls")):
            return None
        words = change["key"]
        key = Key(str(words["target"]), str(words["kind"]), tuple(words["scope"].items()), str(words["name"]))
        fields = tuple(map(_field, change.get("fields", ())))
        return change_line(Change(key, action, Cause(change.get("cause", "git")), fields=fields))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _field(field: Any) -> FieldChange:
    return FieldChange(
        str(field["path"]),
        str(field["pointer"]),
        FieldOp(field["op"]),
        Cause(field["cause"]),
        field.get("before"),
        field.get("after"),
        sensitive=bool(field.get("sensitive")),
        apart=bool(field.get("apart")),
    )

"""Reads the file that ``diff -o json=FILE`` wrote, for ``apply --plan FILE``; it may have been changed since."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import UsageError
from agent.model.change import PLAN_FORMAT, WRITES, Action
from agent.report.change_text import MARKS, WORDS
from agent.report.escape import clean

SIZE_MAX = 256 << 20


@dataclass(frozen=True, slots=True)
class PlanFile:
    """What is remembered: the approved digest, what was chosen, and one line for each change that would be sent."""

    digest: str
    targets: tuple[str, ...]
    only: tuple[str, ...]
    lines: list[str]


def read_plan_file(path: Path) -> PlanFile:
    """The plan file; UsageError when it is none of this version."""

    def refuse(fault: str) -> UsageError:
        return UsageError(f"the plan file {path} {fault}", code="plan-unreadable", fix=f"datakeel diff -o json={path}")

    try:
        if path.stat().st_size > SIZE_MAX:
            raise refuse(f"is larger than {SIZE_MAX} bytes")
        document = json.loads(path.read_bytes())
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
    return PlanFile(
        digest,
        _texts(scope.get("targets")),
        _texts(scope.get("only")),
        [line for change in document.get("changes") or () if (line := _line(change))],
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _line(change: Any) -> str | None:
    """The same line that ``report.text.change_lines`` makes of a change."""
    try:
        action = Action(change["action"])
        key = change["key"]
        path = "/".join([key["kind"], *key["scope"].values(), key["name"]])
        cause = change.get("cause", "git")
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if action not in WRITES and not (action is Action.RELEASE and change.get("calls")):
        return None
    return f"{MARKS[action]} {WORDS[action]}  {clean(path)}" + (f"   {cause}" if cause != "git" else "")

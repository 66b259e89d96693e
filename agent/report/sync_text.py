"""Answers of a running agent as text, one line a target. Called by ``sync``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.report.escape import clean
from agent.report.values import Paint, counted, duration, plain

_COUNTS = (("applied", "applied"), ("held", "held"), ("failed", "failed"), ("unknown", "not settled"))


def answer_line(target: str, answer: Mapping[str, Any], seconds: float, paint: Paint = plain) -> str:
    """``analytics  4f2c1ab applied after 41 s: 8 applied, 2 held``."""
    failed = bool(answer["error"] or answer["failed"] or answer["unknown"] or answer["invalid"])
    word = paint("error", "failed") if failed else paint("ok", "applied")
    parts = [f"{answer[name]} {told}" for name, told in _COUNTS if answer[name] or name == "applied"]
    if answer["invalid"]:
        parts.append(f"{counted(answer['invalid'], 'mistake')} in manifests")
    if answer["error"]:
        parts.append(clean(str(answer["error"]), 300))
    short = clean(str(answer["short"] or "-"), 40)
    more = f" · datakeel history {clean(str(answer['pass_id']), 60)} tells more" if failed else ""
    return f"{clean(target, 80)}  {short} {word} after {duration(seconds)}: {', '.join(parts)}{more}\n"


def silent_line(target: str, revision: str | None, seconds: float, paint: Paint = plain) -> str:
    """What is said of a target whose answer did not come in time."""
    what = f"{revision[:7]} neither applied nor failed" if revision is not None else "no pass has ended"
    return f"{clean(target, 80)}  {paint('error', 'no answer')}: {what} within {duration(seconds)}\n"

"""An examination as text: a line a finding, with what a person does about it. Used by ``doctor``."""

from __future__ import annotations

from collections.abc import Sequence

from agent.model.examined import Finding
from agent.report.escape import clean
from agent.report.values import Paint, counted, plain

_MARKS = {"ok": ("✓", "create"), "warn": ("!", "warning"), "bad": ("✕", "error")}
_WIDE = 120


def examined_text(findings: Sequence[Finding], calls: int, paint: Paint = plain) -> str:
    """``✓ git   git version 2.39.5; main@4f2c1ab`` and so on; at the end how it is and what it cost."""
    wide = max((len(finding.check) for finding in findings), default=0)
    named = len({finding.subject for finding in findings if finding.subject}) > 1
    lines = [line for finding in findings for line in _lines(finding, wide, named, paint)]
    bad, warned = (sum(finding.state == state for finding in findings) for state in ("bad", "warn"))
    what = [counted(bad, "fault")] * bool(bad) + [f"{warned} to look at"] * bool(warned)
    lines.append(f"\n{', '.join(what) or 'all is well'} · {counted(calls, 'read')} sent")
    return "".join(f"{line}\n" for line in lines)


def _lines(finding: Finding, wide: int, named: bool, paint: Paint) -> list[str]:
    mark, style = _MARKS[finding.state]
    subject = f"{clean(finding.subject, 80)}: " if named and finding.subject else ""
    line = f"{paint(style, mark)} {finding.check:<{wide}}  {subject}{clean(finding.said, 400)}"
    if finding.fix is None:
        return [line]
    fix = f"fix: {clean(finding.fix, 300)}"
    return [f"{line}   {fix}"] if len(line) + len(fix) + 3 <= _WIDE else [line, f"  {'':<{wide}}  {fix}"]

"""``-o github``: annotations, as workflow commands that GitHub's runner reads from a step's output.

Of each level the runner shows the first ten of a step (docs.github.com, "Workflow commands", "Annotation limits"), so
the tenth of many says how many more there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.report.escape import command_data, command_property
from agent.report.findings import Finding, findings_of
from agent.report.formats import Settings

SHOWN_MAX = 10
_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}


def render(document: Mapping[str, Any], settings: Settings) -> str:
    """One command a line, worst first; nothing when there is nothing to tell."""
    findings = findings_of(document)
    lines = []
    for level, command in _LEVELS.items():
        told = [finding for finding in findings if finding.level == level]
        shown = told if len(told) <= SHOWN_MAX else told[: SHOWN_MAX - 1]
        lines += [_command(command, finding) for finding in shown]
        if len(shown) < len(told):
            rest = f"and {len(told) - len(shown)} more; the text or JSON output lists all {len(told)}"
            lines.append(f"::{command} title=datakeel::{command_data(rest)}")
    return "".join(f"{line}\n" for line in lines)


def _command(command: str, finding: Finding) -> str:
    place = {"file": finding.path, "line": finding.line, "col": finding.column} if finding.path else {}
    properties = {name: value for name, value in {"title": finding.code, **place}.items() if value is not None}
    words = ",".join(f"{name}={command_property(str(value))}" for name, value in properties.items())
    return f"::{command} {words}::{command_data(finding.text)}"

"""``-o gitlab``: a code quality report for ``artifacts: reports: codequality`` of a merge request.

The form is that of docs.gitlab.com, "Code quality report format": an array of issues; issues of one fingerprint are
one issue, which is how GitLab tells new ones from old ones. So the fingerprint does not depend on the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.report.documents import dump_list
from agent.report.findings import Finding, findings_of, fingerprints
from agent.report.formats import Settings

# A widget lists what has a place; what concerns no manifest stands at the configuration.
NO_PLACE = "datakeel.yaml"
_SEVERITIES = {"error": "critical", "warning": "minor", "note": "info"}
_DANGEROUS = frozenset({"change.delete", "change.replace"})


def render(document: Mapping[str, Any], settings: Settings) -> str:
    """The array, one issue a line."""
    findings = findings_of(document)
    marks = fingerprints(findings)
    return dump_list([_issue(finding, mark) for finding, mark in zip(findings, marks, strict=True)])


def _issue(finding: Finding, fingerprint: str) -> dict[str, Any]:
    severity = "major" if finding.code in _DANGEROUS else _SEVERITIES[finding.level]
    return {
        "description": " · ".join(filter(None, (finding.message, *finding.details))) or finding.code,
        "check_name": finding.code,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": finding.path or NO_PLACE, "lines": {"begin": finding.line or 1}},
    }

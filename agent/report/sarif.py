"""``-o sarif``: SARIF 2.1.0 (OASIS), as code scanners' viewers and forges read it.

Findings without a manifest stand at the configuration, since a forge refuses a result without a place. Columns count
characters, and paths are relative to the repository, as URIs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent import __version__
from agent.report.documents import dump_document
from agent.report.escape import clean
from agent.report.findings import Finding, findings_of, fingerprints
from agent.report.formats import Settings
from agent.report.gitlab import NO_PLACE

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_CHANGES = {
    "change.delete": "a live object will be deleted",
    "change.replace": "a live object will be deleted and created again",
    "change.held": "a change is held back",
    "change.not_done": "a change failed",
    "change.unknown": "nobody knows yet whether a change landed",
    "policy.deny": "a rule of the policy refuses a change",
    "policy.warn": "a rule of the policy warns of a change",
    "change.skipped": "a change waited for another one",
}


def render(document: Mapping[str, Any], settings: Settings) -> str:
    """One log with one run."""
    findings = findings_of(document)
    rules = sorted({finding.code for finding in findings})
    marks = fingerprints(findings)
    run = {
        "tool": {
            "driver": {"name": "datakeel", "semanticVersion": __version__, "rules": [_rule(id_) for id_ in rules]}
        },
        "automationDetails": {"id": f"datakeel/{clean(settings.key)}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(document)],
        "results": [_result(finding, mark, rules) for finding, mark in zip(findings, marks, strict=True)],
    }
    return dump_document({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _uri(path: str) -> str:
    """A relative path as RFC 3986 writes it."""
    return "".join(
        chr(byte) if (chr(byte).isalnum() and byte < 0x80) or byte in b"/-._~" else f"%{byte:02X}"
        for byte in path.encode("utf-8", "replace")
    )


def _rule(code: str) -> dict[str, Any]:
    if code in _CHANGES:
        return {"id": code, "shortDescription": {"text": _CHANGES[code]}}
    return {
        "id": code,
        "shortDescription": {"text": code.replace("-", " ")},
        "help": {"text": f"datakeel explain {code}"},
    }


def _invocation(document: Mapping[str, Any]) -> dict[str, Any]:
    failed = "error" in document or document.get("errors") or any("error" in one for one in document.get("passes", ()))
    told: dict[str, Any] = {"executionSuccessful": not failed and document.get("complete", True)}
    return told | ({"exitCode": document["exit_status"]} if "exit_status" in document else {})


def _result(finding: Finding, mark: str, rules: Sequence[str]) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.path or NO_PLACE), "uriBaseId": "%SRCROOT%"}}
    if finding.line:
        region = {"startLine": finding.line} | ({"startColumn": finding.column} if finding.column else {})
        physical["region"] = region
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.resource:
        location["logicalLocations"] = [{"fullyQualifiedName": clean(finding.resource), "kind": "resource"}]
    return {
        "ruleId": finding.code,
        "ruleIndex": rules.index(finding.code),
        "level": finding.level,
        "message": {"text": finding.text.replace("](", "] (")},  # no links of others' making
        "locations": [location],
        "partialFingerprints": {"datakeel/v1": mark},
    }

"""What a document means for the commit: one status a target, failure before everything else. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.notify.forge import State, Status
from agent.report.escape import clean
from agent.report.values import counted

DESCRIPTION_MAX = 140  # characters, GitHub's limit; GitLab takes 255
_EXIT_WELL = (0, 2)
_COUNTS = ("delete", "replace", "held", "update", "adopt", "create", "release", "drift_reported")


def statuses_of(document: Mapping[str, Any], key: str, targets: Sequence[str] = ()) -> list[Status]:
    """The statuses that this document gives the commit, failures first.

    ``targets`` are whose statuses a failure without a plan becomes, since the document names none then. A ``key``
    other than the usual one stands in the names, so that two jobs of one commit do not speak for each other.
    """
    prefix = _prefix(key)
    if "error" in document:
        failed = f"failed: {document['error']['message']}"
        return [_status(name, "failure", failed) for name in _names(prefix, targets)]
    if "passes" in document:
        found = [_of_pass(one, prefix) for one in document["passes"]]
    elif "changes" in document:
        found = [_of_target(target, document, prefix) for target in document["targets"]]
        found += [_failed(error, prefix) for error in document["errors"]]
    else:
        found = [_of_problems(document, prefix)]
    found = found or [_status(prefix, "success" if _went_well(document) else "failure", "no target")]
    return sorted(found, key=lambda status: (status.state != "failure", status.name))


def pending(key: str, targets: Sequence[str]) -> list[Status]:
    """What is told before there is anything to tell."""
    return [Status(name, "pending", "diff is under way") for name in _names(_prefix(key), targets)]


def _prefix(key: str) -> str:
    return "datakeel" if key == "default" else f"datakeel/{key}"


def _names(prefix: str, targets: Sequence[str]) -> list[str]:
    """Of one status a target; where no target is known, of one in all."""
    return [f"{prefix}/{name}" if name else prefix for name in targets or ("",)]


def _of_target(target: Mapping[str, Any], document: Mapping[str, Any], prefix: str) -> Status:
    name = f"{prefix}/{target['name']}"
    errors = sum(1 for problem in document["problems"] if problem["severity"] == "error")
    refusals = document.get("refusals") or ()
    if refusals:
        return _status(name, "failure", f"refused: {refusals[0]['message']}")
    counts = _counts(target.get("summary", document["summary"]))
    if errors:
        return _status(name, "failure", f"{counted(errors, 'error')} in manifests; {counts}")
    if not target.get("complete", document["complete"]):
        return _status(name, "failure", f"not everything could be read; {counts}")
    if not _went_well(document) and not document["errors"]:
        return _status(name, "failure", counts)
    return _status(name, "success", counts)


def _failed(error: Mapping[str, Any], prefix: str) -> Status:
    return _status(f"{prefix}/{error['target']}", "failure", f"no plan: {error['message']}")


def _of_pass(one: Mapping[str, Any], prefix: str) -> Status:
    summary = one["summary"]
    words = {"done": "applied", "not_done": "failed"}
    told = ", ".join(f"{number} {words.get(word, word)}" for word, number in summary.items() if number)
    name = f"{prefix}/{one['target']}"
    if "error" in one:
        return _status(name, "failure", f"failed: {one['error']['message']}")
    failed = any(summary.get(word) for word in ("not_done", "unknown", "skipped"))
    failed = failed or any(problem["severity"] == "error" for problem in one["problems"])
    return _status(name, "failure" if failed else "success", told or "nothing to do")


def _of_problems(document: Mapping[str, Any], prefix: str) -> Status:
    errors = document["summary"]["error"]
    told = f"{counted(errors, 'error')} in manifests" if errors else "manifests are valid"
    return _status(f"{prefix}/validate", "failure" if errors else "success", told)


def _counts(summary: Mapping[str, int]) -> str:
    told = ", ".join(
        f"{number} {word.replace('_', ' ')}" if word in ("held", "drift_reported") else counted(number, word)
        for word in _COUNTS
        if (number := summary.get(word, 0))
    )
    return told or "nothing to change"


def _went_well(document: Mapping[str, Any]) -> bool:
    return document.get("exit_status", 0) in _EXIT_WELL


def _status(name: str, state: State, description: str) -> Status:
    return Status(clean(name, 200), state, clean(description, DESCRIPTION_MAX))

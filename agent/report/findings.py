"""What a document tells about single places: problems, errors, failed changes, and changes that are dangerous.

Read from the four documents of ``datakeel`` (plan, report, problems, error) by the writers for annotations, code
quality and SARIF, so that these agree on what is worth a line, on how bad it is and in which order it comes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from agent.model.judging import DENIED
from agent.report.escape import clean

Level = Literal["error", "warning", "note"]

_LEVELS: dict[str, Level] = {"error": "error", "warning": "warning", "info": "note"}
_RANK = {"error": 0, "warning": 1, "note": 2}
_DANGEROUS = {"delete": "delete", "replace": "replace", "hold": "held"}
_POLICY: dict[str, Level] = {"deny": "error", "warn": "warning"}
_FAILED: dict[str, Level] = {"not_done": "error", "unknown": "error", "skipped": "warning", "held": "warning"}
_TEXT_MAX = 500
_LINES_MAX = 20
_MERGED = "not of this change: what is merged has it too"
_NO_FILE = "environment variable "  # a place of problems that is no path


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of an annotation. ``code`` is an error code or ``change.delete``, ``change.replace``, ``change.held``,
    ``policy.deny``, ``policy.warn``.

    All texts are cleaned. ``identity`` is what stays the same when lines move: the fingerprint is made of it.
    """

    level: Level
    code: str
    message: str
    details: tuple[str, ...]
    identity: tuple[str, ...]
    resource: str | None = None  # analytics/Workflow/analytics/daily-etl, or Workflow/daily-etl of a problem
    path: str | None = None
    line: int | None = None
    column: int | None = None
    merged: bool = False  # not the proposal's: what is merged has it too

    @property
    def text(self) -> str:
        """The message and, below it, what is known about it."""
        return "\n".join((self.message, *self.details))


def findings_of(document: Mapping[str, Any]) -> list[Finding]:
    """Worst first, then what a proposal brings before what it found; equal ones in the document's own order."""
    found = [*_of_errors(document), *_of_passes(document.get("passes", ()))]
    found += [_of_unmerged(one) for one in document.get("unmerged", ())]
    found += [_of_problem(problem) for problem in document.get("problems", ())]
    found += _of_policy(document)
    found += [one for change in document.get("changes", ()) if (one := _of_change(change)) is not None]
    return sorted(dict.fromkeys(found), key=lambda one: (_RANK[one.level], one.merged))


def fingerprints(findings: Sequence[Finding]) -> list[str]:
    """32 hex digits for each finding: of its identity, and of its number among those that have the same one."""
    seen: Counter[tuple[str, ...]] = Counter()
    marks = []
    for finding in findings:
        number = seen[finding.identity]
        seen[finding.identity] += 1
        text = "\x1f".join((*finding.identity, *([str(number)] if number else [])))
        marks.append(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return marks


def resource_of(key: Mapping[str, Any]) -> str:
    """``Workflow/analytics/daily-etl``: unambiguous within a target."""
    return "/".join((key["kind"], *key["scope"].values(), key["name"]))


def commit_of(change: Mapping[str, Any]) -> str:
    """``9be01d2 by ann``: the commit that is behind a change."""
    because = change["because"]
    commit = str(because["commit"])[:7]
    return f"{commit} by {because['author']}" if because.get("author") else commit


def _of_errors(document: Mapping[str, Any]) -> Iterator[Finding]:
    errors = [*document.get("errors", ()), *([document["error"]] if "error" in document else [])]
    for error in errors:
        yield from map(_of_problem, error.get("problems", ()))
        target = error.get("target")
        yield Finding(
            "error",
            error["code"],
            clean(f"{target}: {error['message']}" if target else error["message"], _TEXT_MAX),
            _details(error),
            (error["code"], target or "", error["message"]),
            None,
            error.get("path"),
            error.get("line"),
            error.get("column"),
        )
    for refusal in document.get("refusals", ()):
        yield Finding(
            "error",
            refusal["code"],
            clean(refusal["message"], _TEXT_MAX),
            _details(refusal),
            (refusal["code"], refusal["message"]),
        )


def _of_unmerged(one: Mapping[str, Any]) -> Finding:
    """What a proposal changes of the agent itself."""
    return Finding(
        "warning",
        one["code"],
        clean(one["what"], _TEXT_MAX),
        (
            "nothing of this is used before it is merged",
            *(clean(line, _TEXT_MAX) for line in one["lines"][:_LINES_MAX]),
        ),
        (one["code"], one["path"], one["what"]),
        None,
        one["path"],
        one.get("line"),
    )


def _of_problem(problem: Mapping[str, Any]) -> Finding:
    subject = problem.get("subject")
    also = [f"also: {clean(place['path'])}:{place.get('line', 1)}" for place in problem.get("also", ())]
    also += [_MERGED] if problem.get("merged") else []
    return Finding(
        _LEVELS[problem["severity"]],
        problem["code"],
        clean(f"{subject}: {problem['what']}" if subject else problem["what"], _TEXT_MAX),
        (*_details(problem), *also),
        (problem["code"], problem["path"], subject or "", problem["what"]),
        subject,
        None if problem["path"].startswith(_NO_FILE) else problem["path"],
        problem.get("line"),
        problem.get("column"),
        problem.get("merged", False),
    )


def _of_change(change: Mapping[str, Any]) -> Finding | None:
    """A delete, a replace or a hold that nobody configured; what a rule denies is told by the rule."""
    word = _DANGEROUS.get(change["action"])
    if word is None or change.get("configured") or change.get("reason") == DENIED:
        return None
    resource = resource_of(change["key"])
    told = {"held": "is held", "delete": "will be deleted", "replace": "will be deleted and created again"}[word]
    would = f" (would {change['would']})" if word == "held" and change.get("would") else ""
    details = [f"removed in {commit_of(change)}"] if "because" in change and word != "replace" else []
    details += [change[name] for name in ("message", "proof") if change.get(name)]
    details += [f"hits {', '.join(change['hits'])}"] if change.get("hits") else []
    return _at_its_origin(change, "warning", f"change.{word}", f"{resource} {told}{would}", details)


def _of_policy(document: Mapping[str, Any]) -> Iterator[Finding]:
    """What rules deny or warn of, at the manifest; what they only put off is nobody's mistake."""
    changes = {_identity(change["key"]): change for change in document.get("changes", ())}
    for one in document.get("policy", ()):
        level = _POLICY.get(one["effect"])
        if level is not None:
            change = changes.get(_identity(one["key"]), {"key": one["key"]})
            code = f"policy.{one['effect']}"
            message = f"{resource_of(one['key'])}: {one['message']} (rule {one['rule']})"
            details = [f"could not be evaluated: {one['failure']}"] if one.get("failure") else []
            details += [f"fix: {one['fix']}"] if one.get("fix") else []
            yield replace(
                _at_its_origin(change, level, code, message, details),
                identity=(code, one["rule"], f"{one['key']['target']}/{resource_of(one['key'])}"),
            )


def _identity(key: Mapping[str, Any]) -> tuple[str, str]:
    return key["target"], resource_of(key)


def _of_passes(passes: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """What an apply could not do."""
    for one in passes:
        yield from map(_of_problem, one.get("problems", ()))
        if "error" in one:
            error = one["error"]
            message = f"{one['target']}: {error['message']}"
            yield Finding("error", error["code"], clean(message, _TEXT_MAX), (), (error["code"], message))
        for change in one.get("changes", ()):
            level = _FAILED.get(change["outcome"])
            if level is None or (change["outcome"] == "held" and change.get("configured")):
                continue
            did = change.get("would") or change["action"]
            word = {"not_done": "failed", "unknown": "has an unknown outcome"}.get(change["outcome"], change["outcome"])
            answer = " ".join(str(change[name]) for name in ("status", "answer") if change.get(name))
            message = f"{did} of {resource_of(change['key'])} {word}"
            yield _at_its_origin(change, level, f"change.{change['outcome']}", message, [answer] if answer else [])


def _at_its_origin(change: Mapping[str, Any], level: Level, code: str, message: str, details: Iterable[str]) -> Finding:
    origin = change.get("origin") or {}
    key = change["key"]
    resource = f"{key['target']}/{resource_of(key)}"
    return Finding(
        level,
        code,
        clean(message, _TEXT_MAX),
        tuple(clean(detail, _TEXT_MAX) for detail in details),
        (code, resource),
        resource,
        origin.get("path"),
        origin.get("line"),
        origin.get("column"),
    )


def _details(members: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{word}: {clean(members[word], _TEXT_MAX)}" for word in ("got", "why", "fix") if members.get(word))

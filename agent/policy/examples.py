"""Tests of a policy, and plan files: plans that somebody wrote down, held before the judge that real plans meet.

Called by ``datakeel policy``. Pure: files are read and checked by the caller, a test file has the form of
``schemas/policy-test.schema.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agent.model.actor import NOBODY, Actor, Person
from agent.model.change import WRITES, Action
from agent.model.identity import Key, Revision
from agent.model.judging import DELAYED, DENIED, Occasion
from agent.model.verdict import Verdict
from agent.policy.judge import RuleJudge, Spec, Subject, nothing
from agent.policy.rule import Rule

_NOON = "2026-01-07 12:00"  # a Wednesday at work: what no test speaks of should not fire by chance
_LACKS = "; a plan file holds only what differs, and datakeel diff judges the whole"
_SENT = {action.value for action in WRITES}


class WrongExample(ValueError):
    """A test that cannot be held, at a pointer below it: the value there, or its ``key``."""

    def __init__(self, pointer: str, what: str, fix: str, at: str = "value") -> None:
        super().__init__(what)
        self.pointer, self.fix, self.at = pointer, fix, at


@dataclass(frozen=True, slots=True)
class Example:
    """``expected`` are rules, each with the resources that it must speak of."""

    name: str
    subjects: tuple[Subject, ...]
    occasion: Occasion
    actor: Actor = NOBODY
    expected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """What came of it: ``missing`` was expected and not said, ``unexpected`` said and not expected."""

    example: Example
    verdicts: tuple[Verdict, ...]
    missing: tuple[tuple[str, str], ...]
    unexpected: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        return not self.missing and not self.unexpected


def held(example: Example, rules: Sequence[Rule]) -> Held:
    """The example before the rules. One that cannot be evaluated is never what a test expects."""
    verdicts = RuleJudge(rules, lambda: example.actor).judged(example.subjects, example.occasion)
    wanted = {(rule, name) for rule, names in example.expected.items() for name in names}
    said = {(verdict.rule, str(verdict.key)) for verdict in verdicts if not verdict.failure}
    unexpected = tuple(one for one in verdicts if one.failure or (one.rule, str(one.key)) not in wanted)
    return Held(example, verdicts, tuple(sorted(wanted - said)), unexpected)


def example_of(
    written: Mapping[str, Any], target: str, rules: Sequence[Rule], plan: Callable[[str], Mapping[str, Any]]
) -> Example:
    """One of ``tests``; ``plan`` reads the document of a plan file. Raises WrongExample."""
    known = {rule.name for rule in rules}
    for name in written["expect"]:
        if name not in known:
            fix = f"rules are {', '.join(sorted(known))}"
            raise WrongExample(f"/expect/{name}", f"there is no rule {name}", fix, "key")
    zones = {rule.zone for rule in rules}
    at = _moment(written.get("now", _NOON), zones.pop() if len(zones) == 1 else "UTC")
    expected = {rule: tuple(names) for rule, names in written["expect"].items()}
    actor = _actor(written.get("actor", {}))
    if "plan" in written:
        subjects, occasion = subjects_of(plan(written["plan"]), target, at)
        return Example(written["name"], subjects, occasion, actor, expected)
    changes = [_change(one, target) for one in written["changes"]]
    subjects = tuple(sorted((_subject(*one) for one in changes), key=lambda subject: subject.key))
    revision = Revision("0" * 40, written.get("branch", "main"))
    occasion = Occasion(target, "", revision, written.get("owned", {}), written.get("manifests", 0), at)
    return Example(written["name"], subjects, occasion, actor, expected)


def subjects_of(document: Mapping[str, Any], target: str, at: float) -> tuple[tuple[Subject, ...], Occasion]:
    """What a plan's JSON document would send of a target, or a policy alone keeps back.

    What is ours is not in a plan file, nor is the whole of either side: a rule that reads it cannot be evaluated.
    """
    changes = [one for one in document["changes"] if one["key"]["target"] == target and _is_judged(one)]
    subjects = sorted((Subject(_key(one["key"]), one, lacks=_LACKS) for one in changes), key=lambda one: one.key)
    platform = next((one["platform"] for one in document["targets"] if one["name"] == target), "")
    written = document.get("revision") or {}
    revision = Revision(written.get("commit", ""), written.get("ref"))
    return tuple(subjects), Occasion(target, platform, revision, None, None, at)


def unfired(rules: Sequence[Rule], tests: Sequence[Held]) -> Iterator[Rule]:
    """Rules that no test makes say anything, as opposed to fail."""
    fired = {verdict.rule for one in tests for verdict in one.verdicts if not verdict.failure}
    yield from (rule for rule in rules if rule.name not in fired)


def _is_judged(change: Mapping[str, Any]) -> bool:
    if change["action"] == Action.HOLD.value:
        return change.get("reason") in (DENIED, DELAYED)
    return change["action"] in _SENT or (change["action"] == Action.RELEASE.value and bool(change.get("calls")))


def _key(written: Mapping[str, Any]) -> Key:
    return Key(written["target"], written["kind"], tuple(written["scope"].items()), written["name"])


def _subject(key: Key, document: Mapping[str, Any]) -> Subject:
    return Subject(key, document, _side(document.get("desired")), _side(document.get("live")))


def _side(spec: Mapping[str, Any] | None) -> Spec:
    return nothing if spec is None else lambda: spec


def _change(written: Any, target: str) -> tuple[Key, Mapping[str, Any]]:
    """A change in short form as the document that a plan has."""
    if isinstance(written, str):
        action, _, resource = written.partition(" ")
        written = {"action": action, "resource": resource.strip()}
    kind, _, name = written["resource"].partition("/")
    if written["action"] not in {*_SENT, Action.RELEASE.value} or not kind or not name:
        told = f"{written['action']} {written['resource']}"
        raise WrongExample("/changes", f"{told[:80]!r} is no change", "write one such as `delete Workflow/old-load`")
    key = Key(target, kind, tuple(written.get("scope", {}).items()), name)
    document = {
        "key": {"target": target, "kind": kind, "scope": dict(key.scope), "name": name},
        "action": written["action"],
        "cause": written.get("cause", "git"),
        "origin": {"path": written.get("path", "")},
        "fields": [_field(path, *sides) for path, sides in written.get("fields", {}).items()],
    }
    return key, document | {side: written[side] for side in ("desired", "live") if side in written}


def _field(path: str, before: Any, after: Any) -> dict[str, Any]:
    pointer = "/" + path.replace(".", "/")
    return {"path": path, "pointer": pointer, "op": "change", "before": before, "after": after, "sensitive": False}


def _actor(written: Any) -> Actor:
    if isinstance(written, str):
        written = {"author": written}
    author = _person(written.get("author", ""))
    committer = _person(written["committer"]) if "committer" in written else author
    return Actor(author, committer, written.get("signer", ""))


def _person(written: Any) -> Person:
    return Person(email=written) if isinstance(written, str) else Person(**written)


def _moment(written: str, zone: str) -> float:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        fix = "write it as 2026-03-06 18:30, or with an offset: 2026-03-06T18:30+01:00"
        raise WrongExample("/now", f"{written[:60]!r} is no moment", fix) from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(zone))).timestamp()

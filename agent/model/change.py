"""The plan as a value: actions, causes, field changes, changes, costs, digest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from agent.model.canonical import digest
from agent.model.identity import Key, Origin, Revision
from agent.model.resource import Stray
from agent.model.verdict import Effect, Verdict

PLAN_FORMAT = "datakeel.plan/1"


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    RELEASE = "release"
    HOLD = "hold"
    NONE = "none"  # in a plan only for drift that is reported and not healed


class Cause(StrEnum):
    GIT = "git"
    DRIFT = "drift"
    DEFAULT = "default"
    SECRET = "secret"  # noqa: S105 - a word, not a value
    ADOPT = "adopt"
    MOVE = "move"


class FieldOp(StrEnum):
    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    RELEASE = "release"
    DEFAULT = "default"


WRITES = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE, Action.ADOPT})


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One leaf that differs. ``path`` is for people (``workflow.dag[name=load].spec.stack``), ``pointer`` for programs.

    A sensitive leaf has neither ``before`` nor ``after``; ``reference`` names the secret if the manifest does.
    ``apart``: it differs, though not through the proposal that the plan is about; the digest leaves it out.
    """

    path: str
    pointer: str
    op: FieldOp
    cause: Cause
    before: Any = None
    after: Any = None
    sensitive: bool = False
    reference: str | None = None
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Requests:
    """What one change may send: writes, looks before them (also at what its body refers to), uploads, confirmations.

    Each write is confirmed by two looks at the most, at once and after settling; one through a list is several calls.
    """

    writes: int = 1
    looks: int = 1
    uploads: int = 0
    confirms: int = 2

    @property
    def calls_max(self) -> int:
        return self.looks + self.writes + self.uploads + self.confirms


@dataclass(frozen=True, slots=True)
class Change:
    """One decision. ``would`` is what a hold keeps back; ``reason`` a PascalCase word, ``message`` a sentence.

    ``configured`` marks a hold that the user asked for (prune off, drift reported): it never changes the exit status.
    ``because`` is the commit that wrote, or removed, its manifest last, where somebody asked for it.
    ``calls`` is the most that this change may cost when applied. ``unmarks`` tells a release that takes our mark off,
    ``moved_from`` an update that gives the object of that key this name.
    """

    key: Key
    action: Action
    cause: Cause = Cause.GIT
    origin: Origin | None = None
    fields: tuple[FieldChange, ...] = ()
    depends_on: tuple[Key, ...] = ()
    order: int = 0
    server_id: str | None = None
    uid: str = ""
    calls: int = 0
    would: Action | None = None
    reason: str = ""
    message: str = ""
    configured: bool = False
    hits: tuple[Key, ...] = ()
    proof: str = ""
    requests: Requests = Requests()
    unmarks: bool = False
    moved_from: Key | None = None
    because: Revision | None = None

    @property
    def sends(self) -> bool:
        return self.action in WRITES or self.unmarks

    def held(self, reason: str, message: str, *, configured: bool = False) -> Change:
        """The same change, kept back: it is shown with what it would do, and costs no call."""
        return replace(
            self,
            action=Action.HOLD,
            would=self.action,
            reason=reason,
            message=message,
            configured=configured,
            calls=0,
            requests=Requests(0, 0),
            unmarks=False,
        )


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A difference that makes no change, and why: ``ignored``, ``not kept by server``, ``create only``."""

    key: Key
    path: str
    why: str
    rule: str


@dataclass(frozen=True, slots=True)
class Calls:
    """What a plan costs. ``read`` was spent to make it, ``reads`` says on what; the others are the most that applying
    it may send. ``actions`` of the writes are actions that manifests ask for.
    """

    read: int = 0
    write: int = 0
    look: int = 0
    confirm: int = 0
    ready: int = 0
    actions: int = 0
    reads: tuple[tuple[str, int], ...] = ()

    @property
    def apply_max(self) -> int:
        return self.write + self.look + self.confirm + self.ready


@dataclass(frozen=True, slots=True)
class WindowLeft:
    """One rate window of a credential: ``usable`` is the limit less the reserve that people keep."""

    credential: str
    window_seconds: float
    limit: int
    usable: int
    left: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All decisions of a pass for one target, in the order in which they are applied."""

    target: str
    platform: str
    definition: str
    revision: Revision
    changes: tuple[Change, ...]
    unchanged: int = 0
    remembered: int = 0  # of the unchanged: content as it was last read, since nothing told that it is another
    calls: Calls = Calls()
    seconds_needed: float = 0.0
    budget: tuple[WindowLeft, ...] = ()
    strays: tuple[Stray, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    complete: bool = True
    notes: tuple[str, ...] = ()  # sentences worth a line: refused prunes, mass absence
    later: int = 0  # resources that had to be looked at and were not, since something more urgent was there
    agreed: tuple[Key, ...] = ()  # content was read and equals git; the store may remember it
    base: Revision | None = None  # where the proposal begins, in a plan that is about one
    apart: tuple[Change, ...] = ()  # what differs, though not through the proposal; never sent on its account
    ground: str = ""  # what the plan was made from, where that is not the platform: a sentence
    ground_at: float | None = None  # the moment that it speaks of
    verdicts: tuple[Verdict, ...] | None = None  # what rules of a policy say of changes; None: there are no rules

    @property
    def writes(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.sends)

    @property
    def held(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action is Action.HOLD)

    @property
    def denied(self) -> tuple[Verdict, ...]:
        """What a rule of the policy refuses."""
        return tuple(verdict for verdict in self.verdicts or () if verdict.effect is Effect.DENY)

    @property
    def drift_reported(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action is Action.NONE)

    def count(self, action: Action) -> int:
        return sum(1 for change in self.changes if change.action is action)

    @property
    def digest(self) -> str:
        """``p1-`` and 32 hex digits over what would be *sent*; see :func:`digest_of`."""
        return digest_of((self,))


def digest_of(plans: tuple[Plan, ...]) -> str:
    """Digest of one or several targets' plans (``design/interface.md`` 3).

    It covers format, definitions and each change that would be sent with its key, action, cause and fields. Secrets
    enter as their reference only; times, revision, origins, calls, holds and wording stay out, so that a squash merge
    keeps the digest. Of a proposal only what it changes itself enters. Where rules of a policy judged, it covers which
    of them said what of which change, so that what was approved under other verdicts is not what is applied.
    """
    changes = [
        [
            list(change.key[:2]),
            [list(pair) for pair in change.key.scope],
            change.key.name,
            change.action,
            change.cause,
            [
                [f.pointer, f.op, f.reference or "changed"] if f.sensitive else [f.pointer, f.op, f.before, f.after]
                for f in change.fields
                if not f.apart
            ],
        ]
        for plan in plans
        for change in sorted(plan.writes, key=lambda change: change.key)
    ]
    covered = [PLAN_FORMAT, sorted([p.target, p.platform, p.definition] for p in plans), changes]
    policy = [[plan.target, _policy_result(plan.verdicts)] for plan in plans if plan.verdicts is not None]
    return "p1-" + digest([*covered, *([sorted(policy)] if policy else [])])


def _policy_result(verdicts: tuple[Verdict, ...]) -> list[list[str]]:
    return sorted([one.rule, one.effect, bool(one.failure) * "failed", *one.key[:2], one.key.path] for one in verdicts)

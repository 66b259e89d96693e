"""Open intents -> resolved, at every start and at the head of every pass.

A process may die at any moment, and an answer may be lost: then the journal holds a call whose end nobody saw. It is
looked at, never sent again (``design/fault-model.md`` 3.5). Recovery reads, notes when it first saw an intent, and
closes intents, so that dying in the middle of it changes nothing.

How long a call may still land counts from when it left, and a process that was frozen between its intent and its send
(T2) sends what is an hour old. Its sender tells when it is done waiting; where it died instead, it may have sent until
it did, and that was before the next one could look: what that one sees first is written down as the moment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from agent.apply import actions
from agent.apply.request import LET_GO, RETIRE, UPLOAD
from agent.definitions.marks import owner_of
from agent.definitions.platform import Kind
from agent.live.api import ReadApi, Reply
from agent.live.look import Looked, find_row, look_at, scope_of_list
from agent.live.purpose import Purpose
from agent.live.rows import id_of
from agent.model.identity import Key
from agent.model.inventory import Decision, Intent, InventoryRow
from agent.plan.compare import compare
from agent.plan.elsewhere import named
from agent.plan.ground import BESIDES, PREDECESSOR
from agent.plan.normalize import fingerprinted, live_spec
from agent.plan.rules import RuleBook, RuleBooks
from agent.plan.runs import content_of


class OpenIntent(Protocol):
    """A journalled call without an outcome; ``row`` and ``applied`` are what is true if it landed.

    ``sent_by`` is the moment of the wall clock after which it left no more; None where nobody has told yet.
    """

    @property
    def intent(self) -> Intent: ...
    @property
    def row(self) -> InventoryRow | None: ...
    @property
    def applied(self) -> Mapping[str, Any] | None: ...
    @property
    def sent_by(self) -> float | None: ...


class Journal(Protocol):
    """The part of the store that recovery needs."""

    def open_intents(self, target: str) -> tuple[OpenIntent, ...]: ...
    def rows(self, target: str) -> Mapping[Key, InventoryRow]: ...
    def applied(self, keys: Iterable[Key]) -> Mapping[Key, Mapping[str, Any]]: ...
    def decision(self, op_id: str) -> Decision | None: ...
    def sent(self, target: str, op_id: str) -> None: ...
    def close_intent(
        self,
        op_id: str,
        result: str,
        *,
        row: InventoryRow | None = None,
        applied: Mapping[str, Any] | None = None,
        forget: bool = False,
        note: str = "",
    ) -> bool: ...


@dataclass(frozen=True, slots=True)
class Resolution:
    """``landed``, ``not landed``, or still ``open``; ``gone``: proved absent after a delete.

    ``left`` is open too, and holds nothing: the plan decides about what is there. ``former`` is the key that an object
    had which has its new name, and not all else that was sent.
    """

    state: Literal["landed", "not landed", "open", "left"]
    note: str
    server_id: str | None = None
    gone: bool = False
    former: Key | None = None


@dataclass(frozen=True, slots=True)
class Recovery:
    """What recovery stands on. ``doubt_seconds`` is how long a call may still land after it was sent.

    ``wanted`` are the keys that git names; None where nobody has looked. ``age`` tells how many seconds ago a call was
    sent at the latest, by the moment ``now`` of the wall clock or better.
    """

    journal: Journal
    api: ReadApi
    books: RuleBooks
    fingerprint: Callable[[Any], str]
    doubt_seconds: float
    wanted: Collection[Key] | None = None
    age: Callable[[OpenIntent, float], float] = lambda opened, now: now - (opened.sent_by or now)


async def recover(recovery: Recovery, target: str, now: float) -> dict[Key, str]:
    """Resolve what can be told; the keys that cannot, with the reason, are held by the plan."""
    undecided: dict[Key, str] = {}
    for opened in recovery.journal.open_intents(target):
        if opened.intent.action == UPLOAD:
            note = "answer lost; the file is sent again where it is needed, and a copy that nobody uses may remain"
            recovery.journal.close_intent(opened.intent.op_id, "not_done", note=note)
            continue
        if opened.sent_by is None:
            recovery.journal.sent(target, opened.intent.op_id)
        resolution = await resolve(recovery, opened, now)
        if resolution.state == "open":
            undecided[opened.intent.key] = resolution.note
    return undecided


async def resolve(recovery: Recovery, opened: OpenIntent, now: float) -> Resolution:
    """Look once at the object of an open intent, and close the intent if that tells its end."""
    intent = opened.intent
    kind = recovery.api.platform.kinds.get(intent.key.kind)
    if kind is None or (kind.get is None and kind.list is None):
        decide = f"; {actions.decision(intent)}" if intent.action.startswith(actions.PREFIX) else ""
        what = f"the outcome of {actions.named(intent)} is unknown and {intent.key.kind} cannot be read{decide}"
        return Resolution("open", what)
    decided = recovery.journal.decision(intent.op_id) if intent.action == "create" else None
    if decided is not None:
        state: Literal["landed", "not landed"] = "landed" if decided.made else "not landed"
        return _closed(recovery, opened, Resolution(state, f"decided by {decided.who}", decided.server_id))
    content = _content(recovery, kind, opened) if intent.action == "create" else None
    before = tuple((opened.applied or {}).get(BESIDES, ())) if intent.action == "create" else ()
    looked = await look_at(
        recovery.api, kind, intent.key, intent.server_id, Purpose.LOOK, uid=intent.uid, content=content, besides=before
    )
    reply = looked.reply
    # It may land at the very end of that time, and reads show it only when they have settled after that.
    doubtful = recovery.age(opened, now) < recovery.doubt_seconds + kind.settle_seconds
    if intent.action.startswith(actions.PREFIX):
        doubtful = doubtful or looked.proof == "never-made"  # a person may act on what others made
        resolution = Resolution(*actions.judged(kind, intent, reply, doubtful, recovery.fingerprint))
    elif _is_undecidable(intent, kind, looked) and not doubtful:
        # Neither a name nor a whole list could disprove it, and a second one would be worse than none.
        what = "the answer to a create was lost, and nothing that the platform shows proves that it did not land"
        resolution = Resolution("open", f"{what}; {_decide(intent)}")
    else:
        resolution = _judge(recovery, opened, kind, reply, doubtful)
        unmade = resolution.state == "not landed" and intent.action == "create"
        if reply.answer == "notFound" and (unmade or resolution.gone):
            resolution = await _agreed(recovery, intent, kind, looked, resolution)
    return _closed(recovery, opened, resolution)


async def _agreed(recovery: Recovery, intent: Intent, kind: Kind, looked: Looked, absent: Resolution) -> Resolution:
    """One read that found nothing, and was wrong, would leave an object that nobody knows once its manifest is gone.
    The list has to agree with it; where there is none, the credential that sees nothing, and the same read again.
    """
    if looked.proof != "get":
        return absent
    lost = actions.lost_answer(intent)
    if kind.list is None or not kind.list.complete:
        if recovery.api.platform.probe is not None and (await recovery.api.prove_credential()).answer != "ok":
            return Resolution("open", f"{lost}, and a read finds nothing, as all do")
        again = await look_at(recovery.api, kind, intent.key, intent.server_id, Purpose.LOOK, uid=intent.uid)
        if again.reply.answer == "notFound":
            return absent
        reply = again.reply
        heard = "finds it" if reply.answer == "ok" else f"told nothing: {reply.message or reply.answer}"
        return Resolution("open", f"{lost}; a read finds nothing, and the next one {heard}")
    listing = await recovery.api.list(kind, scope_of_list(kind, intent.key), Purpose.LOOK)
    if find_row(kind, intent.key, listing.rows, intent.server_id, intent.uid) is not None:
        return Resolution("open", f"{lost}; a read does not find what the list shows")
    if not listing.complete:
        return Resolution("open", f"{lost}, and the list cannot tell: {listing.why}")
    return absent


def _closed(recovery: Recovery, opened: OpenIntent, resolution: Resolution) -> Resolution:
    """The same resolution, written down where it ends the intent."""
    intent = opened.intent
    if resolution.state == "landed":
        row, applied = opened.row, opened.applied
        if row is not None and resolution.server_id is not None:
            row = replace(row, server_id=resolution.server_id)
        if row is not None and resolution.former is not None:
            row, applied = replace(row, applied_digest=None, in_sync=False), _applied(recovery, resolution.former)
        recovery.journal.close_intent(
            intent.op_id,
            "done",
            row=None if resolution.gone else row,
            applied=None if resolution.gone else applied,
            forget=resolution.gone,
            note=resolution.note,
        )
    elif resolution.state == "not landed":
        recovery.journal.close_intent(intent.op_id, "not_done", note=resolution.note)
    return resolution


def _judge(recovery: Recovery, opened: OpenIntent, kind: Kind, reply: Reply, doubtful: bool) -> Resolution:
    intent = opened.intent
    if reply.answer not in ("ok", "notFound"):
        return Resolution("open", f"the outcome of {actions.named(intent)} is unknown: {reply.message or reply.answer}")
    waiting = Resolution("open", f"{actions.lost_answer(intent)}; it may still land")
    if reply.answer == "notFound":
        if intent.action == "delete":
            return Resolution("landed", "answer lost; proved gone", gone=True)
        if intent.action == RETIRE:
            return Resolution("landed", "answer lost; what was replaced is proved gone")
        if intent.action == LET_GO:
            return Resolution("landed", "answer lost; proved gone")
        return waiting if doubtful else Resolution("not landed", "answer lost; proved absent")
    if intent.action == RETIRE:
        return waiting if doubtful else Resolution("not landed", "what was replaced is still there")
    ours = owner_of(kind, reply.item, intent.uid) == intent.uid
    if intent.action == LET_GO:
        if not ours:
            return Resolution("landed", "answer lost; our mark is off")
        return waiting if doubtful else Resolution("not landed", "our mark is still there")
    if intent.action == "create":
        # Without our mark it is somebody else's; the plan's adopt rule decides about it.
        if ours:
            return Resolution("landed", "answer lost; found by its mark", id_of(kind, reply.item))
        if PREDECESSOR in (opened.applied or {}) and not _is_repeatable(kind):
            what = "the answer to a create was lost, and nothing tells whether the other object of its name is ours"
            return Resolution("open", f"{what}; {_decide(intent)}")
        return _unmarked(recovery, intent, kind)
    if intent.action == "delete":
        # Also where others have made what is there: a delete that is under way takes what has the name when it arrives.
        return waiting if doubtful else Resolution("not landed", "still there")
    # An update that changes whose an object is shows nothing but its mark.
    if (ours or kind.mark is None) and _agrees(recovery, recovery.books.of(intent.key), opened, reply):
        return Resolution("landed", "answer lost; live equals what was sent", id_of(kind, reply.item))
    former = _former(recovery, intent, kind)
    if former is not None and id_of(kind, reply.item) == former.server_id:
        owner = owner_of(kind, reply.item, intent.uid)
        if kind.mark is None or owner in (intent.uid, former.uid):
            return Resolution("landed", "answer lost; it has its new name", intent.server_id, former=former.key)
    return waiting if doubtful else Resolution("not landed", "live is not what was sent")


def _unmarked(recovery: Recovery, intent: Intent, kind: Kind) -> Resolution:
    """An object has the name of one whose create was lost, without our mark. Where there are marks it is somebody
    else's. Where there are none it may be ours: the adopt rule decides while git names it, and a person afterwards."""
    if kind.mark is not None or recovery.wanted is None or recovery.journal.applied([intent.key]):
        return Resolution("not landed", "another object has the name")
    if intent.key in recovery.wanted:
        return Resolution("left", "an object has its name; whether it is adopted decides whose it is")
    what = "the answer to a create was lost, its manifest has left git, and an object of its name may be ours"
    return Resolution("open", f"{what}; {_decide(intent)}")


def _former(recovery: Recovery, intent: Intent, kind: Kind) -> InventoryRow | None:
    """The row of the object that an update gave another name; None for an update of what had its name already.

    Nothing else than its id tells whose it is once the name has changed, and its former row is the one that has it.
    """
    if kind.rename is None or intent.server_id is None:
        return None
    rows = recovery.journal.rows(intent.key.target)
    had = (row for row in rows.values() if row.key.kind == intent.key.kind and row.server_id == intent.server_id)
    return None if intent.key in rows else next(had, None)


def _applied(recovery: Recovery, key: Key) -> Mapping[str, Any]:
    return recovery.journal.applied([key]).get(key, {})


def _agrees(recovery: Recovery, book: RuleBook, opened: OpenIntent, reply: Reply) -> bool:
    """Whether live is what was sent, also where it was to lose something, or to take what never comes back.

    What nothing shows counts as not landed: an update is simply made again.
    """
    sent, key = opened.applied or {}, opened.intent.key
    if sent.get("spec") is None:
        return False
    before = _applied(recovery, key)
    old, new = before.get("wires", {}), sent.get("wires", {})
    wires = {pointer: {**old.get(pointer, {}), **new.get(pointer, {})} for pointer in {*old, *new}}
    seen = fingerprinted(book, named(book, live_spec(book, reply.item), wires), recovery.fingerprint)
    return compare(book, sent["spec"], before.get("spec", sent["spec"]), seen).same


def _is_undecidable(intent: Intent, kind: Kind, looked: Looked) -> bool:
    """Whether nothing can tell if a create landed; one that the platform lets be repeated needs no telling."""
    unseen = looked.reply.answer == "notFound" and looked.proof == "never-made"
    return intent.action == "create" and unseen and not _is_repeatable(kind)


def _is_repeatable(kind: Kind) -> bool:
    return kind.create is not None and kind.create.idempotency is not None


def _decide(intent: Intent) -> str:
    return f"look for it there, then: datakeel decide {intent.key.path} --made ID, or --not-made"


def _content(recovery: Recovery, kind: Kind, opened: OpenIntent) -> str | None:
    """Which run a create meant to start."""
    spec = (opened.applied or {}).get("spec")
    return content_of(recovery.books.of(opened.intent.key), spec) if kind.is_run and spec is not None else None

"""Absence is proved, never inferred: lists believed, refusals read as absence, settle windows left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from agent.model.resource import Absent, Unknown
from tests.simulation.sabotage import stores, tales
from tests.simulation.sabotage.swap import Swap
from tests.simulation.sabotage.variant import Variant


def _list_believed(whole: bool) -> Callable[[Any], Any]:
    """What a list lacks is not there; ``whole``: if the list says that it is all there is."""

    def wrong(right: Any) -> Any:
        def told(subject: Any, shelves: Any) -> Any:
            seen = right(subject, shelves)
            listing = shelves.of(subject.key).listing
            if subject.key in shelves.shown or listing is None or listing.answer not in ("ok", "broken"):
                return seen
            return Absent("lists", shelves.now) if listing.complete or not whole else seen

        return told

    return wrong


def _as_absent(*answers: str) -> Callable[[Any], Any]:
    """Answers of a by-key read that are read as absence."""

    def wrong(right: Any) -> Any:
        def judged(looked: Any, kind: Any, uid: str, row: Any, memory: Any, key: Any, now: float) -> Any:
            if looked.reply.answer in answers:
                return Absent("get", now)
            return right(looked, kind, uid, row, memory, key, now)

        return judged

    return wrong


def _unsettled(code: str = "settling") -> Callable[[Any], Any]:
    """What is unknown because reads may lag behind our own write is taken for absent by whoever is asked."""

    def wrong(right: Any) -> Any:
        def decide(decider: Any, resource: Any, seen: Any) -> Any:
            if isinstance(seen, Unknown) and seen.code == code:
                seen = Absent("get", decider.ground.now)
            return right(decider, resource, seen)

        return decide

    return wrong


def _forgetting(right: Any) -> Any:
    def prune(row: Any, kind: Any, seen: Any, *arguments: Any, **words: Any) -> Any:
        if isinstance(seen, Unknown) and seen.code == "settling":
            seen = Absent("get", 0.0)
        return right(row, kind, seen, *arguments, **words)

    return prune


def _forgets_at_once(right: Any) -> Any:
    """After a delete nobody looks whether it is gone."""

    async def confirm(work: Any, change: Any, sent: Any) -> Any:
        work.step.forget(change.key, tombstone=True)
        return sent.outcome(change, message="confirmed gone")

    return confirm


def _lost_delete_forgets(right: Any) -> Any:
    """A delete whose answer was lost lets the row go."""

    async def send(step: Any, change: Any, verb: Any, *arguments: Any, **words: Any) -> Any:
        sent = await right(step, change, verb, *arguments, **words)
        if verb == "delete" and sent.result.value == "unknown":
            for opened in step._store.open_intents(change.key.target):
                if opened.intent.key == change.key:
                    step._store.close_intent(opened.intent.op_id, "unknown", forget=True)
        return sent

    return send


def _unwitnessed(right: Any) -> Any:
    async def believed(observations: Any, *rest: Any) -> Any:
        return observations

    return believed


def _never_due(right: Any) -> Any:
    return lambda rows, **words: frozenset()


def _digest_unread(right: Any) -> Any:
    """What was once in sync is so for ever, whatever git says now."""

    def subjects(desired: Any, memory: Any, referring: Any = (), **words: Any) -> Any:
        return [
            replace_unread(each) if each.row is not None and each.row.in_sync else each
            for each in right(desired, memory, referring, **words)
        ]

    def replace_unread(subject: Any) -> Any:
        return subject._replace(unread=False)

    return subjects


def _variant(name: str, guard: str, tale: Any, caught_by: str, *swaps: Swap, **words: Any) -> Variant:
    return Variant(name, "absence", guard, tale, caught_by, swaps=swaps, **words)


_TOLD, _JUDGED = "live.observe:_told", "live.observe:_judged"

VARIANTS = (
    _variant(
        "a whole list's absence is believed",
        "a by-key read decides",
        tales.LISTS,
        "I5",
        Swap(_TOLD, _list_believed(True)),
    ),
    _variant(
        "a short list's absence is believed",
        "a by-key read decides, and a short list is incomplete",
        tales.LISTS,
        "I5",
        Swap(_TOLD, _list_believed(False)),
    ),
    _variant("403 is absence", "a refusal is Unknown", tales.LISTS, "I5", Swap(_JUDGED, _as_absent("denied"))),
    _variant(
        "a proxy's page is absence",
        "what is not the platform's is Unknown",
        tales.LISTS,
        "I5",
        Swap(_JUDGED, _as_absent("broken")),
    ),
    _variant(
        "nobody vouches for an absence",
        "a 404 counts when something of ours was found in the same pass",
        tales.LISTS,
        "I5",
        Swap("live.witness:believed", _unwitnessed),
    ),
    _variant(
        "a read that the list contradicts is believed",
        "a list that shows it is a contradiction",
        tales.LISTS,
        "I5",
        Swap("live.observe:_Shelves._beside", lambda right: lambda shelves, key, seen: seen),
    ),
    _variant(
        "created again within the settle window",
        "settle guards a new create",
        tales.LAGGING_KILLED,
        "I5",
        Swap("plan.decide:Decider.decide", _unsettled()),
    ),
    _variant(
        "forgotten within the settle window",
        "settle guards forgetting",
        tales.SETTLING,
        "I4",
        Swap("plan.prune:prune_row", _forgetting),
    ),
    _variant(
        "a lost delete forgets",
        "a row goes when its object is proved gone",
        tales.WRITES,
        "I4",
        Swap("apply.request:WriteStep.send", _lost_delete_forgets),
    ),
    _variant(
        "no tombstones",
        "what we deleted a moment ago may still be shown",
        tales.REPLICAS,
        "I7",
        store=stores.NoTombstones,
    ),
    _variant(
        "nothing is read again",
        "knowledge grows old",
        tales.DRAWN,
        "I7",
        Swap("reconcile.schedule:due_reads", _never_due),
    ),
)

CONTROLS = (
    _variant(
        "in sync for ever",
        "git's digest is compared with what was applied; here each look around finds it, only later",
        tales.DRAWN,
        "I7",
        Swap("live.observe:subjects_of", _digest_unread),
    ),
    _variant(
        "a delete is not confirmed",
        "a row goes when its object is proved gone; here the answer tells the truth",
        tales.DRAWN,
        "I4",
        Swap("apply.readback:confirm_gone", _forgets_at_once),
    ),
)
CONTROLS = tuple(replace(each, caught_by=None) for each in CONTROLS)

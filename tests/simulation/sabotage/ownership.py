"""Nothing foreign is touched: marks not read, not written or not compared, names taken for objects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent.model.outcome import Result
from agent.model.resource import Present
from tests.simulation.sabotage import tales
from tests.simulation.sabotage.swap import Swap
from tests.simulation.sabotage.variant import Variant, always


def _adopting(right: Any) -> Any:
    return lambda *arguments, **words: replace(right(*arguments, **words), adopt="always")


def _foreign_mark_unread(right: Any) -> Any:
    """Whatever has the name carries our mark."""

    def present(decider: Any, resource: Any, kind: Any, row: Any, seen: Present) -> Any:
        from agent.model.identity import uid_of

        if seen.owner is not None:
            seen = replace(seen, owner=uid_of(decider.ground.platform.name, resource.key))
        return right(decider, resource, kind, row, seen)

    return present


def _others_pruned(right: Any) -> Any:
    def prune(row: Any, kind: Any, seen: Any, *arguments: Any, **words: Any) -> Any:
        if isinstance(seen, Present):
            seen = replace(seen, owner=row.uid)
        return right(row, kind, seen, *arguments, **words)

    return prune


def _found_is_ours(right: Any) -> Any:
    """After a lost create whatever has the name is what was made."""

    def judge(recovery: Any, opened: Any, kind: Any, reply: Any, doubtful: bool) -> Any:
        from agent.apply.recover import Resolution

        if opened.intent.action == "create" and reply.answer == "ok":
            return Resolution("landed", "answer lost; found by its name")
        return right(recovery, opened, kind, reply, doubtful)

    return judge


def _adopts_on_conflict(right: Any) -> Any:
    def classify(reply: Any, operation: Any, *, deleting: bool = False, **words: Any) -> Result:
        found: Result = right(reply, operation, deleting=deleting, **words)
        return Result.DONE if reply.answer in ("exists", "conflict") and not deleting else found

    return classify


def _one_workspace(method: str) -> Any:
    """The workspace is left out of what a call names; the platform takes its default."""

    def wrong(right: Any) -> Any:
        def writing(requests: Any, name: str, operation: Any, kind: Any, key: Any, *rest: Any) -> Any:
            if operation.method == method and key.scope:
                key = key._replace(scope=(("workspace", "public"),))
            return right(requests, name, operation, kind, key, *rest)

        return writing

    return wrong


def _scope_unread(right: Any) -> Any:
    def mismatch(kind: Any, key: Any, item: Any, server_id: Any = None) -> str:
        told: str = right(kind, key, item, server_id)
        return "" if "workspace" in told else told

    return mismatch


def _variant(name: str, guard: str, tale: Any, caught_by: str, *swaps: Swap) -> Variant:
    return Variant(name, "ownership", guard, tale, caught_by, swaps=swaps)


VARIANTS = (
    _variant(
        "adopted silently",
        "the target's `adopt` rule decides about what is not marked",
        tales.OWNERS,
        "I2",
        Swap("reconcile.target:Target.policy", _adopting),
    ),
    _variant(
        "another owner's mark is ours, in a change",
        "the mark's uid is compared",
        tales.OWNERS,
        "I2",
        Swap("plan.decide:Decider.present", _foreign_mark_unread),
    ),
    _variant(
        "another owner's mark is ours, in a delete",
        "the mark's uid is compared before a delete",
        tales.OWNERS,
        "I2",
        Swap("plan.prune:prune_row", _others_pruned),
    ),
    _variant(
        "deleted by name",
        "a delete proves ownership by the mark",
        tales.OWNERS,
        "I2",
        Swap("plan.prune:is_ours", always(True)),
    ),
    _variant(
        "a lost create adopts what has the name",
        "recovery reads the mark",
        tales.OWNERS,
        "I11",
        Swap("apply.recover:_judge", _found_is_ours),
    ),
    _variant(
        "a create that meets another object is done",
        "a conflict is a refusal",
        tales.RACES,
        "I11",
        Swap("apply.classify:classify", _adopts_on_conflict),
    ),
    _variant(
        "no mark is written",
        "each write leaves our mark",
        tales.DRAWN,
        "I4",
        Swap("apply.following:Following.mark", always(None)),
    ),
    _variant(
        "the workspace is left out of deletes",
        "the workspace is part of the key",
        tales.WORKSPACES,
        "I3",
        Swap("live.requests:Requests.writing", _one_workspace("DELETE")),
    ),
    _variant(
        "the workspace is left out of updates",
        "the workspace is part of the key, also in an answer",
        tales.WORKSPACES,
        "I11",
        Swap("live.requests:Requests.writing", _one_workspace("PUT")),
        Swap("live.rows:mismatch", _scope_unread),
    ),
)

"""What changes cost in calls: the requests of each, and the most that applying a whole plan may send. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agent.definitions.platform import Kind, Operation, Platform
from agent.model.change import Action, Calls, Change, FieldChange, FieldOp, Requests
from agent.plan.rules import RuleBook, split_pointer

READY_LOOKS = 10  # 1, 2, 4, … 60 s apart: the most that one readiness wait of five minutes sends for a listing


def requests_of(
    action: Action,
    kind: Kind,
    book: RuleBook,
    fields: Sequence[FieldChange] = (),
    uploads: Collection[str] = (),
    references: int = 0,
) -> Requests:
    """What applying one change may send. ``references`` is how many other objects must be looked up for its body."""
    if action not in (Action.CREATE, Action.UPDATE, Action.ADOPT, Action.REPLACE, Action.DELETE):
        return Requests(0, 0)
    if action is Action.DELETE:
        return Requests()
    creates = action in (Action.CREATE, Action.REPLACE)
    tops = {split_pointer(field.pointer)[:1] for field in fields if field.op is not FieldOp.RELEASE}
    own = sum(1 for place in book.vias if place[:1] in tops)
    by_body = creates or action is Action.ADOPT or any(place not in book.vias for place in _places(fields))
    writes = own + (2 if action is Action.REPLACE else 1 if by_body else 0)
    if creates and is_thin(kind):
        writes += 1
    operation = (kind.create or kind.apply) if creates else (kind.update or kind.apply)
    return Requests(writes, 1 + references + _parents(kind, operation), len(uploads))


def is_thin(kind: Kind) -> bool:
    """Whether a create leaves the spec out, so that the update follows it at once (two calls, one change)."""
    return kind.create is not None and kind.create.body is not None and kind.update is not None


def cost(changes: Sequence[Change], platform: Platform) -> Calls:
    """The most that applying may send, by purpose; what was spent to make the plan is not in it."""
    sent = [change for change in changes if change.sends]
    waiting = {
        (change.key.kind, change.key.scope)
        for change in sent
        if change.action is not Action.DELETE and platform.kinds[change.key.kind].ready is not None
    }
    writes = sum(change.requests.writes for change in sent)
    return Calls(
        write=writes + sum(change.requests.uploads for change in sent),
        look=sum(change.requests.looks for change in sent),
        confirm=2 * writes,
        ready=READY_LOOKS * len(waiting),
    )


def _places(fields: Sequence[FieldChange]) -> list[tuple[str, ...]]:
    return [split_pointer(field.pointer) for field in fields if field.op is not FieldOp.RELEASE]


def _parents(kind: Kind, operation: Operation | None) -> int:
    """Parents whose live members the request holds, such as ``${namespace.id}``."""
    if operation is None:
        return 0
    words = [*operation.request.words]
    for template in (operation.adds, operation.body, *operation.headers.values()):
        if template is not None:
            words += template.words
    used = {word.partition(".")[0] for word in words if "." in word}
    return sum(1 for scope in kind.scope if scope.kind is not None and scope.word in used)

"""What changes cost in calls: the requests of each, and the most that applying a whole plan may send. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.definitions.platform import ActionRule, Kind, Operation, Platform
from agent.model.change import WRITES, Action, Calls, Change, FieldChange, FieldOp, Requests
from agent.plan.rules import RuleBook, split_pointer

_LONGEST_WAIT = 60.0
_ROWS_A_PAGE = 20  # where the definition does not ask for a number


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What a body needs of the platform besides its own object: ``uploads``, and calls that look at other objects."""

    uploads: int = 0
    looks: int = 0


def requests_of(
    action: Action,
    kind: Kind,
    book: RuleBook,
    fields: Sequence[FieldChange] = (),
    elsewhere: Elsewhere = Elsewhere(),
    pages: int = 1,
) -> Requests:
    """What applying one change may send. ``pages`` is how many the list of its kind has had at the most."""
    if action not in WRITES:
        return Requests(0, 0, 0, 0)
    look = calls_of_look(kind, pages)
    if action is Action.DELETE:
        return Requests(1, look + _parents(kind, kind.delete), 0, 2 * look)
    creates = action in (Action.CREATE, Action.REPLACE)
    tops = {split_pointer(field.pointer)[:1] for field in fields if field.op is not FieldOp.RELEASE}
    own = sum(1 for place in book.vias if place[:1] in tops)
    by_body = creates or action is Action.ADOPT or any(place not in book.vias for place in _places(fields))
    writes = own + (2 if action is Action.REPLACE else 1 if by_body else 0)
    if creates and is_thin(kind):
        writes += 1
    operation = (kind.create or kind.apply) if creates else (kind.update or kind.apply)
    before = calls_of_look(kind, pages, known=not creates)
    looks = before + elsewhere.looks + _parents(kind, operation)
    return Requests(writes, looks, elsewhere.uploads, 2 * look * writes)


def calls_of_look(kind: Kind, pages: int = 1, *, known: bool = True) -> int:
    """The most that one look at an object sends: a read by its key, or two lists, each of which may have grown a page.

    ``known``: its id is known, where it is read by that.
    """
    if kind.get is not None and (known or "id" not in kind.get.request.path_words or kind.list is None):
        return 1
    if kind.list is None:
        return 0
    return 2 * _listed(kind, pages) + (1 if kind.get is not None else 0)


def looks_of_action(kind: Kind, rule: ActionRule, platform: Platform, pages: Mapping[str, int], *, known: bool) -> int:
    """The most that is read before an action is sent: its object, or what tells its id, and the parents it names."""
    words = {*rule.request.words, *(rule.body.words if rule.body is not None else ())}
    roots = {word.partition(".")[0] for word in words}
    looks = 0
    if "live" in roots or rule.done is not None:
        looks += _by_name(kind, pages, known=known)
    elif "id" in roots and not known:
        looks += _listed(kind, pages.get(kind.name, 1))
    for scope in kind.scope:
        if scope.kind is not None and any(word.startswith(f"{scope.word}.") for word in words):
            looks += _by_name(platform.kinds[scope.kind], pages, known=False)
    return looks


def _by_name(kind: Kind, pages: Mapping[str, int], *, known: bool) -> int:
    """One object for an action: by a list where nothing else finds it, then its own read, where there is one."""
    listed = kind.get is None or ("id" in kind.get.request.path_words and not known)
    return (_listed(kind, pages.get(kind.name, 1)) if listed else 0) + (1 if kind.get is not None else 0)


def _listed(kind: Kind, pages: int) -> int:
    """Pages of a list that others may have made longer by one."""
    if kind.list is None:
        return 0
    return 1 if kind.list.pages.by == "none" else pages + 1


def _grown(kind: Kind, pages: int, rows: int, made: int) -> int:
    """Pages of a list of so many rows once so many more are ``made``. A server may give less than is asked for."""
    if kind.list is None or kind.list.pages.by == "none" or not made:
        return pages
    size = kind.list.pages.ask or _ROWS_A_PAGE
    if pages > max(1, -(-rows // size)):
        size = max(1, rows // pages)
    return max(pages, -(-(rows + made) // size))


def ready_looks(timeout_seconds: float) -> int:
    """How often one readiness wait looks: 1, 2, 4, … 60 s apart, until its time is over."""
    spent, wait, looks = 0.0, 1.0, 0
    while spent < timeout_seconds:
        spent, wait, looks = spent + wait, min(2 * wait, _LONGEST_WAIT), looks + 1
    return looks


def is_thin(kind: Kind) -> bool:
    """Whether a create leaves the spec out, so that the update follows it at once (two calls, one change)."""
    return kind.create is not None and kind.create.body is not None and kind.update is not None


def cost(
    changes: Sequence[Change],
    platform: Platform,
    pages: Mapping[str, int] | None = None,
    looks: int = 10,
    actions: Sequence[tuple[Kind, ActionRule, bool]] = (),
    rows: Mapping[str, int] | None = None,
) -> Calls:
    """The most that applying may send, by purpose; what was spent to make the plan is not in it.

    ``pages`` and ``rows`` are those of the lists of each kind, ``looks`` those of one readiness wait. A delete that is
    refused, for something else needs the object, is sent again once another object has gone. ``actions`` are those that
    manifests ask for, each with its kind and whether the id of its object is known.
    """
    pages, rows = pages or {}, rows or {}
    sent = [change for change in changes if change.sends]
    deletes = sum(1 for change in sent if change.action is Action.DELETE)
    again = deletes * (deletes - 1) // 2
    waiting = {}
    looks_longer = confirms_longer = 0
    made = Counter(change.key.kind for change in sent if change.action in (Action.CREATE, Action.REPLACE))
    grown = {
        name: _grown(platform.kinds[name], pages.get(name, 1), rows.get(name, 0), made[name])
        for name in {change.key.kind for change in sent}
    }
    for change in sent:
        kind = platform.kinds[change.key.kind]
        if change.action not in (Action.DELETE, Action.RELEASE) and kind.ready is not None:
            group = change.key if kind.list is None else (kind.name, change.key.scope)
            waiting[group] = 1 if kind.list is None else grown[kind.name]
        if kind.get is None:  # each of its looks is two lists, which what is made meanwhile makes longer
            longer = max(0, grown[kind.name] - pages.get(kind.name, 1) - 1)
            looks_longer += 2 * longer
            confirms_longer += 4 * longer * change.requests.writes
    return Calls(
        write=again + sum(change.requests.writes + change.requests.uploads for change in sent) + len(actions),
        look=again
        + looks_longer
        + sum(change.requests.looks for change in sent)
        + sum(looks_of_action(kind, rule, platform, pages, known=known) for kind, rule, known in actions),
        confirm=confirms_longer + sum(change.requests.confirms for change in sent),
        ready=looks * sum(waiting.values()),
        actions=len(actions),
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

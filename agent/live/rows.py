"""What an object of the platform says about itself: name, scope, id, owner, health. Pure.

Called by ``api`` for each list row and by everybody who holds a live object. It never guesses: what a row does not
carry is None or ``unknown``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agent.definitions.expressions import Expression
from agent.definitions.marks import marks_of
from agent.definitions.platform import Answer, Kind
from agent.model.identity import Key
from agent.model.resource import Health, tree_of

if TYPE_CHECKING:
    from agent.live.answers import Reply

_HEALTHS_KEPT = 1000

Sealed = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One object of a list. ``item`` is the platform's own object, as much of it as the list shows.

    Of a list that shows all of it, it is ``kept`` as bytes: each ``item`` is a tree of its own then.
    """

    name: str
    scope: tuple[tuple[str, str], ...]
    id: str | None
    owner: str | None
    health: Health
    kept: Mapping[str, Any] | bytes
    revision: str | None

    @property
    def item(self) -> Mapping[str, Any]:
        return tree_of(self.kept)


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of one list. Not ``complete``: absence from it proves nothing, and ``why`` says why.

    ``answer`` is ``ok`` unless a page failed; then the rows are those that came before, and ``failed`` is its reply.
    ``sealed`` has each page's target and seal, where targets tell pages apart. ``unchanged``: all seals are those that
    were known, so nothing was decoded and there are no rows.
    """

    rows: tuple[Row, ...]
    complete: bool
    why: str
    answer: Answer = "ok"
    pages: int = 1
    failed: Reply | None = None
    sealed: Sealed = ()
    unchanged: bool = False


def pages_of(listings: Mapping[tuple[str, Any], Listing]) -> dict[str, int]:
    """How long the longest list of each kind was, where it was more than a page."""
    found: dict[str, int] = {}
    for (kind, _), listing in listings.items():
        if listing.pages > 1:
            found[kind] = max(listing.pages, found.get(kind, 1))
    return found


def health_of(kind: Kind, item: Any) -> Health:
    """Gone before failed before ready; a kind without conditions is ready by being there."""
    if not isinstance(item, Mapping):
        return "unknown"
    cache, names = _healths(kind.ready, kind.failed, kind.gone)
    if names is None:
        return _health(kind, item)
    key = tuple(item.get(name) for name in names)
    if not all(part is None or type(part) is str for part in key):
        return _health(kind, item)
    # Whether a member is there at all matters too: without it the health is not known.
    state = (key, tuple(name in item for name in names))
    health = cache.get(state)
    if health is None:
        if len(cache) >= _HEALTHS_KEPT:
            cache.clear()
        health = cache[state] = _health(kind, item)
    return health


def id_of(kind: Kind, item: Any) -> str | None:
    """The identity that the server assigned, as text."""
    return None if kind.id is None or not isinstance(item, Mapping) else _text(_found(kind.id, item))


def is_untold(kind: Kind, item: Any) -> bool:
    """Whether the answer to a create, or a rename, leaves open which object is ours, though it says that there is one.

    Where there is a mark, that tells it. Without one a name that is nobody else's is enough, unless the answer speaks
    of something and not of that: a failure in a 200 (``design/fault-model.md`` A18) looks like this.
    """
    if kind.id is None or kind.mark is not None or id_of(kind, item) is not None:
        return False
    return not kind.unique or (isinstance(item, Mapping) and bool(item) and name_of(kind, item) is None)


def name_of(kind: Kind, item: Any) -> str | None:
    """The name: what the mark says where the mark holds it, else the kind's ``key``."""
    if not isinstance(item, Mapping):
        return None
    if kind.mark is not None and "(?P<name>" in kind.mark.pattern:
        for mark in marks_of(kind, item):
            if mark.get("name"):
                return mark["name"]
    return _text(_found(kind.key, item))


def scope_of(kind: Kind, item: Mapping[str, Any]) -> dict[str, str | None]:
    """Scope words that the object carries as plain members; None where it says that there is no parent."""
    carried = {}
    for word in kind.scope:
        if word.word in item:
            value = item[word.word]
            text = _text(value)
            if text or value is None:
                carried[word.word] = text
    return carried


def identity_of(
    kind: Kind, item: Any, asked: Mapping[str, str], named: frozenset[str]
) -> tuple[str, tuple[tuple[str, str], ...]] | str | None:
    """(name, scope) of a list row; a sentence when the row lacks part of it; None when it is of another scope.

    ``asked`` is the scope of the list, ``named`` are the words that its request holds.
    """
    if _is_of_another_kind(kind, item):
        return None
    name = name_of(kind, item)
    if not name:
        return "a row without a name"
    carried = scope_of(kind, item)
    scope = []
    for word in kind.scope:
        wanted = asked.get(word.word)
        has = carried.get(word.word)
        if word.word in carried and (word.word in asked or word.word in named) and has != wanted:
            return None
        value = has if word.word in carried else wanted
        if value is not None:
            scope.append((word.word, value))
        elif not word.optional:
            return f"a row that does not say its {word.word}"
    return name, tuple(scope)


def mismatch(kind: Kind, key: Key, item: Any, server_id: str | None = None) -> str:
    """Why an object is not the one asked for, "" when nothing in it says so. Only what it carries is compared."""
    if not isinstance(item, Mapping):
        return "an answer that is no object"
    if _is_of_another_kind(kind, item):
        return "an answer about an object of another kind"
    name = name_of(kind, item)
    if name is None and (_is_empty(item) or (kind.id is not None and id_of(kind, item) is None)):
        return "an answer that does not say what it is about"
    if name is not None and name != key.name:
        return "an answer about an object of another name"
    scope = dict(key.scope)
    for word, value in scope_of(kind, item).items():
        if value != scope.get(word):
            return f"an answer about an object of another {word}"
    if server_id is not None and id_of(kind, item) not in (None, server_id):
        return "an answer about an object of another id"
    return ""


def revision_of(kind: Kind, item: Mapping[str, Any]) -> str | None:
    if kind.list is None or kind.list.revision is None:
        return None
    return _text(_found(kind.list.revision, item))


def _is_empty(item: Mapping[str, Any]) -> bool:
    return all(value is None for value in item.values())


def _is_of_another_kind(kind: Kind, item: Mapping[str, Any]) -> bool:
    """A list filtered by ``?type={with.type}`` may ignore its filter; the row says of which type it is."""
    if kind.list is None:
        return False
    for word in kind.list.request.query_words:
        if word.startswith("with."):
            constant, value = kind.with_.get(word[5:]), item.get(word[5:])
            if isinstance(value, str) and isinstance(constant, str) and value != constant:
                return True
    return False


def _health(kind: Kind, item: Mapping[str, Any]) -> Health:
    if kind.gone is not None and kind.gone.holds(item):
        return "gone"
    if kind.failed is not None and kind.failed.holds(item):
        return "failed"
    if kind.ready is None:
        return "ready"
    if kind.ready.holds(item):
        return "ready"
    known = not kind.ready.first or any(name in item for name in kind.ready.first)
    return "progressing" if known else "unknown"


@lru_cache(maxsize=256)
def _healths(*conditions: Expression | None) -> tuple[dict[Any, Health], tuple[str, ...] | None]:
    """A memory of states already judged, and the members that decide; None when a condition reads more than those.

    Ten thousand rows have a handful of states between them, and an expression costs more than all else in a row.
    """
    told = [condition for condition in conditions if condition is not None]
    if any(char in condition.source for condition in told for char in "@*&$") or not all(c.first for c in told):
        return {}, None
    return {}, tuple(dict.fromkeys(name for condition in told for name in condition.first))


def _found(expression: Expression, item: Mapping[str, Any]) -> Any:
    return item.get(expression.plain) if expression.plain is not None else expression.search(item)


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None

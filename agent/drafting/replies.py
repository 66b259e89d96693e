"""Where an answer keeps its rows, its object, its total and its next page: guessed from the schema of the answer.

``rows_of`` for lists, ``object_of`` for a single object. A row that has the same schema as the object is the best sign;
then the only list; then the usual names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.drafting.members import Members, Reader
from agent.drafting.model import Guess, high, low, medium
from agent.drafting.names import singular, squeezed

_ROWS = (
    *("items", "data", "results", "result", "rows", "records", "entries", "values", "content", "list", "objects"),
    *("elements", "resources", "hits", "value", "payload", "member", "collection", "response"),
)
_WRAPS = ("data", "result", "item", "payload", "response", "attributes", "body", "value", "object")
_ENVELOPE = frozenset(
    [
        "success",
        "ok",
        "status",
        "code",
        "message",
        "error",
        "errors",
        "meta",
        "timestamp",
        "msg",
        "request_id",
        "requestid",
    ]
)


@dataclass(frozen=True, slots=True)
class Rows:
    """``items`` leads to the rows (``@`` when the answer is the list), ``row`` is the schema of one.

    ``plain`` rows are bare texts. ``around`` are the members of the envelope, ``prefix`` is where they stand.
    """

    items: str
    row: Any
    guess: Guess | None
    plain: bool
    around: tuple[tuple[str, Any], ...]
    keyed: bool = False


def rows_of(reader: Reader, answer: Any, called: str, item: Any = None) -> Rows | None:
    """The rows of a list's answer; ``called`` is the last step of its path, ``item`` the schema of one object."""
    if answer is None:
        return None
    elements = reader.elements(answer)
    if elements is not None:
        return Rows("@", elements, None, _is_plain(reader, elements), ())
    members = reader.members(answer)
    found = list(_lists(reader, members, ()))
    if not found:
        return _keyed(reader, answer, members, item)
    around = tuple(_around(reader, members))
    wanted = reader.name(item) if item is not None else ""
    same = [one for one in found if wanted and reader.name(one[1]) == wanted]
    if same:
        return _rows(reader, same[0], high(f"its elements are {wanted}, as the object itself"), around)
    if len(found) == 1 and len(found[0][0]) == 1:
        name = found[0][0][0]
        if name in _ROWS or squeezed(name) == squeezed(called):
            return _rows(reader, found[0], high("the only list in the answer"), around)
        return _rows(reader, found[0], medium("the only list in the answer"), around)
    named = [one for one in found if squeezed(one[0][-1]) in (squeezed(called), squeezed(singular(called)) + "s")]
    if named:
        return _rows(reader, named[0], high("the list in the answer that is called as the path"), around)
    for name in _ROWS:
        usual = [one for one in found if one[0][-1].lower() == name or one[0][0].lower() == name]
        if usual:
            return _rows(
                reader, usual[0], medium(f"of {len(found)} lists in the answer the one with a usual name"), around
            )
    return None


def object_of(reader: Reader, answer: Any, called: str, row: Any = None) -> tuple[str, Any, Guess | None]:
    """Where an answer keeps its object: the expression (``@`` for the answer itself), its schema, and the guess."""
    members = reader.members(answer)
    wanted = reader.name(row) if row is not None else ""
    if not members or (wanted and reader.name(answer) == wanted):
        return "@", answer, None
    inner = {name: one for name, one in members.schemas.items() if reader.members(one)}
    for name, one in inner.items():
        if wanted and reader.name(one) == wanted and len(members.schemas) <= 6:
            return name, one, high(f"it is {wanted}, as the rows of the list")
    rest = {name for name in members.schemas if name not in inner}
    if len(inner) == 1 and all(squeezed(name) in _ENVELOPE for name in rest):
        name = next(iter(inner))
        if name.lower() in _WRAPS or squeezed(name) == squeezed(singular(called)):
            return name, inner[name], high("the only object in the answer, and nothing else of a resource beside it")
    return "@", answer, None


def _lists(reader: Reader, members: Members, prefix: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The lists in an answer, those one level down after those at its top."""
    below = []
    for name, schema in members.schemas.items():
        if squeezed(name) in ("errors", "warnings", "links", "included", "messages"):
            continue
        elements = reader.elements(schema)
        if elements is not None:
            yield (*prefix, name), elements
        elif not prefix and "object" in reader.types(schema) and squeezed(name) not in ("meta", "pagination", "page"):
            below.append((name, schema))
    for name, schema in below:
        yield from _lists(reader, reader.members(schema), (name,))


def _keyed(reader: Reader, answer: Any, members: Members, item: Any) -> Rows | None:
    """An object whose members are the objects, by name."""
    rest = reader.word(answer, "additionalProperties")
    if members or not isinstance(rest, Mapping) or not reader.members(rest):
        return None
    told = "the answer is a map from name to object"
    if item is not None and reader.name(rest) and reader.name(rest) == reader.name(item):
        return Rows("values(@)", rest, high(told), False, (), keyed=True)
    return Rows("values(@)", rest, low(told), False, (), keyed=True)


def _rows(reader: Reader, one: tuple[tuple[str, ...], Any], guess: Guess, around: tuple[tuple[str, Any], ...]) -> Rows:
    path, row = one
    return Rows(".".join(plain(step) for step in path), row, guess, _is_plain(reader, row), around)


def _around(reader: Reader, members: Members) -> Iterator[tuple[str, Any]]:
    """The members of an envelope and of the objects in it, by dotted path."""
    for name, schema in members.schemas.items():
        yield plain(name), schema
        if reader.elements(schema) is None:
            for inner, below in reader.members(schema).schemas.items():
                yield f"{plain(name)}.{plain(inner)}", below
                if reader.elements(below) is None:
                    for third in reader.members(below).schemas:
                        yield f"{plain(name)}.{plain(inner)}.{plain(third)}", reader.members(below).schemas[third]


def _is_plain(reader: Reader, row: Any) -> bool:
    return reader.types(row) == {"string"} and not reader.members(row)


def plain(name: str) -> str:
    """A member's name in an expression."""
    fits = name.isascii() and name.replace("_", "a").isalnum() and not name[:1].isdigit()
    return name if fits else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

"""What answers of a live server show of a definition: where its rows are, what they hold, what is masked. Pure.

Called by ``probe``. Nothing is concluded from an empty list: what was not seen stays open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.definitions.platform import Kind
from agent.drafting.model import Path
from agent.drafting.replies import plain
from agent.model.secret_names import is_masked

Verdict = Literal["proved", "wrong", "open"]
_ASK = 100
_ELEMENTS_SEEN = 5
_REVISION = re.compile(r"(?i)etag|revision|resource_?version|(?:last_?)?(?:modified|updated)(?:_?at|_?on)?")
_PAGE_HEADERS = (
    "link",
    "next-page",
    "x-next-page",
    "x-next",
    "x-total-count",
    "x-total",
    "total-objects",
    "total-records",
)
_MESSAGES = ("message", "detail", "error", "msg", "title", "error_message", "error_description", "reason")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen of one word of the definition. ``change`` is what it should say instead."""

    path: Path
    verdict: Verdict
    what: str
    change: Any = None


def lists_in(body: Any) -> Iterator[str]:
    """Where an answer has lists of objects, as expressions."""
    if _is_rows(body):
        yield "@"
    for name, value in body.items() if isinstance(body, Mapping) else ():
        if _is_rows(value):
            yield plain(str(name))
        for inner, below in value.items() if isinstance(value, Mapping) else ():
            if _is_rows(below):
                yield f"{plain(str(name))}.{plain(str(inner))}"


def keys_in(rows: Sequence[Any]) -> list[str]:
    """Members that every row has as text and no two alike: what could be the name, short ones first."""
    if not rows or not all(isinstance(row, Mapping) for row in rows):
        return []
    found = []
    for name in rows[0]:
        values = [row.get(name) for row in rows]
        if all(isinstance(value, str) and value for value in values) and len(set(values)) == len(values):
            found.append(str(name))
    return sorted(found, key=lambda name: (name not in ("name", "slug", "key"), len(name)))


def message_in(body: Any) -> str | None:
    """Where an error says what is wrong."""
    if not isinstance(body, Mapping):
        return None
    for name in _MESSAGES:
        if isinstance(body.get(name), str):
            return name
    for name, value in body.items():
        inner = next(
            (word for word in _MESSAGES if isinstance(value, Mapping) and isinstance(value.get(word), str)), None
        )
        if inner is not None:
            return f"{plain(str(name))}.{inner}"
    return None


def revision_in(row: Mapping[str, Any]) -> str | None:
    """A member of a row, or of an object in it, by whose name one would tell that the object has changed."""
    for name, value in row.items():
        if _REVISION.fullmatch(str(name)) and isinstance(value, str | int):
            return plain(str(name))
        for inner in value if isinstance(value, Mapping) else ():
            if _REVISION.fullmatch(str(inner)):
                return f"{plain(str(name))}.{plain(str(inner))}"
    return None


def page_headers(headers: Mapping[str, str]) -> list[str]:
    """Headers that tell of further pages, or of how many rows there are."""
    return [name for name in _PAGE_HEADERS if name in headers]


def page_members(body: Any, rows: int) -> list[str]:
    """Members beside the rows that tell of more of them."""
    if not isinstance(body, Mapping):
        return []
    found = []
    for name, value in body.items():
        folded = re.sub(r"[^a-z]", "", str(name).lower())
        if folded.startswith(("next", "hasmore", "hasnext")) and value not in (None, "", False, []):
            found.append(str(name))
        if folded.startswith("total") and isinstance(value, int) and not isinstance(value, bool) and value > rows:
            found.append(str(name))
    return found


def pages_told(size: str, headers: Mapping[str, str], body: Any, origin: str) -> dict[str, Any] | None:
    """The word ``pages`` where an answer names the address of its next page, on the same server."""
    for name, value in headers.items():
        own = value.startswith((f"{origin}/", "/")) and ("next" in name or "page" in name)
        if own or (name == "link" and "next" in value):
            return {"by": "link", "size": size, "ask": _ASK, "next": {"header": name}}
    for name, value in body.items() if isinstance(body, Mapping) else ():
        if str(name).lower().startswith("next") and isinstance(value, str) and value.startswith((f"{origin}/", "/")):
            return {"by": "link", "size": size, "ask": _ASK, "next": plain(str(name))}
    return None


def never_seen(kind: Kind, objects: Sequence[Any]) -> list[str]:
    """Members of the schema that no object has, where at least one was seen whole."""
    known = {name for item in objects if isinstance(item, Mapping) for name in item}
    members = (kind.schema or {}).get("properties", {})
    moved = {rule.pointer for rule in kind.fields if rule.write_only or rule.read is not None}
    return [name for name in members if name not in known and f"/{name}" not in moved] if known else []


def masked(item: Any, pointer: str = "") -> Iterator[str]:
    """Where an object shows asterisks in place of a value, a list's elements by ``*``."""
    if is_masked(item):
        yield pointer
    elif isinstance(item, Mapping):
        for name, value in item.items():
            yield from masked(value, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(item, list):
        for value in item[:_ELEMENTS_SEEN]:
            yield from masked(value, f"{pointer}/*")


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping | str) for row in value[:20])

"""Places of a kind's spec as text with a cursor: what a person types before the editor is asked for help."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from agent.definitions.platform import Kind, Platform
from agent.definitions.schema_words import Member, Said
from agent.json_schema import Schema

_DEEPEST = 8


class Cursor(NamedTuple):
    """A text and a place in it, both counted from 0."""

    text: str
    line: int
    character: int


def said_of(kind: Kind, pointer: str = "") -> Said:
    return Said(_schema(id(kind), kind), pointer)


_schemas: dict[int, tuple[Kind, Schema]] = {}


def _schema(number: int, kind: Kind) -> Schema:
    """One a kind, since reading it anew for each member takes most of the time."""
    if number not in _schemas:
        _schemas[number] = kind, Schema(kind.schema or {}, kind.schema_path)
    return _schemas[number][1]


def members_of(kind: Kind, pointer: str = "") -> list[Member]:
    """The members that a manifest may write."""
    read_only = {rule.pointer for rule in kind.fields if rule.read_only}
    found = said_of(kind, pointer).members()
    return [one for one in found if one.pointer not in read_only and not said_of(kind, one.pointer).deprecated]


def choice_of(kind: Kind) -> tuple[str, tuple[str, ...]] | None:
    """The first place of the spec with a closed list of texts, and those."""
    for pointer in _walk(kind, "", 0):
        choices = [json.loads(choice) for choice in said_of(kind, pointer).choices]
        if choices and all(isinstance(choice, str) for choice in choices):
            return pointer, tuple(choices)
    return None


def head(platform: Platform, kind: Kind) -> str:
    """A manifest down to its ``spec:``."""
    scope = "".join(f"  {word.word}: a\n" for word in kind.scope)
    return f"apiVersion: {platform.api_version}\nkind: {kind.name}\nmetadata:\n  name: a\n{scope}spec:\n"


def before(text: str, documents: int) -> str:
    """The text as the document after ``documents`` others, which are right."""
    return "---\n".join([*["# nothing yet\n"] * documents, text])


def at_member(prefix: str, pointer: str) -> Cursor:
    """The spec of ``prefix`` down to a member, with the cursor behind its colon. ``*`` is an element of a list."""
    lines = []
    indent = "  "
    begin = indent
    *above, last = pointer.split("/")[1:]
    for word in above:
        if word == "*":
            begin = f"{indent}- "
            indent += "  "
        else:
            lines.append(f"{begin}{word}:")
            indent += "  "
            begin = indent
    lines.append(f"{begin}{'- ' if last == '*' else f'{last}: '}")
    return Cursor(prefix + "\n".join(lines) + "\n", prefix.count("\n") + len(lines) - 1, len(lines[-1]))


def _walk(kind: Kind, pointer: str, depth: int) -> Iterator[str]:
    """Members and what is in them, also in the elements of what is a list and nothing else."""
    for member in members_of(kind, pointer) if depth < _DEEPEST else ():
        yield member.pointer
        said = said_of(kind, member.pointer)
        if not said.is_list:
            yield from _walk(kind, member.pointer, depth + 1)
        elif said.type.startswith("list") and " or object" not in said.type:
            yield f"{member.pointer}/*"
            yield from _walk(kind, f"{member.pointer}/*", depth + 1)


def wrong_value(kind: Kind) -> Mapping[str, Any] | None:
    """A spec with one member that cannot be right; None where anything may stand in it."""
    if said_of(kind).is_closed:
        return {"noSuchMember": 1}
    for member in members_of(kind):
        types = set(said_of(kind, member.pointer).type.split(" or "))
        if "string" in types and not types & {"object", "anything"}:
            return {member.name: {"of": "another type"}}
    return None

"""One word of a file that people write beside manifests, from the schema that checks it: the configuration, an overlay,
the definition of a platform. Called by ``explain``. Pure but for the schemas, which are read once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from agent.definitions.files import bundled_schemas
from agent.definitions.places import did_you_mean
from agent.definitions.schema_words import Member, Said
from agent.errors import UsageError
from agent.json_schema import Schema
from agent.model.explanation import Explanation, Part

CONFIGURATION = "datakeel.yaml"
FILES: Mapping[str, str] = {
    CONFIGURATION: "datakeel.schema.json",
    "platform.yaml": "platform.schema.json",
    "overlay": "overlay.schema.json",
}
"""What ``explain`` calls a file, and the schema of it."""
_ANY = "*"


def about_setting(file: str, written: str) -> Explanation:
    """``targets.*.limits`` of ``datakeel.yaml``, or the whole file for no word.

    An element of a map or a list may be left out or be named: ``targets.drift`` and ``targets.sales.drift`` are
    ``targets.*.drift``. Raises UsageError for a word that the file does not know.
    """
    said, place, needed = _walked(file, written)
    members = said.members()
    stands_for_all = not members and _members_of(said)
    if stands_for_all:
        members = said.below(_ANY).members()
    parts = [Part(text=(said.description,)) if said.description else Part()]
    parts.append(Part(facts=_facts(file, said, place, is_leaf=not members)))
    if members:
        star = ", * must be there" if any(member.required for member in members) else ""
        each = "Each of its entries may hold" if stands_for_all else "It may hold"
        parts.append(Part(f"{each}{star}:", rows=tuple(map(_row, members)), links=True))
    word = " ".join(filter(None, (file, ".".join(place))))
    told = {
        "type": said.type,
        "required": needed,
        "description": said.description,
        "members": [member.name for member in members],
        **{word.replace(" ", "_"): text for word, text in parts[1].facts},
    }
    summary = f"{said.type}, {'must be there' if needed else 'optional'}" if place else ""
    title = f"{'.'.join(place)} · {file}" if place else file
    return Explanation("setting", word, title, summary, tuple(filter(None, parts)), told=told)


def top_settings(file: str = CONFIGURATION) -> tuple[str, ...]:
    """The words with which a path can begin."""
    return tuple(_schema(file)["properties"])


def settings(file: str = CONFIGURATION) -> list[tuple[str, Member, Said]]:
    """All words of a file, each by its whole name with what is said there, in the order of the schema."""
    found: list[tuple[str, Member, Said]] = []

    def walk(said: Said, place: tuple[str, ...]) -> None:
        members = said.members()
        if not members and _members_of(said):
            said, place = said.below(_ANY), (*place, _ANY)
            members = said.members()
        for member in members:
            below = said.below(member.name)
            found.append((".".join((*place, member.name)), member, below))
            walk(below, (*place, member.name))

    walk(_said(file), ())
    return found


def _walked(file: str, written: str) -> tuple[Said, tuple[str, ...], bool]:
    said, needed = _said(file), False
    place: tuple[str, ...] = ()
    for word in written.split(".") if written else ():
        names = {member.name: member for member in said.members()}
        if word not in names and word != _ANY and _members_of(said):
            below = {member.name: member for member in said.below(_ANY).members()}
            said, place, names = said.below(_ANY), (*place, _ANY), below
            if word not in below:
                needed = False
                continue  # the name of an entry: what is said of each holds for it
        if word not in names and not said.may_hold(word):
            where = ".".join(place) or file
            raise UsageError(f"{where} has no `{word[:60]}`", fix=did_you_mean(word, sorted(names)))
        needed = word in names and names[word].required
        said, place = said.below(word), (*place, word)
    return said, place, needed


def _members_of(said: Said) -> bool:
    """Whether it is a map or a list of objects with members of their own."""
    return bool(not said.members() and said.below(_ANY).members())


def _facts(file: str, said: Said, place: Sequence[str], *, is_leaf: bool) -> tuple[tuple[str, str], ...]:
    variable = ""
    if file == CONFIGURATION and is_leaf and place and "variables" not in place:
        words = (word.upper().replace("-", "_") if word != _ANY else "NAME" for word in place)
        variable = f"DATAKEEL_{'__'.join(words)}"
    facts = [
        ("one of", ", ".join(said.choices)),
        ("limits", "; ".join(said.limits)),
        ("default", said.default or ""),
        ("example", ", ".join(said.examples)),
        ("set by", variable),
    ]
    return tuple((word, text) for word, text in facts if text)


def _row(member: Member) -> tuple[str, str, str]:
    return f"{'*' if member.required else ' '}{member.name}", member.type, member.description


@cache
def _said(file: str) -> Said:
    return Said(Schema(_schema(file), FILES[file]))


@cache
def _schema(file: str) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = json.loads((bundled_schemas() / FILES[file]).read_bytes())
    return schema

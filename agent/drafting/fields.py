"""The schema of a kind's ``spec``, and what is special about its members: secrets, references, what cannot be changed.

Called by ``platform`` after all kinds are known. The spec is what a create takes, less the name, the parents and what
the server owns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agent.drafting.bodies import Bodies
from agent.drafting.families import Family
from agent.drafting.kinds import Maker
from agent.drafting.members import Members, Reader
from agent.drafting.model import Draft, high, medium
from agent.drafting.names import singular, squeezed, words_of
from agent.drafting.schemas import DEFS_MAX, DRAFT, Translator
from agent.model.secret_names import is_secret_name

_DEEPEST_SECRET = 4
_SECRETS_MAX = 60
_SEARCHED_MAX = 3000
_BYTES_MAX = 900_000


def write_spec(maker: Maker, family: Family) -> None:
    """The schema and the fields of a managed kind."""
    bodies = maker.bodies[family.name]
    call = family.create or family.apply
    hidden = {*maker.adds(family, bodies.created), maker.identities[family.name].key} & bodies.created.schemas.keys()
    wanted = {
        name: schema
        for name, schema in bodies.created.schemas.items()
        if name not in hidden and not maker.reader.is_read_only(schema)
    }
    properties, translator = _translated(maker.reader, wanted)
    required = [name for name in wanted if name in bodies.created.required]
    references = dict(_references(maker, family, properties))
    for name, kind in references.items():
        if kind[1] is not None:
            properties[name] = _by_name(properties[name])
    open_ = call is not None and not bodies.created and call.body is not None
    described = maker.reader.word(call.body, "description") if call is not None and call.body is not None else None
    maker.draft.schemas[family.name] = {
        "$schema": DRAFT,
        **({"description": described.strip()} if isinstance(described, str) and described.strip() else {}),
        "type": "object",
        **({"required": required} if required else {}),
        "additionalProperties": open_,
        "properties": properties,
        **({"$defs": translator.defs} if translator.defs else {}),
    }
    maker.draft.lost += [f"{family.name}: {what}" for what in translator.lost]
    _fields(maker, family, properties, references)


def _translated(reader: Reader, members: Mapping[str, Any]) -> tuple[dict[str, Any], Translator]:
    """The members as JSON Schema; with fewer definitions where the file would be too large to be read."""
    for most in (DEFS_MAX, DEFS_MAX // 5, 0):
        translator = Translator(reader, most)
        properties = {name: translator.translated(schema) for name, schema in members.items()}
        translator.finish()
        if len(json.dumps([properties, translator.defs], indent=2, default=str)) < _BYTES_MAX:
            break
    return properties, translator


def _fields(maker: Maker, family: Family, names: Mapping[str, Any], references: Mapping[str, Any]) -> None:
    draft, bodies, reader = maker.draft, maker.bodies[family.name], maker.reader
    names = {name: one for name, one in names.items() if not {"{", "}"} & set(name)}  # no pointer leads to another one
    for name in names:
        path = ("kinds", family.name, "fields", f"/{_step(name)}")
        schema = bodies.created.schemas[name]
        if name in references:
            kind, member = references[name]
            draft.say((*path, "ref"), f"{kind}.{member}" if member else kind, medium("by its name; manifests name it"))
        if reader.word(schema, "uniqueItems") is True:
            draft.say((*path, "list"), "set", high("uniqueItems"))
        if _cannot_change(family, bodies, name):
            draft.say((*path, "immutable"), True, medium("a create takes it and an update does not"))
    _secrets(draft, reader, family, bodies, names)
    for name in names:
        path = ("kinds", family.name, "fields", f"/{_step(name)}")
        if bodies.answered and name not in bodies.answered and draft.said((*path, "writeOnly")) is None:
            draft.say((*path, "writeOnly"), True, medium("no answer has it"))


def _cannot_change(family: Family, bodies: Bodies, name: str) -> bool:
    return family.update is not None and bool(bodies.updated) and name not in bodies.updated


def _secrets(draft: Draft, reader: Reader, family: Family, bodies: Bodies, names: Mapping[str, Any]) -> None:
    made = Members({name: bodies.created.schemas[name] for name in names}, frozenset())
    for count, (pointer, name, schema) in enumerate(_texts(reader, made)):
        if count > _SEARCHED_MAX:
            return
        password = reader.word(schema, "format") == "password"
        hidden = reader.word(schema, "writeOnly") is True
        text = reader.types(schema) <= {"string"} and reader.word(schema, "enum") is None
        called = text and is_secret_name(name)
        if not (password or hidden or called):
            continue
        path = ("kinds", family.name, "fields", pointer)
        guess = high("format: password") if password else high("writeOnly") if hidden else medium("by its name")
        if text:
            draft.say((*path, "secret"), True, guess)
        if hidden or (password and pointer[1:] not in bodies.answered):
            draft.say((*path, "writeOnly"), True, None if text else guess)
        if sum(1 for one in draft.guesses if one[:3] == path[:3]) > _SECRETS_MAX:
            return


def _texts(reader: Reader, members: Members) -> Iterator[tuple[str, str, Any]]:
    """The members of a body to some depth, each with its pointer; those of lists by ``*``."""
    pending = [("", members, 0, frozenset[int]())]
    while pending:
        prefix, found, depth, above = pending.pop(0)
        for name, schema in found.schemas.items():
            if reader.is_read_only(schema) or {"{", "}"} & set(name):
                continue
            pointer = f"{prefix}/{_step(name)}"
            yield pointer, name, schema
            elements = reader.elements(schema)
            inner = reader.members(elements if elements is not None else schema)
            here = pointer if elements is None else f"{pointer}/*"
            if inner and depth < _DEEPEST_SECRET and id(inner) not in above:
                pending.append((here, inner, depth + 1, above | {id(inner)}))


def _references(maker: Maker, family: Family, names: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """Members that hold the identity of an object of another kind: ``work_pool_id``, ``workPoolName``."""
    for name in names:
        words = words_of(name)
        if len(words) < 2 or words[-1] not in ("id", "name", "uuid"):
            continue
        called = "".join([*words[:-2], singular(words[-2])])
        other = next((one for one in maker.kinds.values() if squeezed(one.name) == called), None)
        if other is None or other is family or not other.managed or "string" not in _types(maker, family, name):
            continue
        identity = maker.identities[other.name]
        if words[-1] == "name" or (identity.by_name and identity.id is None):
            yield name, (other.name, None)
        elif identity.id is not None:
            yield name, (other.name, identity.id)


def _types(maker: Maker, family: Family, name: str) -> frozenset[str]:
    schema = maker.bodies[family.name].created.schemas[name]
    return maker.reader.types(schema) or frozenset({"string"})


def _by_name(schema: Any) -> Any:
    """A member that manifests fill with a name, whatever identity goes on the wire."""
    if not isinstance(schema, dict):
        return {"type": "string"}
    words = {word: schema[word] for word in ("title", "description") if word in schema}
    null = "null" in str(schema.get("type")) or {"type": "null"} in schema.get("anyOf", [])
    return {**words, "type": ["string", "null"] if null else "string"}


def _step(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")

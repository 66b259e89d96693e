"""A schema of the document as a plain JSON Schema 2020-12 of what a manifest may say.

References become ``$defs`` of the file; what the server owns (``readOnly``) is left out at every level; words that
only OpenAPI knows are translated or dropped. Whatever is broken or cannot be said is left open rather than
guessed, and told in ``lost``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent.drafting.members import Reader
from agent.json_schema.patterns import pattern_fault

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = frozenset(["string", "integer", "number", "boolean", "object", "array", "null"])
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NUMBERS = ("minimum", "maximum", "multipleOf")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_FORMATS = frozenset(["date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"])
_DEEPEST = 24
DEFS_MAX = 300
_DEFS = "#/$defs/"
_DEF_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


class Translator:
    """Translates the schemas of one kind; ``defs`` fills up with those that are referred to, at most ``most``."""

    def __init__(self, reader: Reader, most: int = DEFS_MAX) -> None:
        self._reader = reader
        self._most = most
        self.defs: dict[str, Any] = {}
        self.lost: list[str] = []
        self._names: dict[str, str] = {}
        self._waiting: list[tuple[str, Mapping[str, Any]]] = []

    def translated(self, schema: Any) -> Any:
        """One schema, and those that it refers to: one after the other, since a chain of them may be long."""
        made = self._translated(schema, 0)
        while self._waiting:
            name, target = self._waiting.pop(0)
            self.defs[name] = self._translated(target, 1)
        return made

    def finish(self) -> None:
        """Cut the circles in which definitions speak of the same value, which no validator could end."""
        for name in self._names.values():
            _cut_circles(self.defs, name)

    def _translated(self, schema: Any, depth: int) -> Any:
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping):
            return {}
        if depth > _DEEPEST:
            self._lose(f"what is nested deeper than {_DEEPEST} levels is left open")
            return {}
        made = self._plain(schema)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            name = self._defined(reference)
            if name is not None:
                made["$ref"] = f"{_DEFS}{name}"
        for word in _LISTS:
            parts = [part for part in _as_list(schema.get(word)) if isinstance(part, Mapping | bool)]
            if parts:
                made[word] = [self._translated(part, depth + 1) for part in parts[:100]]
        if isinstance(schema.get("not"), Mapping):
            made["not"] = self._translated(schema["not"], depth + 1)
        self._members(schema, made, depth)
        return _nullable(schema, made)

    def _plain(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The keywords that hold no schema."""
        made: dict[str, Any] = {}
        for word in ("title", "description"):
            if isinstance(schema.get(word), str) and schema[word].strip():
                made[word] = schema[word].strip()
        types = [one for one in _as_list(schema.get("type")) if isinstance(one, str) and one in _TYPES]
        if types:
            made["type"] = types[0] if len(types) == 1 else list(dict.fromkeys(types))
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            made["enum"] = list({repr(one): one for one in schema["enum"]}.values())
        if "const" in schema:
            made["const"] = schema["const"]
        if isinstance(schema.get("format"), str) and schema["format"] in _FORMATS:
            made["format"] = schema["format"]
        pattern = schema.get("pattern")
        if isinstance(pattern, str):
            fault = pattern_fault(pattern)
            if fault is None:
                made["pattern"] = pattern
            else:
                self._lose(f"the pattern {pattern[:60]} is left out: it {fault}")
        for word in _NUMBERS:
            if _is_number(schema.get(word)) and not (word == "multipleOf" and schema[word] <= 0):
                made[word] = schema[word]
        for word in _COUNTS:
            if isinstance(schema.get(word), int) and not isinstance(schema[word], bool) and schema[word] >= 0:
                made[word] = schema[word]
        _exclusive(schema, made)
        if schema.get("uniqueItems") is True:
            made["uniqueItems"] = True
        if schema.get("deprecated") is True:
            made["deprecated"] = True
        if "default" in schema:
            made["default"] = schema["default"]
        examples = schema["examples"] if isinstance(schema.get("examples"), list) else []
        examples = [*examples, schema["example"]] if "example" in schema else examples
        if examples:
            made["examples"] = examples[:3]
        return made

    def _members(self, schema: Mapping[str, Any], made: dict[str, Any], depth: int) -> None:
        own: set[str] = set()
        properties = schema.get("properties")
        if isinstance(properties, Mapping):
            made["properties"] = {}
            for name, member in properties.items():
                if self._reader.is_read_only(member):
                    own.add(name)
                else:
                    made["properties"][str(name)] = self._translated(member, depth + 1)
        required = [one for one in _as_list(schema.get("required")) if isinstance(one, str) and one not in own]
        if required:
            made["required"] = list(dict.fromkeys(required))
        for word in ("additionalProperties", "items"):
            if isinstance(schema.get(word), bool | Mapping) and not (word == "items" and schema[word] == {}):
                made[word] = self._translated(schema[word], depth + 1)

    def _defined(self, reference: str) -> str | None:
        """The name of a definition; None where it leads nowhere."""
        if reference in self._names:
            return self._names[reference]
        target = self._reader.document.follow(reference)
        if not isinstance(target, Mapping):
            return None
        if len(self._names) >= self._most:
            self._lose(f"more than {self._most} schemas are referred to: the others are left open")
            return None
        stem = _DEF_NAME.sub("-", reference.rpartition("/")[2])[:80] or "schema"
        name, number = stem, 2
        while name in self.defs:
            name, number = f"{stem}-{number}", number + 1
        self._names[reference] = name
        self.defs[name] = {}
        self._waiting.append((name, target))
        return name

    def _lose(self, what: str) -> None:
        if what not in self.lost:
            self.lost.append(what)


def _cut_circles(defs: dict[str, Any], start: str) -> None:
    """Take away the references by which a definition comes back to itself at the same place of a value."""
    path, done = [(start, iter(_in_place(defs[start])))], set[str]()
    while path:
        name, holders = path[-1]
        holder = next(holders, None)
        if holder is None:
            done.add(name)
            path.pop()
            continue
        target = holder["$ref"].removeprefix(_DEFS)
        if any(target == above for above, _ in path):
            del holder["$ref"]
        elif target not in done:
            path.append((target, iter(_in_place(defs[target]))))


def _in_place(schema: Any) -> list[dict[str, Any]]:
    """The schemas with a reference that speak of the same value as this one."""
    found, pending = [], [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            found += [node] if "$ref" in node else []
            pending += [part for word in ("allOf", "anyOf", "oneOf") for part in node.get(word, ())]
            pending += [node["not"]] if "not" in node else []
    return found


def _nullable(schema: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """``nullable`` and ``x-nullable`` of older documents, in the words of JSON Schema."""
    if schema.get("nullable") is not True and schema.get("x-nullable") is not True:
        return made
    if "type" in made and "null" not in _as_list(made["type"]):
        made["type"] = [*_as_list(made["type"]), "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"].append(None)
        return made
    words: dict[str, Any] = {
        word: made.pop(word) for word in ("title", "description", "default", "examples") if word in made
    }
    return {**words, "anyOf": [made, {"type": "null"}]} if made else words


def _exclusive(schema: Mapping[str, Any], made: dict[str, Any]) -> None:
    """``exclusiveMinimum: true`` beside ``minimum`` in older documents, a number in newer ones."""
    for word, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        said = schema.get(word)
        if said is True and bound in made:
            made[word] = made.pop(bound)
        elif _is_number(said):
            made[word] = said


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]

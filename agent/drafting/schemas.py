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
_SCHEMAS = ("not", "additionalProperties", "items", "contains", "propertyNames", "unevaluatedProperties")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NUMBERS = ("minimum", "maximum", "multipleOf")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_FORMATS = frozenset(["date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"])
_DEEPEST = 24
_DEFS_MAX = 300
_DEF_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


class Translator:
    """Translates the schemas of one kind; ``defs`` fills up with those that are referred to."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.defs: dict[str, Any] = {}
        self.lost: list[str] = []
        self._names: dict[str, str] = {}

    def translated(self, schema: Any, depth: int = 0, *, within: frozenset[str] = frozenset()) -> Any:
        """One schema. ``within`` are the definitions that speak of the same value: a cycle among them is cut."""
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping):
            return {}
        if depth > _DEEPEST:
            self._lose("what is nested deeper than 24 levels is left open")
            return {}
        made = self._plain(schema)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            name = self._defined(reference, within)
            if name is not None:
                made["$ref"] = f"#/$defs/{name}"
        self._compose(schema, made, depth, within)
        self._members(schema, made, depth)
        return _nullable(schema, made)

    def _plain(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The keywords that hold no schema."""
        made: dict[str, Any] = {}
        for word in ("title", "description"):
            if isinstance(schema.get(word), str) and schema[word].strip():
                made[word] = schema[word].strip()
        types = [one for one in _as_list(schema.get("type")) if one in _TYPES]
        if types:
            made["type"] = types[0] if len(types) == 1 else list(dict.fromkeys(types))
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            made["enum"] = list({repr(one): one for one in schema["enum"]}.values())
        if "const" in schema:
            made["const"] = schema["const"]
        if schema.get("format") in _FORMATS:
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

    def _compose(self, schema: Mapping[str, Any], made: dict[str, Any], depth: int, within: frozenset[str]) -> None:
        for word in _LISTS:
            parts = [part for part in _as_list(schema.get(word)) if isinstance(part, Mapping | bool)]
            if parts:
                same = within if word != "prefixItems" else frozenset()
                made[word] = [self.translated(part, depth + 1, within=same) for part in parts[:100]]
        if isinstance(schema.get("not"), Mapping):
            made["not"] = self.translated(schema["not"], depth + 1, within=within)

    def _members(self, schema: Mapping[str, Any], made: dict[str, Any], depth: int) -> None:
        own: set[str] = set()
        properties = schema.get("properties")
        if isinstance(properties, Mapping):
            made["properties"] = {}
            for name, member in properties.items():
                if self._reader.is_read_only(member):
                    own.add(name)
                else:
                    made["properties"][str(name)] = self.translated(member, depth + 1)
        required = [one for one in _as_list(schema.get("required")) if isinstance(one, str) and one not in own]
        if required:
            made["required"] = list(dict.fromkeys(required))
        for word in ("additionalProperties", "items"):
            if isinstance(schema.get(word), bool | Mapping) and not (word == "items" and schema[word] == {}):
                made[word] = self.translated(schema[word], depth + 1)

    def _defined(self, reference: str, within: frozenset[str]) -> str | None:
        """The name of a definition; None where it leads nowhere, or around in a circle at the same place."""
        if reference in self._names:
            name = self._names[reference]
            return None if name in within else name
        target = self._reader.document.follow(reference)
        if not isinstance(target, Mapping):
            return None
        if len(self._names) >= _DEFS_MAX:
            self._lose(f"more than {_DEFS_MAX} schemas are referred to: the others are left open")
            return None
        stem = _DEF_NAME.sub("-", reference.rpartition("/")[2])[:80] or "schema"
        name, number = stem, 2
        while name in self.defs:
            name, number = f"{stem}-{number}", number + 1
        self._names[reference] = name
        self.defs[name] = {}
        self.defs[name] = self.translated(target, 1, within=within | {name})
        return name

    def _lose(self, what: str) -> None:
        if what not in self.lost:
            self.lost.append(what)


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

"""A JSON Schema of any draft in the words of Draft-07, which every language server knows.

What Draft-07 cannot say (``unevaluatedProperties``, ``minContains``) is left out, so that the result lets pass a little
more and never less. Used for ``datakeel.yaml`` as it is, and by ``kind_schema`` with a kind's rules woven in. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from agent.json_schema.reach import resolve_reference

DRAFT = "http://json-schema.org/draft-07/schema#"

_LABEL = 60  # of a snippet, in characters
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_DROPPED = frozenset(
    [
        *("$schema", "$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary", "$comment"),
        *("$defs", "definitions", "minContains", "maxContains", "unevaluatedItems", "unevaluatedProperties"),
        *("contentSchema", "then", "else", "prefixItems", "items", "additionalItems"),
        *("dependentSchemas", "dependentRequired", "dependencies", *_REFERENCES),
    ]
)
# Formats that are ours alone, or that a language server does not look at, as patterns.
_PATTERNS: Mapping[str, tuple[str, str]] = {
    "cron": (
        r"^[0-9A-Za-z*/,-]+( [0-9A-Za-z*/,-]+){4}$",
        "five fields: minute, hour, day of month, month, day of week",
    ),
    "duration": (r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$", "a length of time, such as 90s, 15m or 1h30m"),
}


class Writer:
    """Writes one schema anew. What it refers to becomes a definition called after ``name``, each once."""

    def __init__(self, root: Mapping[str, Any], name: str, definitions: dict[str, Any]) -> None:
        self._root = root
        self._name = name
        self._definitions = definitions
        self._known: dict[str, str] = {}

    def written(self, schema: Any, rules: Any = ()) -> Any:
        """The schema in Draft-07. ``rules`` are handed down to what is inside; here they mean nothing."""
        if not isinstance(schema, Mapping):
            return schema
        made: dict[str, Any] = {}
        for word, value in schema.items():
            if word not in _DROPPED:
                made |= self._word(word, value, schema, rules)
        self._lists(made, schema, rules)
        if "if" in schema:
            made |= {word: self.here(schema[word], rules) for word in ("then", "else") if word in schema}
        dependencies = {
            **schema.get("dependencies", {}),
            **schema.get("dependentRequired", {}),
            **schema.get("dependentSchemas", {}),
        }
        if dependencies:
            made["dependencies"] = {
                name: part if isinstance(part, list) else self.here(part, rules) for name, part in dependencies.items()
            }
        return self._with_references(made, schema, rules)

    def here(self, schema: Any, rules: Any) -> Any:
        """A schema that speaks of the same place."""
        return self.written(schema, rules)

    def below(self, schema: Any, rules: Any, word: str) -> Any:
        """A schema that speaks of a member, or with ``*`` of every element or other member."""
        return self.written(schema, rules)

    def members(self, properties: Mapping[str, Any], rules: Any) -> dict[str, Any]:
        """The named members."""
        return {name: self.below(part, rules, name) for name, part in properties.items()}

    def reference(self, pointer: str, target: Any, rules: Any) -> Any:
        """What stands for a schema that is referred to."""
        known = self._known.get(pointer)
        if known is None:
            last = pointer.rpartition("/")[2]
            stem = ".".join(filter(None, (self._name, last)))
            known, number = stem, 1
            while known in self._definitions:
                number += 1
                known = f"{stem}.{number}"
            self._known[pointer] = known
            self._definitions[known] = {}  # before what is inside, which may refer to it
            self._definitions[known] = self.written(target, rules)
        return {"$ref": f"#/definitions/{known}"}

    def _word(self, word: str, value: Any, schema: Mapping[str, Any], rules: Any) -> dict[str, Any]:
        if word == "properties":
            return {word: self.members(value, rules)}
        if word in ("additionalProperties", "contains"):
            return {word: self.below(value, rules if word != "contains" else (), "*")}
        if word == "patternProperties":
            return {word: {name: self.below(part, rules, "*") for name, part in value.items()}}
        if word in ("allOf", "anyOf", "oneOf"):
            return {word: [self.here(part, rules) for part in value]}
        if word in ("if", "not", "propertyNames"):
            return {word: self.written(value, ())}
        if word in ("exclusiveMinimum", "exclusiveMaximum") and isinstance(value, bool):  # of Draft-04
            limit = word.removeprefix("exclusive").lower()
            return {word: schema[limit]} if value and limit in schema else {}
        if word == "format" and value in _PATTERNS and "pattern" not in schema:
            pattern, meaning = _PATTERNS[value]
            return {"pattern": pattern, "patternErrorMessage": meaning}
        if word == "examples" and isinstance(value, list):
            return _examples(value, schema.get("defaultSnippets", []))
        if word == "deprecated":
            return {"deprecationMessage": str(schema.get("description", "deprecated"))} if value is True else {}
        return {word: value}

    def _lists(self, made: dict[str, Any], schema: Mapping[str, Any], rules: Any) -> None:
        """``prefixItems`` of the newest draft is what ``items`` was with a list."""
        first, rest = schema.get("prefixItems"), schema.get("items")
        if isinstance(rest, list):
            first, rest = rest, schema.get("additionalItems")
        if first is not None:
            made["items"] = [self.below(part, rules, str(index)) for index, part in enumerate(first)]
            if rest is not None:
                made["additionalItems"] = self.below(rest, rules, "*")
        elif rest is not None:
            made["items"] = self.below(rest, rules, "*")

    def _with_references(self, made: dict[str, Any], schema: Mapping[str, Any], rules: Any) -> Any:
        parts = []
        for word in _REFERENCES:
            found = resolve_reference(self._root, schema[word]) if isinstance(schema.get(word), str) else None
            if found is not None:
                pointer, target = found
                if "description" in schema and isinstance(target, Mapping) and "description" in target:
                    # An editor shows what is told inside first, so that this place's own words would never be seen.
                    pointer, target = f"{pointer}.plain", {key: target[key] for key in target if key != "description"}
                parts.append(self.reference(pointer, target, rules))
        if not parts:
            return made
        if not made and len(parts) == 1:
            return parts[0]
        return made | {"allOf": [*parts, *made.get("allOf", ())]}  # Draft-07 looks at nothing beside a `$ref`


def _examples(values: list[Any], snippets: list[Any]) -> dict[str, Any]:
    """A mapping is offered as a snippet: as an example, a language server calls it ``[object Object]``."""
    simple = [value for value in values if not isinstance(value, Mapping)]
    offered = [{"label": _label(value), "body": _literal(value)} for value in values if isinstance(value, Mapping)]
    return {
        **({"examples": simple} if simple else {}),
        **({"defaultSnippets": [*snippets, *offered]} if offered else {}),
    }


def _label(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LABEL else f"{text[: _LABEL - 1]}…"


def _literal(value: Any) -> Any:
    """The same in a snippet, where ``$`` and ``}`` mean something."""
    if isinstance(value, str):
        return re.sub(r"([$}\\])", r"\\\1", value)
    if isinstance(value, Mapping):
        return {name: _literal(member) for name, member in value.items()}
    return [_literal(member) for member in value] if isinstance(value, list) else value


def as_draft7(schema: Mapping[str, Any], comment: str) -> dict[str, Any]:
    """A whole schema in Draft-07, as an editor's file."""
    definitions: dict[str, Any] = {}
    made = Writer(schema, "", definitions).written(schema)
    named = {"definitions": dict(sorted(definitions.items()))} if definitions else {}
    return {"$schema": DRAFT, "$comment": comment, **made, **named}

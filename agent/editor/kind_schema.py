"""The schema of a kind's ``spec`` with what the definition says of single places woven in.

Where a secret may stand a reference to one is taken as well; what belongs to the platform may not be written; what a
person must know of a place is part of its hover text. As generous as ``validate/secret_leaves`` or more, never less:
a member whose name is only known when it is written may hold a reference, whatever it is called. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from agent.definitions.field_words import special, steps_of
from agent.definitions.platform import FieldRule, Kind
from agent.editor.draft7 import Writer
from agent.model.secret_names import REFERENCE, is_secret_name

SECRET_REFERENCE = "secretReference"  # noqa: S105 - the name of a definition
_READ_ONLY = "The platform sets this itself: leave it out."


class Rule(NamedTuple):
    """What is left of a rule's pointer, and the rule."""

    rest: tuple[str, ...]
    rule: FieldRule


def secret_reference() -> dict[str, Any]:
    """What a manifest writes instead of a secret."""
    return {
        "title": "Reference to a secret",
        "type": "object",
        "required": [REFERENCE],
        "additionalProperties": False,
        "properties": {
            REFERENCE: {
                "type": "string",
                "minLength": 1,
                "description": "A name among the target's `secrets` in datakeel.yaml, which says where the value is.",
            }
        },
        "description": "The secret stays out of git: `{secretRef: NAME}`, a name among the target's `secrets`.",
        "defaultSnippets": [{"label": "secretRef", "body": {REFERENCE: "${1:NAME}"}}],
    }


class KindWriter(Writer):
    """Writes the schema of one kind. Rules go along as far as their pointers lead."""

    def __init__(self, kind: Kind, definitions: dict[str, Any]) -> None:
        super().__init__(kind.schema or {}, kind.name, definitions)
        self._kind = kind

    def spec(self) -> Any:
        """The schema of ``spec``."""
        rules = tuple(Rule(_pattern(rule.pointer), rule) for rule in self._kind.fields)
        return self.written(self._kind.schema or {}, tuple(each for each in rules if _tells(each.rule)))

    def members(self, properties: Mapping[str, Any], rules: Any) -> dict[str, Any]:
        made = super().members(properties, rules)
        for name, part in properties.items():
            pair = name == "value" and ("name" in properties or "key" in properties)
            if (pair or is_secret_name(name)) and not self._is_plain(_below(rules, name)):
                made[name] = _open_to_reference(made[name], part)
        for each in rules:
            if len(each.rest) == 1 and each.rule.read_only and each.rest[0] not in ("*", *properties):
                made[each.rest[0]] = _refused()
        return made

    def below(self, schema: Any, rules: Any, word: str) -> Any:
        inside = _below(rules, word)
        here = [each.rule for each in inside if not each.rest]
        if any(rule.read_only for rule in here):
            return _refused()
        made = self.written(schema, tuple(each for each in inside if each.rest))
        if not isinstance(made, Mapping):
            made = {} if made is True and here else made
        if isinstance(made, Mapping) and here:
            made = _with_words(made, self._described(schema), here)
        if any(rule.secret for rule in here):
            return _or_reference(_scalar(made))
        if word == "*" and isinstance(schema, Mapping) and not self._is_plain(inside):
            return _open_to_reference(made, schema)
        return made

    def reference(self, pointer: str, target: Any, rules: Any) -> Any:
        # What rules speak of is written out here, since the same definition may serve where no rule holds.
        return self.written(target, rules) if rules else super().reference(pointer, target, ())

    def _described(self, schema: Any) -> str:
        """The nearest description: beside a reference it stands before that of what is referred to."""
        from agent.json_schema.reach import resolve_reference

        for _ in range(20):
            if not isinstance(schema, Mapping) or "description" in schema or not isinstance(schema.get("$ref"), str):
                break
            found = resolve_reference(self._kind.schema or {}, schema["$ref"])
            schema = found[1] if found else {}
        return str(schema.get("description", "")) if isinstance(schema, Mapping) else ""

    @staticmethod
    def _is_plain(rules: tuple[Rule, ...]) -> bool:
        """Whether the definition knows better than the name, or packs what stands there into one text."""
        return any(not each.rest and (each.rule.tells_plain or each.rule.encode) for each in rules)


def _tells(rule: FieldRule) -> bool:
    return bool(rule.secret or rule.tells_plain or rule.encode or special(rule))


def _pattern(pointer: str) -> tuple[str, ...]:
    """The words of a pointer; one that the scope fills in may be any."""
    return tuple("*" if "{" in word else word for word in steps_of(pointer))


def _below(rules: tuple[Rule, ...], word: str) -> tuple[Rule, ...]:
    """A rule of a named member does not speak of the others; one of every member speaks of a named one too."""
    return tuple(Rule(each.rest[1:], each.rule) for each in rules if each.rest and each.rest[0] in ("*", word))


def _with_words(made: Mapping[str, Any], described: str, rules: list[FieldRule]) -> dict[str, Any]:
    """Hover text: what it is, then what holds for it."""
    found = dict.fromkeys(word for rule in rules for word in special(rule))
    default = next(({"default": rule.default} for rule in rules if rule.has_default), {})
    if not found:
        return {**default, **made}
    told = ", ".join(found)
    text = "\n\n".join(filter(None, (described, f"*{told[:1].upper()}{told[1:]}.*")))
    return {**default, **made, "markdownDescription": text}


def _refused() -> dict[str, Any]:
    return {"not": {}, "doNotSuggest": True, "description": _READ_ONLY, "errorMessage": _READ_ONLY}


def _scalar(made: Any) -> dict[str, Any]:
    """A secret in clear is a single value, never a mapping that looks like a reference to elsewhere."""
    schema = dict(made) if isinstance(made, Mapping) else {}
    types = [schema.get("type", [])] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if types and not {"object", "array"} & set(types):
        return schema
    return {**schema, "allOf": [*schema.get("allOf", ()), {"not": {"type": ["object", "array"]}}]}


def _open_to_reference(made: Any, schema: Any) -> Any:
    """For what its name gives away: a list of secrets is opened in its elements, an object not at all."""
    if not isinstance(schema, Mapping) or not isinstance(made, Mapping):
        return made
    types = schema.get("type")
    if types == "array" or (isinstance(types, list) and "array" in types):
        return (
            {**made, "items": _open_to_reference(made["items"], {})} if isinstance(made.get("items"), Mapping) else made
        )
    if types in ("object", "boolean") or "properties" in schema or _is_open(made):
        return made
    return _or_reference(made)


def _is_open(made: Mapping[str, Any]) -> bool:
    """Whether a reference may stand there as it is, for nothing limits what may."""
    return not set(made) - {"description", "markdownDescription", "title", "default", "examples"}


def _or_reference(made: Mapping[str, Any]) -> dict[str, Any]:
    words = {word: made[word] for word in ("title", "description", "markdownDescription") if word in made}
    if {"$ref": f"#/definitions/{SECRET_REFERENCE}"} in made.get("anyOf", ()):
        return dict(made)
    return {**words, "anyOf": [made, {"$ref": f"#/definitions/{SECRET_REFERENCE}"}]}

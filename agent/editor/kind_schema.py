"""The schema of a kind's ``spec`` with what the definition says of single places woven in.

Where a secret may stand a reference to one is taken as well; what belongs to the platform may not be written; what a
person must know of a place is part of its hover text. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from agent.definitions.field_words import special, steps_of
from agent.definitions.platform import FieldRule, Kind
from agent.editor.draft7 import Writer
from agent.editor.secret_places import (
    FREE,
    FREE_SECRET,
    NO_REFERENCE,
    free,
    is_free,
    is_open,
    opened,
    or_reference,
    scalar,
    sounding,
)
from agent.model.secret_names import is_secret_name

# A schema with one of these is judged in parts, and none of them knows the members of the others.
_PARTS = frozenset({"$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"})
_READ_ONLY = "The platform sets this itself: leave it out."


class Rule(NamedTuple):
    """What is left of a rule's pointer, and the rule."""

    rest: tuple[str, ...]
    rule: FieldRule


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
        for name in properties:
            pair = name == "value" and ("name" in properties or "key" in properties)
            if (pair or is_secret_name(name)) and not _is_plain(_below(rules, name)):
                made[name] = opened(made[name])
        return made

    def written(self, schema: Any, rules: Any = ()) -> Any:
        made = super().written(schema, rules)
        if not isinstance(made, Mapping):
            return made
        refused = [each.rest[0] for each in rules if _is_refused_member(each) and each.rest[0] != "*"]
        if refused:
            made = {**made, "properties": {**made.get("properties", {}), **{name: _refused() for name in refused}}}
        return self._others(made, rules) if isinstance(schema, Mapping) and not _PARTS & schema.keys() else made

    def here(self, schema: Any, rules: Any) -> Any:
        # What is refused is refused where the place is described first: once is enough.
        return super().written(schema, tuple(each for each in rules if not _is_refused_member(each)))

    def below(self, schema: Any, rules: Any, word: str) -> Any:
        inside = _below(rules, word)
        here = [each.rule for each in inside if not each.rest]
        if any(rule.read_only for rule in here):
            return _refused()
        made = self.written(schema, tuple(each for each in inside if each.rest))
        if any(rule.secret for rule in here):
            return or_reference(scalar(_with_words(made, self._described(schema), here)))
        if is_open(made) and not any(each.rest for each in inside):
            made = free({} if made is True else made)
        return _with_words(made, self._described(schema), here) if here and isinstance(made, Mapping) else made

    def _others(self, made: Mapping[str, Any], rules: Any) -> Any:
        """Members that nobody declares: one may hold a reference where its name is that of a secret."""
        types = {made["type"]} if isinstance(made.get("type"), str) else set(made.get("type", ()))
        if "array" in types and "items" not in made:
            made = {**made, "items": FREE}
        if "object" not in types and "properties" not in made:
            return made
        others = made.get("additionalProperties", True)
        if others is False:
            return made
        made = {**made, "allOf": [NO_REFERENCE]}
        if _below(rules, "*") or "patternProperties" in made:
            return made
        led = {each.rest[0] for each in rules} - made.get("properties", {}).keys()  # by a rule, to what it speaks of
        properties = {**made.get("properties", {}), **{name: self.below({}, rules, name) for name in sorted(led)}}
        secret = FREE_SECRET if is_open(others) or is_free(others) else opened(others)
        return {
            **made,
            **({"properties": properties} if properties else {}),
            "patternProperties": {sounding(properties): secret},
            "additionalProperties": FREE if is_open(others) else others,
        }

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


def _is_plain(rules: tuple[Rule, ...]) -> bool:
    """Whether the definition knows better than the name, or packs what stands there into one text."""
    return any(not each.rest and (each.rule.tells_plain or each.rule.encode) for each in rules)


def _tells(rule: FieldRule) -> bool:
    return bool(rule.secret or rule.tells_plain or rule.encode or special(rule))


def _is_refused_member(each: Rule) -> bool:
    return len(each.rest) == 1 and each.rule.read_only


def _pattern(pointer: str) -> tuple[str, ...]:
    """The words of a pointer; one that the scope fills in may be any."""
    return tuple("*" if "{" in word else word for word in steps_of(pointer))


def _below(rules: tuple[Rule, ...], word: str) -> tuple[Rule, ...]:
    """A rule of a named member does not speak of the others; one of every member speaks of a named one too."""
    return tuple(Rule(each.rest[1:], each.rule) for each in rules if each.rest and each.rest[0] in ("*", word))


def _with_words(made: Any, described: str, rules: list[FieldRule]) -> dict[str, Any]:
    """Hover text: what it is, then what holds for it."""
    found = dict.fromkeys(word for rule in rules for word in special(rule))
    made = made if isinstance(made, Mapping) else {}
    default = next(({"default": rule.default} for rule in rules if rule.has_default), {})
    if not found:
        return {**default, **made}
    told = ", ".join(found)
    text = "\n\n".join(filter(None, (described, f"*{told[:1].upper()}{told[1:]}.*")))
    return {**default, **made, "markdownDescription": text}


def _refused() -> dict[str, Any]:
    return {"not": {}, "doNotSuggest": True, "description": _READ_ONLY, "errorMessage": _READ_ONLY}

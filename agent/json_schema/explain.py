"""Finds the faults of a value with jsonschema. Imported only when the fast engine has said no, or is not there.

Extends the drafts' validators: exact decimals, linear-time patterns, duplicates by digest, a limit on references
followed, and branches cut short. Never fetches: the registry is empty. ``wording.py`` makes the sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
import referencing
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]

from agent.json_schema.formats import FORMATS
from agent.json_schema.keywords import spelled_out
from agent.json_schema.patterns import matcher
from agent.json_schema.violation import Violation
from agent.json_schema.wording import Wording
from agent.model.canonical import canonical

_MOST_REFERENCES: Final = 1_000_000
_MOST_IN_BRANCH: Final = 30
_MOST_COUNTED: Final = 10_000


class _TooMany(Exception):
    """More references followed than an honest document needs."""


def _is_number(_checker: Any, value: Any) -> bool:
    return isinstance(value, int | Decimal | float) and not isinstance(value, bool)


def _is_integer(_checker: Any, value: Any) -> bool:
    if isinstance(value, Decimal):
        return value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


def _is_integer_of_draft_4(_checker: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_array(_checker: Any, value: Any) -> bool:
    return isinstance(value, list | tuple)


def _is_object(_checker: Any, value: Any) -> bool:
    return isinstance(value, Mapping)


def _multiple_of(validator: Any, factor: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "number") and factor and (Fraction(value) / Fraction(factor)).denominator != 1:
        yield ValidationError("")


def _unique_items(validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if wanted and validator.is_type(value, "array") and len({canonical(element) for element in value}) != len(value):
        yield ValidationError("")


def _pattern(validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "string") and not matcher(pattern)(value):
        yield ValidationError("")


def _pattern_properties(validator: Any, patterns: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "object"):
        for pattern, part in patterns.items():
            matches = matcher(pattern)
            for key in value:
                if matches(key):
                    yield from validator.descend(value[key], part, path=key, schema_path=pattern)


def _additional_properties(validator: Any, rest: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(value, "object") or rest is True:
        return
    named = schema.get("properties", {})
    patterns = [matcher(pattern) for pattern in schema.get("patternProperties", {})]
    for key in value:
        if key in named or any(matches(key) for matches in patterns):
            continue
        if rest is False:
            yield ValidationError("", path=[key])
        else:
            yield from validator.descend(value[key], rest, path=key)


def _any_of(validator: Any, branches: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:
    faults: list[ValidationError] = []
    for index, branch in enumerate(branches):
        found = list(islice(validator.descend(value, branch, schema_path=index), _MOST_IN_BRANCH))
        if not found:
            return
        faults.extend(found)
    yield ValidationError("", context=faults)


def _one_of(validator: Any, branches: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    fitting = sum(validator.evolve(schema=branch).is_valid(value) for branch in branches)
    if fitting > 1:
        yield ValidationError("")
    elif fitting == 0:
        yield from _any_of(validator, branches, value, schema)


def _type(validator: Any, types: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:
    named = [types] if isinstance(types, str) else types
    if not any(validator.is_type(value, name) for name in named):
        yield ValidationError("")


def _required(validator: Any, keys: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "object"):
        yield from (ValidationError(key) for key in keys if key not in value)  # the message is the key


def _property_names(validator: Any, names: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "object"):
        judge = validator.evolve(schema=names)
        yield from (ValidationError("", path=[key]) for key in value if not judge.is_valid(key))


def _dependencies(validator: Any, needs: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:
    """Drafts from 2019-09 on name it only as a word of older ones; the compiled engine heeds it in all."""
    if validator.is_type(value, "object"):
        for key, needed in needs.items():
            if key not in value:
                continue
            if isinstance(needed, list):
                yield from (ValidationError("") for other in needed if other not in value)
            else:
                yield from validator.descend(value, needed, schema_path=key)


def _counted(follow: Callable[..., Any], steps: list[int]) -> Callable[..., Iterator[ValidationError]]:
    def counted(validator: Any, reference: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        steps[0] += 1
        if steps[0] > _MOST_REFERENCES:
            raise _TooMany
        yield from follow(validator, reference, value, schema) or ()

    return counted


_OWN: Final = {
    "additionalProperties": _additional_properties,
    "anyOf": _any_of,
    "multipleOf": _multiple_of,
    "oneOf": _one_of,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "propertyNames": _property_names,
    "required": _required,
    "type": _type,
    "uniqueItems": _unique_items,
}
_BASES: Final[dict[str, Any]] = {
    "4": jsonschema.Draft4Validator,
    "6": jsonschema.Draft6Validator,
    "7": jsonschema.Draft7Validator,
    "2019-09": jsonschema.Draft201909Validator,
    "2020-12": jsonschema.Draft202012Validator,
}


def _format_checker() -> jsonschema.FormatChecker:
    checker = jsonschema.FormatChecker(formats=())
    for name, fits in FORMATS.items():
        checker.checks(name)(lambda value, fits=fits: not isinstance(value, str) or fits(value))
    return checker


def _validator(schema: Mapping[str, Any], draft: str, steps: list[int], registry: Any) -> Any:
    base = _BASES[draft]
    references = {
        keyword: _counted(base.VALIDATORS[keyword], steps)
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef")
        if keyword in base.VALIDATORS
    }
    own = {keyword: function for keyword, function in _OWN.items() if keyword in base.VALIDATORS}
    if "dependencies" not in base.VALIDATORS:
        own["dependencies"] = _dependencies
    types = base.TYPE_CHECKER.redefine_many(
        {
            "number": _is_number,
            "integer": _is_integer_of_draft_4 if draft == "4" else _is_integer,
            "array": _is_array,
            "object": _is_object,
        }
    )
    extended: Any = extend(base, validators={**own, **references}, type_checker=types)
    return extended(spelled_out(schema), registry=registry, format_checker=_format_checker())


class Explainer:
    """The slow engine over one schema."""

    def __init__(self, schema: Mapping[str, Any], name: str, draft: str) -> None:
        self._steps = [0]
        self._validator = _validator(schema, draft, self._steps, referencing.Registry())
        self._name = name
        self._schema = schema

    def is_valid(self, value: Any) -> bool:
        """The verdict of jsonschema."""
        self._steps[0] = 0
        try:
            return bool(self._validator.is_valid(value))
        except _TooMany:
            return False

    def violations(self, value: Any, sensitive: Callable[[str], bool], most: int) -> tuple[Violation, ...]:
        """The faults in sentences, each place once, at most ``most``; then one that counts the rest."""
        self._steps[0] = 0
        wording = Wording(self._schema, self._name, value, sensitive)
        found: dict[tuple[str, str], Violation] = {}
        more = 0
        try:
            for error in self._validator.iter_errors(value):
                if len(found) >= most:
                    more += 1  # counted without its sentence, which would take ten times as long
                    if more == _MOST_COUNTED:
                        break
                    continue
                for violation in wording.of(error):
                    found.setdefault((violation.pointer, violation.what), violation)
        except _TooMany:
            what = "the document follows too many references to be checked"
            found[("", what)] = Violation("", "value", "invalid-manifest", what, None, self._name)
        told = list(found.values())
        more += len(told) - len(told[:most])
        if more:
            what = f"{'at least ' if more >= _MOST_COUNTED else ''}{more:,} more faults are not listed"
            told[most:] = [Violation("", "value", "more-problems", what, None, self._name, more=more)]
        return tuple(told)


def metaschema_violations(schema: Mapping[str, Any], draft: str) -> tuple[Violation, ...]:
    """Why a schema is no schema of its draft. The drafts' own schemas come from the installed package."""
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

    meta = _BASES[draft].META_SCHEMA
    validator = _validator(meta, draft, [0], REGISTRY)
    wording = Wording(meta, "the JSON Schema specification", schema, lambda _pointer: False)
    found: dict[tuple[str, str], Violation] = {}
    for error in islice(validator.iter_errors(schema), 100):
        for violation in wording.of(error):
            found.setdefault((violation.pointer, violation.what), violation)
    return tuple(found.values())

"""The sentences for single schema faults: what each keyword says, how types and values are named. Pure.

Called by ``wording.py``, which knows places and secrets; a value that must not be shown arrives here as None.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from agent.json_schema.formats import EXAMPLES
from agent.yaml_io import readings

_TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}
_LONGEST_SHOWN: Final = 200
_MOST_NAMED: Final = 12


def visible(text: str) -> str:
    """A text on one line, cut, with escapes for what cannot be seen."""
    short = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
    return short if short.isprintable() else json.dumps(short)[1:-1]


def listed(words: list[str]) -> str:
    """The first words of a choice, and how many more there are."""
    more = f" and {len(words) - _MOST_NAMED} more" if len(words) > _MOST_NAMED else ""
    return ", ".join(visible(word) for word in words[:_MOST_NAMED]) + more


def shown(value: Any) -> str:
    """A scalar as JSON, cut; of a collection only its size, since a member may be a secret."""
    if isinstance(value, Mapping):
        return f"a mapping of {len(value)}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int | Decimal):
        return "a number"
    return "text" if isinstance(value, str) else "a list" if isinstance(value, list | tuple) else "a mapping"


def of_type(wanted: list[str], value: Any) -> tuple[str, str | None]:
    """Sentence and fix for a value of the wrong type; ``value`` is None where it must not be shown."""
    what = f"must be {' or '.join(_TYPES.get(name, name) for name in wanted)}"
    if value is None:
        return what, None
    what += f", not {_kind(value)}"
    if "string" in wanted and isinstance(value, bool | int | Decimal):
        written = json.dumps(value) if isinstance(value, bool) else str(value)
        return what, f'write "{written}"'
    if isinstance(value, str) and {"integer", "number", "boolean"} & set(wanted):
        others = [text for text in readings(value) if (text in {"true", "false"}) == ("boolean" in wanted)]
        if others:
            return what, f"write {' or '.join(others)}"
        if value.lower() in {"true", "false"} or (value.lstrip("-").isdecimal() and "boolean" not in wanted):
            return what, f"write {value.lower()[:60]} without quotes"
    return what, None


def sentence(error: Any, value: Any) -> tuple[str, str | None]:
    """What is wrong, without naming the field and without the value; ``value`` is None where it must not be shown."""
    keyword, limit = error.validator, error.validator_value
    if keyword is None or (keyword == "not" and limit == {}):
        return "is not allowed here", "remove it"
    if keyword == "type":
        if error.instance is None:
            return of_type([limit] if isinstance(limit, str) else list(limit), None)[0] + ", not null", None
        return of_type([limit] if isinstance(limit, str) else list(limit), value)
    if keyword == "enum":
        return choice(limit, value)
    if keyword == "const":
        return f"must be {shown(limit)}", f"write {shown(limit)}"
    if keyword == "format":
        kind, fix = EXAMPLES.get(limit, (f"of the format {limit}", None))
        return f"is not {kind}", fix
    if keyword == "required":
        return "lacks a key", None
    limit_says = _LIMITS.get(keyword)
    if limit_says is None:
        return f"breaks the rule `{keyword}` of the schema", None
    return limit_says.format(shown(limit) if not isinstance(limit, str) else visible(limit)), None


def choice(allowed: Any, value: Any) -> tuple[str, str | None]:
    """Sentence and fix for a value that is none of the allowed ones."""
    words = [text if isinstance(text, str) else shown(text) for text in allowed]
    near = difflib.get_close_matches(value, words, 1) if isinstance(value, str) else []
    if not near and isinstance(value, bool | int | Decimal) and str(value) in words:
        return f"must be one of {listed(words)}", f'write "{value}"'
    return f"must be one of {listed(words)}", f"did you mean `{visible(near[0])}`?" if near else None


_LIMITS: Final = {
    "pattern": "does not match {}",
    "minLength": "must have at least {} character(s)",
    "maxLength": "must have at most {} character(s)",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minItems": "must hold at least {} item(s)",
    "maxItems": "must hold at most {} item(s)",
    "uniqueItems": "holds an item twice",
    "minProperties": "must have at least {} key(s)",
    "maxProperties": "must have at most {} key(s)",
    "contains": "lacks an item of the kind that it must hold",
    "minContains": "holds too few items of one kind",
    "maxContains": "holds too many items of one kind",
    "not": "is what it must not be",
    "oneOf": "fits more than one of the forms of which it must be exactly one",
    "anyOf": "fits none of the forms that it may have",
    "dependentRequired": "holds a key that needs another beside it",
    "dependencies": "holds a key that needs another beside it",
    "additionalItems": "holds more items than it may",
    "unevaluatedItems": "holds more items than it may",
    "prefixItems": "holds more items than it may",
    "items": "holds more items than it may",
}

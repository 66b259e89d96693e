"""Puts the faults that jsonschema finds into sentences of our own, from keyword, path and schema.

The library's messages are never shown: they quote the value, which may be a secret. Where branches (``anyOf``,
``oneOf``) all fail, the branch that the writer most likely meant is explained, so that the message names the field.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from agent.json_schema.keywords import escape
from agent.json_schema.reach import resolve_reference
from agent.json_schema.sentences import choice, listed, of_type, sentence, shown, visible
from agent.json_schema.violation import Violation

_DEEPEST: Final = 20


class Wording:
    """Words the faults of one value against one schema."""

    def __init__(self, schema: Any, name: str, value: Any, sensitive: Callable[[str], bool]) -> None:
        self._schema = schema
        self._name = name
        self._value = value
        self._sensitive = sensitive

    def of(self, error: Any, depth: int = 0) -> Iterator[Violation]:
        """One or more violations for a fault of jsonschema."""
        keyword = error.validator
        if keyword in {"anyOf", "oneOf"} and error.context and depth < _DEEPEST:
            yield from self._branches(error, depth)
        elif keyword == "additionalProperties":
            yield self._unknown_key(_pointer(error.absolute_path), error.schema)
        elif keyword == "unevaluatedProperties":
            yield from self._unevaluated(error)
        elif keyword == "propertyNames":
            pointer = _pointer(error.absolute_path)
            yield self._violation(pointer, f"the key {named(pointer)} is not allowed here", None, None, at="key")
        elif keyword == "required":
            yield self._missing(error)
        else:
            yield self._leaf(error)

    def _violation(
        self, pointer: str, what: str, got: str | None, fix: str | None, *, at: Any = "value", code: str = ""
    ) -> Violation:
        why = f"{self._name}, {pointer or '/'}"
        return Violation(pointer, at, code or "invalid-manifest", what, got, why, fix)

    def _leaf(self, error: Any) -> Violation:
        pointer = _pointer(error.absolute_path)
        value, subject = error.instance, named(pointer)
        hidden = self._sensitive(pointer)
        what, fix = sentence(error, None if hidden else value)
        return self._violation(pointer, f"{subject} {what}", None if hidden else shown(value), fix)

    def _missing(self, error: Any) -> Violation:
        pointer = _pointer(error.absolute_path)
        key = error.message
        known = _declared(self._schema, error.schema)
        near = difflib.get_close_matches(key, [word for word in error.instance if word not in known], 1)
        fix = f"add `{visible(key)}`" + (f"; did you mean it by `{visible(near[0])}`?" if near else "")
        return self._violation(pointer, f"{named(pointer)} lacks `{visible(key)}`", None, fix, at="key")

    def _unknown_key(self, pointer: str, schema: Any) -> Violation:
        key = pointer.rsplit("/", 1)[-1].replace("~1", "/").replace("~0", "~")
        known = sorted(_declared(self._schema, schema))
        near = difflib.get_close_matches(key, known, 1)
        if near:
            fix: str | None = f"did you mean `{visible(near[0])}`?"
        else:
            fix = f"known here: {listed(known)}" if known else None
        return self._violation(pointer, f"{named(pointer)} is not known", None, fix, at="key", code="unknown-key")

    def _unevaluated(self, error: Any) -> Iterator[Violation]:
        pointer = _pointer(error.absolute_path)
        declared = _declared(self._schema, error.schema)
        unknown = [key for key in error.instance if key not in declared] if isinstance(error.instance, Mapping) else []
        for key in unknown:
            yield self._unknown_key(f"{pointer}/{escape(key)}", error.schema)
        if not unknown:
            yield self._violation(pointer, f"{named(pointer)} holds keys that do not go together", None, None)

    def _branches(self, error: Any, depth: int) -> Iterator[Violation]:
        """Explain the branch that fits best; if no branch takes the value's type at all, name all their types."""
        branches: dict[Any, list[Any]] = {}
        for fault in error.context:
            branches.setdefault(fault.schema_path[0], []).append(fault)
        types = [_root_type(faults) for faults in branches.values()]
        if all(types):
            wanted = list(dict.fromkeys(name for names in types for name in names))
            pointer = _pointer(error.absolute_path)
            hidden = self._sensitive(pointer)
            what, fix = of_type(wanted, None if hidden else error.instance)
            yield self._violation(pointer, f"{named(pointer)} {what}", None if hidden else shown(error.instance), fix)
            return
        lacking = [_only_missing(faults) for faults in branches.values()]
        if all(lacking):
            pointer = _pointer(error.absolute_path)
            choices = " or ".join(dict.fromkeys(f"`{visible(key)}`" for key in lacking if key))
            yield self._violation(pointer, f"{named(pointer)} needs {choices}", None, f"add {choices}", at="key")
            return
        telling = _discriminator(list(branches.values()))
        if telling is not None:
            fault, allowed = telling
            pointer = _pointer(fault.absolute_path)
            hidden = self._sensitive(pointer)
            what, fix = choice(allowed, None if hidden else fault.instance)
            yield self._violation(pointer, f"{named(pointer)} {what}", None if hidden else shown(fault.instance), fix)
            return
        for fault in min(branches.values(), key=_unfitness):
            yield from self.of(fault, depth + 1)


def named(pointer: str) -> str:
    """A pointer as people write it: ``schedule.cron``, ``stack[0].name``."""
    if not pointer:
        return "the document"
    text = ""
    for word in pointer.split("/")[1:]:
        word = word.replace("~1", "/").replace("~0", "~")
        text += f"[{word}]" if word.isdecimal() else f".{word}"
    return f"`{visible(text.removeprefix('.'))}`"


def _pointer(path: Iterable[Any]) -> str:
    return "".join(f"/{escape(str(word))}" for word in path)


def _declared(root: Any, schema: Any) -> set[str]:
    """The keys that a schema names, with those of the schemas that apply to the same place."""
    names: set[str] = set()
    pending, seen = [schema], set[int]()
    while pending:
        part = pending.pop()
        if not isinstance(part, Mapping) or id(part) in seen:
            continue
        seen.add(id(part))
        names.update(part.get("properties", {}))
        for keyword in ("allOf", "anyOf", "oneOf"):
            pending.extend(part.get(keyword, ()))
        pending.extend(part[keyword] for keyword in ("if", "then", "else") if keyword in part)
        pending.extend(part.get("dependentSchemas", {}).values())
        target = resolve_reference(root, part["$ref"]) if isinstance(part.get("$ref"), str) else None
        if target is not None:
            pending.append(target[1])
    return names


def _root_type(faults: list[Any]) -> list[str]:
    """The types that a branch wants when it failed by the type of the whole value."""
    for fault in faults:
        if fault.validator == "type" and not fault.path:
            wanted = fault.validator_value
            return [wanted] if isinstance(wanted, str) else list(wanted)
    return []


def _only_missing(faults: list[Any]) -> str:
    """The key whose absence alone makes a branch fail."""
    if len(faults) == 1 and faults[0].validator == "required" and not faults[0].path:
        return str(faults[0].message)
    return ""


def _discriminator(branches: list[list[Any]]) -> tuple[Any, list[Any]] | None:
    """A field whose constants tell the branches apart and whose value is none of them, with all its constants."""
    wanted: dict[tuple[Any, ...], list[Any]] = {}
    seen: dict[tuple[Any, ...], int] = {}
    last: dict[tuple[Any, ...], Any] = {}
    for faults in branches:
        for fault in faults:
            if fault.validator in {"const", "enum"}:
                path = tuple(fault.path)
                allowed = [fault.validator_value] if fault.validator == "const" else list(fault.validator_value)
                wanted.setdefault(path, []).extend(word for word in allowed if word not in wanted.get(path, ()))
                seen[path] = seen.get(path, 0) + 1
                last[path] = fault
    for path, count in seen.items():
        if count == len(branches):
            return last[path], wanted[path]
    return None


def _unfitness(faults: list[Any]) -> tuple[int, int, int]:
    """Order of branches: first the one whose type and discriminating constants fit, then the one with fewest faults."""
    wrong_type = any(
        not fault.path and (fault.validator == "type" or (fault.validator == "not" and fault.validator_value == {}))
        for fault in faults
    )
    wrong_choice = sum(fault.validator in {"const", "enum"} and len(fault.path) <= 1 for fault in faults)
    return int(wrong_type), wrong_choice, len(faults)

"""The rules that a schema must keep before it may judge anything; every fault with file, line and column.

Called once for each schema file when a definition is loaded. The walk is iterative, so that no schema can exhaust the
stack; nothing outside the schema is ever opened or fetched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from agent.errors import Problem, Where
from agent.json_schema.drafts import DRAFTS, compile_fast, draft_of, fits_metaschema
from agent.json_schema.in_place import in_place_fault
from agent.json_schema.keywords import escape, subschemas
from agent.json_schema.patterns import pattern_fault
from agent.json_schema.reach import resolve_reference
from agent.yaml_io import Budget, Positions, load, positions

_BUDGET: Final = Budget(documents=1)
_DEEPEST: Final = 64
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")


def check_schema(source: bytes, path: str) -> tuple[Mapping[str, Any] | None, tuple[Problem, ...]]:
    """The schema of a JSON or YAML text, or None and what is wrong with it."""
    schema, problems = _read(source)
    if problems or schema is None:
        return None, tuple(replace(problem, where=replace(problem.where, path=path)) for problem in problems)
    faults = _Faults(source, path)
    _check(schema, faults)
    return (None, tuple(faults.problems)) if faults.problems else (schema, ())


def _read(source: bytes) -> tuple[dict[str, Any] | None, tuple[Problem, ...]]:
    value = _json(source) if len(source) <= _BUDGET.bytes else None
    if value is None:
        loaded = load(source, _BUDGET)
        errors = tuple(problem for problem in loaded.problems if problem.severity == "error")
        if errors:
            return None, errors
        value = loaded.documents[0].value if loaded.documents else None
    if not isinstance(value, dict):
        return None, (Problem("schema-invalid", "a schema is a mapping", Where("", 1, 1)),)
    return value, ()


def _json(source: bytes) -> dict[str, Any] | None:
    """The value of a JSON text; None for anything else, which the YAML loader then judges."""
    try:
        # Decoded here: the standard library would guess other encodings, and let halves of surrogate pairs pass.
        value = json.loads(source.decode(), parse_float=Decimal, object_pairs_hook=_unique, parse_constant=_refuse)
        if b"\\u" in source:  # an escape may still make one, which breaks whoever encodes it
            json.dumps(value, ensure_ascii=False, default=str).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice")
    return members


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


class _Faults:
    """Collects problems by the pointer of what is wrong."""

    def __init__(self, source: bytes, path: str) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._path = path
        self._positions: Positions | None = None

    def add(self, code: str, pointer: str, what: str, *, got: str | None = None, fix: str | None = None) -> None:
        if self._positions is None:
            self._positions = positions(self._source, 0, _BUDGET)
        where = Where(self._path, *self._positions.value(pointer))
        shown = got[:200] if got else None
        self.problems.append(Problem(code, what, where, None, shown, f"{self._path}, {pointer or '/'}", fix))


def _check(schema: dict[str, Any], faults: _Faults) -> None:
    draft = draft_of(schema)
    if draft is None:
        known = ", ".join(DRAFTS)
        faults.add(
            "schema-draft", "/$schema", "an unknown draft", got=str(schema["$schema"]), fix=f"use one of {known}"
        )
        return
    too_deep = _too_deep(schema)
    if too_deep is not None:
        faults.add("schema-budget", too_deep, f"nested more than {_DEEPEST} levels deep")
        return
    parts = list(subschemas(schema))
    for pointer, part in parts:
        _check_part(schema, pointer, part, faults)
    if faults.problems:
        return
    loop = in_place_fault(schema, parts)
    if loop is not None:
        faults.add(*loop)
        return
    if fits_metaschema(schema) is not True:
        _check_metaschema(schema, draft, faults)
    if not faults.problems:
        try:
            compile_fast(schema)
        except ValueError as error:
            faults.add("schema-invalid", "", "the schema cannot be compiled", got=str(error).splitlines()[0])


def _too_deep(value: Any) -> str | None:
    """The pointer of something that is nested too deep; looked for only where the number of levels says so."""
    layer = [value]
    for _ in range(_DEEPEST):
        layer = [member for node in layer for member in _members(node)]
        if not layer:
            return None
    pending: list[tuple[str, Any, int]] = [("", value, 1)]
    while pending:
        pointer, node, level = pending.pop()
        if level > _DEEPEST and isinstance(node, (dict, list)):
            return pointer
        if isinstance(node, dict):
            pending += [(f"{pointer}/{escape(key)}", member, level + 1) for key, member in node.items()]
        elif isinstance(node, list):
            pending += [(f"{pointer}/{index}", member, level + 1) for index, member in enumerate(node)]
    return None


def _members(node: Any) -> Iterable[Any]:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _check_part(root: dict[str, Any], pointer: str, part: dict[str, Any], faults: _Faults) -> None:
    for keyword in _REFERENCES:
        reference = part.get(keyword)
        if isinstance(reference, str):
            here = f"{pointer}/{keyword}"
            if not reference.startswith("#"):
                fix = "copy the schema below $defs and refer to it as #/$defs/…"
                faults.add("schema-remote-ref", here, "a reference leaves the file", got=reference, fix=fix)
            elif resolve_reference(root, reference) is None:
                faults.add("schema-invalid", here, "a reference to nothing in this file", got=reference)
    identity = part.get("$id", part.get("id") if root.get("$schema", "").find("draft-04") >= 0 else None)
    if pointer and isinstance(identity, str) and not identity.startswith("#"):
        faults.add("schema-invalid", f"{pointer}/$id", "`$id` stands inside a schema", fix="use $defs and `#/$defs/…`")
    if isinstance(part.get("pattern"), str):
        _check_pattern(part["pattern"], f"{pointer}/pattern", faults)
    if isinstance(part.get("patternProperties"), dict):
        for pattern in part["patternProperties"]:
            _check_pattern(pattern, f"{pointer}/patternProperties/{escape(pattern)}", faults)


def _check_pattern(pattern: str, pointer: str, faults: _Faults) -> None:
    fault = pattern_fault(pattern)
    if fault is not None:
        faults.add("schema-pattern", pointer, f"the pattern {fault}", got=pattern)


def _check_metaschema(schema: dict[str, Any], draft: str, faults: _Faults) -> None:
    """Say where the schema is no schema. Imports jsonschema, but only when something is wrong."""
    from agent.json_schema.explain import metaschema_violations

    for violation in metaschema_violations(schema, draft):
        fix = violation.fix or _nearest_type(schema, violation.pointer)
        faults.add("schema-invalid", violation.pointer, violation.what, got=violation.got, fix=fix)


def _nearest_type(schema: dict[str, Any], pointer: str) -> str | None:
    found = resolve_reference(schema, f"#{pointer}")
    if found is None or not isinstance(found[1], str) or pointer.rsplit("/", 1)[-1] != "type":
        return None
    types = ["string", "integer", "number", "boolean", "object", "array", "null"]
    import difflib  # only where a schema is wrong

    near = difflib.get_close_matches(found[1], types, 1)
    return f'did you mean "{near[0]}"?' if near else f"use one of {', '.join(types)}"

"""Schemas that apply to the same place of an instance: no cycle among them, and not too many ways through them.

Called at load. A cycle would never end (``$ref: "#"`` at the root); many ways (``allOf`` of two references to the next
level, again and again) take time that grows as two to the number of levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from agent.json_schema.reach import resolve_reference

_MOST_PATHS: Final = 10_000
_BRANCHES: Final = ("allOf", "anyOf", "oneOf")
_SINGLE: Final = ("not", "if", "then", "else")
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")


def in_place_fault(root: dict[str, Any], parts: Sequence[tuple[str, dict[str, Any]]]) -> tuple[str, str, str] | None:
    """Code, pointer and sentence of the first cycle or excess, or None."""
    edges = {id(part): _edges(root, pointer, part) for pointer, part in parts}
    pointers = {id(part): pointer for pointer, part in parts}
    paths: dict[int, int] = {}
    for _, part in parts:
        fault = _count_from(id(part), edges, pointers, paths)
        if fault is not None:
            return fault
    return None


def _edges(root: dict[str, Any], pointer: str, part: dict[str, Any]) -> list[tuple[int, str]]:
    """The schemas that apply at the same place, each with the pointer of the keyword that says so."""
    found: list[tuple[int, str]] = []
    for keyword in _REFERENCES:
        if isinstance(part.get(keyword), str):
            target = resolve_reference(root, part[keyword])
            if target is not None:
                found.append((id(target[1]), f"{pointer}/{keyword}"))
    for keyword in _BRANCHES:
        members = part.get(keyword)
        if isinstance(members, list):
            found += [(id(member), f"{pointer}/{keyword}/{index}") for index, member in enumerate(members)]
    found += [(id(part[keyword]), f"{pointer}/{keyword}") for keyword in _SINGLE if isinstance(part.get(keyword), dict)]
    for keyword in ("dependentSchemas", "dependencies"):
        members = part.get(keyword)
        if isinstance(members, dict):
            found += [(id(member), f"{pointer}/{keyword}") for member in members.values() if isinstance(member, dict)]
    return found


def _count_from(
    start: int, edges: dict[int, list[tuple[int, str]]], pointers: dict[int, str], paths: dict[int, int]
) -> tuple[str, str, str] | None:
    """Count the ways through the schemas in place, depth first, without recursion."""
    stack: list[tuple[int, int]] = [(start, 0)]
    on_path = {start}
    while stack:
        node, index = stack.pop()
        following = edges.get(node, [])
        if node in paths:
            on_path.discard(node)
            continue
        if index < len(following):
            child, pointer = following[index]
            stack.append((node, index + 1))
            if child in on_path:
                return "schema-loop", pointer, "a schema refers to itself at the same place and would never end"
            if child not in paths and child in edges:
                on_path.add(child)
                stack.append((child, 0))
            continue
        on_path.discard(node)
        paths[node] = 1 + sum(paths.get(child, 1) for child, _ in following)
        if paths[node] > _MOST_PATHS:
            what = f"more than {_MOST_PATHS:,} ways through references and branches at one place"
            return "schema-budget", pointers.get(node, ""), what
    return None

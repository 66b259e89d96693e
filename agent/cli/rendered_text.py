"""Rendered manifests as YAML: as files that can be read again, or for people, each value with the place of its origin.

Used by the verb ``render``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent import yaml_io
from agent.errors import Where
from agent.report.escape import clean
from agent.validate.origins import Origin
from agent.validate.pointers import Tokens
from agent.validate.rendered import Rendered
from agent.validate.variables import escaped

_COLUMN_MAX = 60
"""Origins stand in one column where the values leave room for it."""


def as_yaml(each: Rendered) -> str:
    """A manifest that says the same by itself: read again, with any variables, it gives the same resource."""
    return yaml_io.dump(_escaped(each.value))


class Origins:
    """Writes manifests with origins. ``path`` is that of the manifest's file, ``variables`` are places of values."""

    def __init__(self, target: str, path: str, variables: Mapping[str, Where], *, full: bool) -> None:
        self._target = target
        self._path = path
        self._variables = variables
        self._full = full

    def text(self, each: Rendered) -> str:
        value = _escaped(each.value)
        root = each.origin
        lines = list(self._node(value, root, (), 0, ""))
        width = min(_COLUMN_MAX, max((len(line) for line, origin in lines if origin), default=0))
        return "".join(f"{line.ljust(width)}  # {origin}\n" if origin else f"{line}\n" for line, origin in lines)

    def of(self, each: Rendered, at: Tokens) -> str:
        """Where what stands at a place of the manifest was written."""
        return self._origin(each.origin, at)

    def _node(self, value: Any, root: Origin, at: Tokens, indent: int, lead: str) -> Iterator[tuple[str, str]]:
        """Lines and their origins. ``lead`` is what stands before the value on its first line."""
        if isinstance(value, dict) and value:
            for number, (key, member) in enumerate(value.items()):
                before = (lead if not number else " " * indent) + yaml_io.dump(key).rstrip("\n") + ":"
                yield from self._member(member, root, (*at, key), indent, before)
        elif isinstance(value, list) and value:
            for number, member in enumerate(value):
                before = (lead if not number else " " * indent) + "- "
                yield from self._element(member, root, (*at, str(number)), indent, before)
        else:
            yield from self._scalar(value, root, at, indent, lead)

    def _member(self, value: Any, root: Origin, at: Tokens, indent: int, before: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, list) and value and not self._full and self._came_whole(root, at):
            yield f"{before} […]", self._origin(root, at)
        elif isinstance(value, (dict, list)) and value:
            yield before, ""
            yield from self._node(value, root, at, indent + 2, " " * (indent + 2))
        else:
            yield from self._scalar(value, root, at, indent, f"{before} ")

    def _element(self, value: Any, root: Origin, at: Tokens, indent: int, before: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, (dict, list)) and value:
            yield from self._node(value, root, at, indent + 2, before)
        else:
            yield from self._scalar(value, root, at, indent, before)

    def _scalar(self, value: Any, root: Origin, at: Tokens, indent: int, before: str) -> Iterator[tuple[str, str]]:
        first, *rest = yaml_io.dump(value).rstrip("\n").split("\n")
        yield before + first, self._origin(root, at)
        for line in rest:
            yield (" " * indent + line if line else ""), ""

    def _came_whole(self, root: Origin, at: Tokens) -> bool:
        """Whether all of it stands in one place, with no variable in it."""
        node = root.part(at)
        return node is not None and not node.text.variables_below(node.find(())[1])

    def _origin(self, root: Origin, at: Tokens) -> str:
        text, place = root.find(at)
        if at[0] == "apiVersion" or (at[0] == "metadata" and place == root.find(("metadata",))[1]):
            return f"target {self._target}"
        where = text.where(place)
        shown = str(Where(where.path or self._path, where.line, where.column))
        names = [f"{name} at {self._variables[name]}" for name in text.variables(place) if name in self._variables]
        return clean(f"{shown} ({', '.join(names)})" if names else shown)


def _escaped(value: Any) -> Any:
    """With every text as a manifest must write it, so that none is taken for a variable."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {key: _escaped(member) for key, member in value.items()}
    return [_escaped(member) for member in value] if isinstance(value, list) else value

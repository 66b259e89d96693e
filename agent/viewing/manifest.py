"""A manifest as it was understood: its YAML after variables and overlays, each line with the place it was written at.

Used by ``resource``. A secret that stands in clear is masked here as in every other output, which the bare text of a
file could not be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from agent import yaml_io
from agent.model.identity import Key, Origin
from agent.reconcile.target import Target
from agent.validate.kind_rules import rules_of
from agent.validate.origins import Origin as Place
from agent.validate.pointers import Tokens
from agent.validate.rendered import Rendered, render
from agent.validate.secret_leaves import masked, named_places

LINES_MAX = 600


def manifest_of(target: Target, key: Key, origin: Origin) -> dict[str, Any] | None:
    """``{"path", "line", "lines": [{"line", "path", "text"}], "more"}``; None where git has no such manifest any more.

    ``path`` of a line is None where it stands in the manifest's own file. Blocks: it reads a file from git.
    """
    last = target.last
    entry = next((each for each in last.entries if each.path == origin.path), None)
    if last.rendering is None or entry is None:
        return None
    source = next(iter(target.source.read([last.rendering.blob_of(entry.blob)])))[1]
    inputs = last.rendering.inputs_of(entry.blob)
    for each in render(source, target.platform, target.config.defaults, inputs):
        named = each.named
        if (named.kind.name, tuple(named.scope), named.name) == (key.kind, key.scope, key.name):
            lines = list(_lines(_shown(each, target), each.origin, (), 0, ""))
            return {
                "path": origin.path,
                "line": origin.line,
                "lines": [{"line": line, "path": path or None, "text": text} for text, path, line in lines[:LINES_MAX]],
                "more": max(0, len(lines) - LINES_MAX),
            }
    return None


def _shown(each: Rendered, target: Target) -> dict[str, Any]:
    """The manifest without secrets that stand in clear; of actions only their names are shown."""
    rules, spec, lifecycle = rules_of(target.platform).of(each.named.kind), each.identity.spec, each.identity.lifecycle
    declared = rules.secrets(dict(each.named.scope))
    places = (place for place, _, _ in named_places(spec, declared, rules.plain, rules.packed))
    spec, _ = masked(spec, (*declared, *places))
    actions = lifecycle.get("actions") if isinstance(lifecycle, dict) else None
    if isinstance(actions, dict):
        lifecycle = {**lifecycle, "actions": dict.fromkeys(actions, "…")}
    return replace(each, identity=replace(each.identity, spec=spec, lifecycle=lifecycle)).value


def _lines(value: Any, root: Place, at: Tokens, indent: int, lead: str) -> Iterator[tuple[str, str, int | None]]:
    """Each line of the YAML with the file and the line that it was written at; ``lead`` stands before the first."""
    if isinstance(value, dict) and value:
        for number, (name, member) in enumerate(value.items()):
            before = (lead if not number else " " * indent) + yaml_io.dump(name).rstrip("\n") + ":"
            if isinstance(member, dict | list) and member:
                yield before, *_place(root, (*at, name))
                yield from _lines(member, root, (*at, name), indent + 2, " " * (indent + 2))
            else:
                yield from _scalar(member, root, (*at, name), indent, f"{before} ")
    elif isinstance(value, list) and value:
        for number, member in enumerate(value):
            before = (lead if not number else " " * indent) + "- "
            yield from _lines(member, root, (*at, str(number)), indent + 2, before)
    else:
        yield from _scalar(value, root, at, indent, lead)


def _scalar(value: Any, root: Place, at: Tokens, indent: int, before: str) -> Iterator[tuple[str, str, int | None]]:
    first, *rest = yaml_io.dump(value).rstrip("\n").split("\n")
    path, line = _place(root, at)
    yield before + first, path, line
    for number, text in enumerate(rest, 1):
        yield (" " * indent + text if text else ""), path, None if line is None else line + number


def _place(root: Place, at: Tokens) -> tuple[str, int | None]:
    if at[0] == "apiVersion":
        return "", None
    text, place = root.find(at)
    where = text.where(place, "key" if place else "value")
    return where.path or "", where.line

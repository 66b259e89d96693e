"""What a proposed revision changes of the configuration, key by key, in words.

Called by the command line where a pull request is checked. Nothing here is followed, opened or believed: the proposed
file is only read, and compared with the one in force.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agent import yaml_io
from agent.config.faults import as_text, is_secret_place, join
from agent.model.unmerged import Unmerged

_MISSING: Any = type("Missing", (), {})()
_SHOWN_MAX = 50
_TOLD_OF_A_TARGET = ("platform", "server", "folder")
_USER = re.compile(r"://[^/@\s\"]*@")


def config_changes(path: str, merged: bytes, proposed: bytes | None) -> list[Unmerged]:
    """Every key that differs, in the order of the file; one sentence where the proposed file cannot be read."""
    if proposed is None:
        return [_told(path, "the configuration is removed, so that the agent would have none")]
    if merged == proposed:
        return []
    before, after = _document(merged), _document(proposed)
    if not isinstance(after, Mapping):
        return [_told(path, "the configuration cannot be read any more, so that the agent would refuse it")]
    before = before if isinstance(before, Mapping) else {}
    places = yaml_io.positions(proposed, 0, yaml_io.CONFIG_BUDGET)
    found = []
    for parts, old, new in _differences(before, after, ()):
        if _is_content(parts):
            continue
        pointer = join(*parts)
        line = None if new is _MISSING else places.key(pointer)[0]
        lines = [
            f"{mark} {_shown(pointer, value)}" for mark, value in (("-", old), ("+", new)) if value is not _MISSING
        ]
        found.append(Unmerged("config-changed", path, _sentence(parts, old, new), tuple(lines), line))
    if len(found) > _SHOWN_MAX:
        rest = len(found) - _SHOWN_MAX
        found = [*found[:_SHOWN_MAX], _told(path, f"and {rest} more keys of the configuration changed")]
    return found


def _is_content(parts: tuple[str, ...]) -> bool:
    """Whether it says what manifests become: that is used as they are, and the plan shows what comes of it."""
    return parts[0] == "variables" or (parts[0] == "targets" and parts[2:3] in (("variables",), ("overlays",)))


def _told(path: str, what: str) -> Unmerged:
    return Unmerged("config-changed", path, what)


def _document(content: bytes) -> Any:
    loaded = yaml_io.load(content, yaml_io.CONFIG_BUDGET)
    documents = [each for each in loaded.documents if not each.empty]
    wrong = any(problem.severity == "error" for problem in loaded.problems)
    return documents[0].value if len(documents) == 1 and not wrong else None


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any], at: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Leaves that differ, and whole targets that come or go; the configuration is a few levels deep."""
    for name in dict.fromkeys((*after, *before)):
        old, new = before.get(name, _MISSING), after.get(name, _MISSING)
        if isinstance(old, Mapping) and isinstance(new, Mapping) and not _is_reference(old, new):
            yield from _differences(old, new, (*at, name))
        elif old != new or type(old) is not type(new):
            yield (*at, name), old, new


def _is_reference(*values: Mapping[str, Any]) -> bool:
    """Whether it says where a secret is kept: told whole, since half of it says nothing."""
    return any(set(value) & {"env", "file", "exec", "sops", "age"} for value in values)


def _sentence(parts: tuple[str, ...], old: Any, new: Any) -> str:
    did = "is new" if old is _MISSING else "is removed" if new is _MISSING else "changed"
    if parts[0] != "targets" or len(parts) < 2:
        return f"`{'.'.join(parts)}` {did}"
    if len(parts) == 2:
        then = ": nothing of it is planned or asked for before it is merged" if old is _MISSING else ""
        return f"target {parts[1]} {did}{then}"
    return f"target {parts[1]}: `{'.'.join(parts[2:])}` {did}"


def _shown(pointer: str, value: Any) -> str:
    """The value, without what may be a secret that somebody wrote by mistake."""
    if is_secret_place(pointer) and not (isinstance(value, Mapping) and len(value) == 1 and _is_reference(value)):
        return "(not shown)"
    if pointer.count("/") < 3 and isinstance(value, Mapping):  # a whole target, or all of them
        value = {name: value[name] for name in _TOLD_OF_A_TARGET if name in value}
    return _USER.sub("://***@", as_text(value))

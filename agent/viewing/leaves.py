"""One object's spec three times, leaf by leaf: as git says, as it was applied last, as it is live. Pure.

Specs come in masked. What is live is told as far as it is known: from what was applied and what the last plan found to
differ, or from a read that somebody just asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.plan.normalize import HIDDEN
from agent.plan.rules import split_pointer

LEAVES_MAX = 400
_NAMES = ("name", "id", "key")


def table(
    git: Any, applied: Any, live: Any, fields: tuple[Mapping[str, Any], ...] = ()
) -> tuple[list[dict[str, Any]], int]:
    """Rows ``{"path", "git", "applied", "live", "differs"}``, a side left out where it has no such leaf; and how many
    there are beyond the first. A spec that is not known is None. ``fields`` are those of the change that waits.
    """
    sides = {name: dict(_leaves(spec)) for name, spec in (("git", git), ("applied", applied), ("live", live))}
    known = [name for name, spec in (("git", git), ("applied", applied), ("live", live)) if spec is not None]
    secret = {str(field["path"]) for field in fields if field.get("sensitive")}
    paths = dict.fromkeys(path for name in ("git", "applied", "live") for path in sides[name])
    rows = []
    for path in paths:
        row: dict[str, Any] = {"path": path}
        row |= {name: sides[name][path] for name in known if path in sides[name]}
        told = [_comparable(row.get(name, ...)) for name in known]
        managed = "git" not in known or path in sides["git"] or path in sides["applied"]
        row["differs"] = (managed and any(each != told[0] for each in told)) or path in secret
        row["managed"] = managed
        rows.append(row)
    rows.sort(key=lambda row: not row["managed"])
    return rows[:LEAVES_MAX], max(0, len(rows) - LEAVES_MAX)


def assumed_live(applied: Any, git: Any, fields: tuple[Mapping[str, Any], ...]) -> Any:
    """What is live by the plan that found these ``fields`` to differ from git."""
    spec = _copied(git if git is not None else applied)
    for field in fields:
        place = split_pointer(str(field["pointer"]))
        if field.get("sensitive"):
            _put(spec, place, HIDDEN)
        elif "before" in field:
            _put(spec, place, field["before"])
        elif field.get("op") == "add":
            _take(spec, place)
    return spec


def _leaves(spec: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(spec, Mapping) and spec:
        for name, member in spec.items():
            yield from _leaves(member, f"{path}.{name}" if path else str(name))
    elif isinstance(spec, list) and spec and all(isinstance(each, Mapping) for each in spec):
        word = next((name for name in _NAMES if all(isinstance(each.get(name), str) for each in spec)), None)
        for number, member in enumerate(spec):
            yield from _leaves(member, f"{path}[{f'{word}={member[word]}' if word else number}]")
    elif path:
        yield path, spec


def _comparable(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copied(member) for name, member in value.items()}
    return [_copied(member) for member in value] if isinstance(value, list) else value


def _put(spec: Any, place: tuple[str, ...], value: Any) -> None:
    parent = _parent(spec, place)
    if isinstance(parent, dict):
        parent[place[-1]] = value
    elif isinstance(parent, list) and place[-1].isdecimal() and int(place[-1]) < len(parent):
        parent[int(place[-1])] = value
    elif isinstance(parent, list):
        parent.append(value)


def _take(spec: Any, place: tuple[str, ...]) -> None:
    parent = _parent(spec, place)
    if isinstance(parent, dict):
        parent.pop(place[-1], None)
    elif isinstance(parent, list) and place[-1].isdecimal() and int(place[-1]) < len(parent):
        del parent[int(place[-1])]


def _parent(spec: Any, place: tuple[str, ...]) -> Any:
    for word in place[:-1]:
        if isinstance(spec, dict):
            spec = spec.setdefault(word, {})
        elif isinstance(spec, list) and word.isdecimal() and int(word) < len(spec):
            spec = spec[int(word)]
        else:
            return None
    return spec if place else None

"""Overlay documents: which manifests they mean and what they change, each fault at its place.

An overlay stands in a folder that a target names under ``overlays``. ``document`` reads its head, which is all that
most passes need; the whole of it is read for the manifests that it changes, which are few. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from agent import yaml_io
from agent.definitions.files import overlay_schema
from agent.json_schema import Schema
from agent.model.canonical import canonical, digest, digest_bytes, from_json
from agent.model.manifest import OverlayHead
from agent.validate.findings import Findings
from agent.validate.origins import Text
from agent.validate.pointers import select, split
from agent.validate.variables import Filled

API_VERSION = "datakeel/v1"
KIND = "Overlay"
EVERYTHING = "{}"
"""The ``select`` of an overlay of which nobody can tell what it means: perhaps all there is."""


def is_overlay(value: Any) -> bool:
    """Whether a document is meant as an overlay, be it a good one or not."""
    if not isinstance(value, dict):
        return False
    version = value.get("apiVersion")
    return isinstance(version, str) and version.startswith("datakeel/")


def read_head(source: bytes, document: yaml_io.Document, next_line: int | None, findings: Findings) -> OverlayHead:
    """What is known of an overlay without applying it. ``document.value`` has its variables filled in already.

    ``next_line`` is the first line behind it. Its digest changes with whatever an error may point at.
    """
    value = document.value
    _check(value, findings)
    wanted = value.get("select")
    readable = isinstance(wanted, dict) and bool(wanted) and not any(at.startswith("/select") for at in findings.wrong)
    lines = source.split(b"\n")[document.line - 1 : None if next_line is None else next_line - 1]
    text = digest_bytes(b"\n".join(lines))
    return OverlayHead(
        document.index,
        document.line,
        document.column,
        canonical(wanted).decode() if readable else EVERYTHING,
        digest([text, document.line, value]),
        sound=not findings.failed and not document.broken,
    )


def _check(value: Mapping[str, Any], findings: Findings) -> None:
    schema = _schema()
    for violation in () if schema.is_valid(value) else schema.violations(value):
        code = "unknown-key" if violation.code == "unknown-key" else "overlay-invalid"
        findings.add(violation.pointer, code, violation.what, on=violation.at, shown=violation.got, fix=violation.fix)
    given = [word for word in ("merge", "patch") if word in value]
    if len(given) != 1 and not findings.failed:
        what = "the overlay has both `merge` and `patch`" if given else "the overlay changes nothing"
        fix = "write two overlays" if given else "write merge: {spec: {…}}, or patch: [{op: …, path: …, value: …}]"
        findings.add("", "overlay-invalid", what, fix=fix)


@lru_cache(maxsize=1)
def _schema() -> Schema:
    return Schema(overlay_schema(), "schemas/overlay.schema.json")


@dataclass(frozen=True, slots=True)
class Overlay:
    """One that can be applied. ``value`` is the whole document, ``text`` knows where its parts stand."""

    text: Text
    value: Mapping[str, Any]
    selection: Selection


def read_overlay(path: str, source: bytes, document: int, fill: Callable[[yaml_io.Document], Filled]) -> Overlay:
    """The overlay of a file that was checked before. ``fill`` puts the variables in."""
    chosen = next(found for found in yaml_io.load(source).documents if found.index == document)
    filled = fill(chosen)
    return Overlay(Text(path, source, chosen, filled.uses), filled.value, Selection(filled.value["select"]))


class Selection:
    """Which manifests a ``select`` means: those that fit every member of it."""

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        self.everything = not wanted
        self.kinds = _Patterns(wanted.get("kind"))
        self.names = _Patterns(wanted.get("name"))
        self._paths = _Patterns(wanted.get("path"))
        self._scope = {word: _Patterns(patterns) for word, patterns in wanted.get("scope", {}).items()}
        self._where = [(split(pointer), value) for pointer, value in wanted.get("where", {}).items()]

    @classmethod
    def of_head(cls, head: OverlayHead) -> Selection:
        return cls(from_json(head.select))

    def is_of(self, path: str) -> bool:
        """Whether manifests of this file can be meant."""
        return self._paths.fit(path)

    def may_mean(self, kind: str, scope: Sequence[tuple[str, str]], name: str) -> bool:
        """By what a manifest is called; what it says is not looked at."""
        if not (self.kinds.fit(kind) and self.names.fit(name)):
            return False
        if not self._scope:
            return True
        names = dict(scope)
        return all(word in names and patterns.fit(names[word]) for word, patterns in self._scope.items())

    def means(self, content: Mapping[str, Any]) -> bool:
        """By what a manifest says, before any overlay: ``{spec, lifecycle}``."""
        return all(any(_equals(found, value) for found in select(content, place)) for place, value in self._where)


class _Patterns:
    """Texts or patterns of which one must fit; None fits everything."""

    def __init__(self, written: Any) -> None:
        given = [written] if isinstance(written, str) else written
        self.exact = frozenset(one for one in given or () if not _is_pattern(one))
        self.patterns = tuple(one for one in given or () if _is_pattern(one))
        self.any = given is None or "*" in self.patterns
        self.is_exact = bool(self.exact) and not self.patterns

    def fit(self, text: str) -> bool:
        return self.any or text in self.exact or any(fnmatchcase(text, pattern) for pattern in self.patterns)


def _is_pattern(text: str) -> bool:
    return any(sign in text for sign in "*?[")


def _equals(found: Any, wanted: Any) -> bool:
    if isinstance(found, list) and not isinstance(wanted, list):
        return any(_equals(element, wanted) for element in found)
    return canonical(found) == canonical(wanted)


def described(head: OverlayHead) -> str:
    """The selection as a message names it."""
    wanted = from_json(head.select)
    return ", ".join(f"{word} {_shown(value)}" for word, value in wanted.items())


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value).decode()[:100]

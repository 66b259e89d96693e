"""Ownership marks, read back from the objects that carry them. Pure; ``live`` reads rows by them, ``plan`` runs.

A mark proves whose an object is (``uid``) and, for a run, from which content it was started (``content``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from agent.definitions.platform import Kind, Mark


def marks_of(kind: Kind, item: Any) -> tuple[Mapping[str, str], ...]:
    """Every mark that reads like one of ours: its ``uid``, and ``target``, ``name``, ``content`` where it has them."""
    if kind.mark is None or not isinstance(item, Mapping):
        return ()
    return tuple(found.groupdict() for text in _mark_texts(kind.mark, item) if (found := _read(kind.mark, text)))


def owner_of(kind: Kind, item: Any, prefer: str | None = None) -> str | None:
    """The uid in the object's mark, None without a readable one. Of several marks, ``prefer`` if it is among them."""
    owners = [mark["uid"] for mark in marks_of(kind, item) if "uid" in mark]
    return prefer if prefer in owners else owners[0] if owners else None


def is_mark(mark: Mark, value: Any) -> bool:
    """Whether a text reads like a mark of ours or of another owner."""
    return isinstance(value, str) and _read(mark, value) is not None


def content_of_run(kind: Kind, item: Any) -> str | None:
    """Which content a run was started from, by its mark; None for what is no run, or not ours."""
    return next((mark["content"] for mark in marks_of(kind, item) if "content" in mark), None)


def _mark_texts(mark: Mark, item: Mapping[str, Any]) -> Iterator[str]:
    value: Any = item
    for token in mark.read.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        if not isinstance(value, Mapping) or token not in value:
            return
        value = value[token]
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str):
            yield text


def _read(mark: Mark, text: str) -> re.Match[str] | None:
    return _pattern(mark.pattern).fullmatch(text)


@lru_cache(maxsize=256)
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source)

"""The draft as files: ``platform.yaml`` with a comment for each guess, and the schema of each managed kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from agent import yaml_io
from agent.definitions.files import DEFINITION, schema_name
from agent.drafting.document import Document
from agent.drafting.model import Draft, Guess, Path

_WIDTH = 120
_BLOCKS = frozenset({"kinds", "settings", "auth", "scope", "fields"})  # one line for each of their members
_ORDER = (
    *("platform", "version", "format", "settings", "base", "openapi", "auth", "probe", "errors", "pages", "budget"),
    "kinds",
)


def files_of(document: Document, draft: Draft) -> dict[str, str]:
    """Name and text of every drafted file."""
    files = {DEFINITION: definition_text(document, draft)}
    for kind, schema in draft.schemas.items():
        files[schema_name(kind)] = json.dumps(schema, indent=2, ensure_ascii=False, default=_number) + "\n"
    return files


def definition_text(document: Document, draft: Draft) -> str:
    """``platform.yaml``."""
    title = " ".join(part for part in (document.title, document.version) if part) or "an API"
    lines = [
        f"# {title}: drafted from its OpenAPI document, seen by nobody yet.",
        "# A comment `guess, …` says how sure a word is, and why: take it away once you know. See README.md.",
    ]
    words = {name: draft.words[name] for name in _ORDER if name in draft.words}
    lines += _members(draft, words, (), 0)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _members(draft: Draft, words: Mapping[str, Any], path: Path, indent: int) -> Iterator[str]:
    for name, value in words.items():
        here = (*path, name)
        margin = " " * indent
        comments = list(_comments(draft, here))
        if name in draft.notes and path == ("kinds",):
            yield ""
            comments = [f"{_plain(draft.notes[name])}"]
        block = name in _BLOCKS or path == ("kinds",)
        if block and isinstance(value, Mapping) and value:
            yield f"{margin}{_scalar(name)}:" + (f" # {comments[0]}" if comments else "")
            yield from _members(draft, value, here, indent + 2)
            continue
        line = f"{margin}{_scalar(name)}: {flow(value)}"
        if len(comments) == 1 and len(line) + len(comments[0]) + 3 <= _WIDTH:
            yield f"{line} # {comments[0]}"
            continue
        yield from (f"{margin}# {comment}" for comment in comments)
        if len(line) <= _WIDTH or not isinstance(value, Mapping):
            yield line
            continue
        yield f"{margin}{_scalar(name)}:"
        yield from (f"{margin}  {_scalar(word)}: {flow(member)}" for word, member in value.items())


def _comments(draft: Draft, path: Path) -> Iterator[str]:
    """The guesses at a path, and those below it that stand on the same line, each with the word that it speaks of."""
    own = draft.guesses.get(path)
    if own is not None:
        yield _plain(own.comment)
    if path[-1] in _BLOCKS or (len(path) == 2 and path[0] == "kinds"):
        return
    for other, guess in draft.guesses.items():
        if other[: len(path)] == path and other != path:
            yield _plain(_of(other[-1], guess))


def _of(word: str, guess: Guess) -> str:
    return f"guess, {guess.confidence}: {word}: {guess.reason}"


def _plain(text: str) -> str:
    """A comment is one line without a control character."""
    return "".join(char if char.isprintable() else " " for char in text)[:300]


def flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(name)}: {flow(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    return yaml_io.dump(" ".join(value.split()) if isinstance(value, str) else value).rstrip("\n")


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)

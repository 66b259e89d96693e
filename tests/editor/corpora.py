"""Manifests that people wrote, with what the agent says of each document: what editors' schemas are held to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs

from agent import yaml_io
from agent.errors import Problem
from agent.validate.document import check_file
from agent.validate.examples import ENDINGS, check_example, defaults_of
from tests.platforms.folders import folders, loaded

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"  # outside of this repository, and perhaps not there

# Refused by the agent, accepted by an editor: what a schema of one document cannot know, or says in part only.
BEYOND_A_SCHEMA = {
    "placeholder": "whether a variable of that name exists is the target's business",
    "variable-unknown": "the same",
    "marker-reserved": "whose mark it is depends on the target",
    "file-outside": "a path of the repository",
}


# The same, told by what is said: these codes are of wider use.
BEYOND_IN_WORDS = {
    r"`\w+` is missing: every \w+ belongs to one": "the target's defaults may give it",
    r"`.*` is not a cron expression": "its form is looked at, not what its numbers mean",
    r"no kind of .* has this `\w+`": "another kind takes what no kind knows; that it is nearly one is beyond a schema",
}


def is_beyond(errors: Sequence[Problem]) -> bool:
    """Whether all of these are what a schema cannot tell."""
    return all(
        problem.code in BEYOND_A_SCHEMA or any(re.match(words, problem.what) for words in BEYOND_IN_WORDS)
        for problem in errors
    )


def validator(schema: Any) -> Any:
    """A schema in Draft-07, ready to judge; what it names elsewhere is not fetched."""
    return jsonschema_rs.Draft7Validator(schema, retriever=_refuse)


def _refuse(uri: str) -> Any:
    raise LookupError(uri)


class Judged(NamedTuple):
    """One document: where it is from, its value as YAML has it, and the errors that the agent finds in it."""

    file: str
    value: Any
    errors: tuple[Problem, ...]

    @property
    def json(self) -> Any:
        return as_json(self.value)


def files_of(name: str) -> list[Path]:
    """Examples, samples, and the corpus of a platform, where it is there."""
    folder, plain = dict(folders())[name], name.partition("/")[0]
    places = (folder / "examples" / "valid", folder / "examples" / "invalid", ROOT / "manifests" / plain)
    found = [path for place in (*places, CORPORA / plain) for path in sorted(place.rglob("*"))]
    return [path for path in found if path.suffix in ENDINGS and not path.name.startswith(".")]


@cache
def judged(name: str) -> tuple[Judged, ...]:
    """All documents of all files, but those whose YAML is wrong already."""
    return tuple(one for path in files_of(name) for one in _judged(path, name))


def _judged(path: Path, name: str) -> Iterator[Judged]:
    source, platform = path.read_bytes(), loaded(name)
    if path.is_relative_to(CORPORA):
        checked = check_file(source, platform, defaults_of(platform, ""))
    else:
        checked = check_example(source, platform)
    errors = [problem for problem in checked.problems if problem.severity == "error"]
    documents = [document for document in yaml_io.load(source).documents if not document.empty]
    if not documents:
        return
    ends = [*(document.line for document in documents[1:]), 1 << 30]
    for document, end in zip(documents, ends, strict=True):
        if not document.broken:
            inside = tuple(each for each in errors if document.line <= (each.where.line or 0) < end)
            yield Judged(f"{path.name}:{document.line}", document.value, inside)


def as_json(value: Any) -> Any:
    """Numbers as a JSON reader has them."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: as_json(member) for name, member in value.items()}
    return [as_json(member) for member in value] if isinstance(value, list) else value

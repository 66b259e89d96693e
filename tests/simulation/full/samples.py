"""What the manifests of a story are made of: valid examples of the bundled definitions, as small as they may be.

Each says one text of its own, the *token*, in a leaf that may change, so that a judge who knows nothing of a kind can
tell which manifest a live object shows.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from agent.plan.cost import is_thin
from tests.platforms.conformance.examples import Document, Example, document_of, examples_of_kinds, files_of, is_valid

PLATFORMS: Mapping[str, tuple[str, ...]] = {
    "dataos/v1": ("workflow", "instance-secret", "volume", "compute"),
    "dataos-poros/v1": ("volume", "secret", "compute"),
    "dataops-live/v4": ("project",),
    "datachain-studio/v1": ("job", "job-with-files"),
    "dataloop/v1": ("dashboard", "rule", "plugin", "annotation"),
    "datalinx/v1": ("query", "pipeline", "source", "role"),
}
"""Of each definition the kinds that differ in what the agent must do about them."""
SUFFIXES = ("", "b", "c", "d")
"""Names of a kind: its example's, with one of these at the end."""
TOKEN = re.compile(r"tk[0-9]{4}z")


@dataclass(frozen=True)
class Sample:
    """One kind as stories use it. ``has_mark``, ``is_unique``, ``is_run`` are what its definition says."""

    example: Example = field(repr=False)
    lean: Document = field(repr=False, compare=False)

    @property
    def kind(self) -> str:
        return self.example.kind_name

    @property
    def has_mark(self) -> bool:
        return self.example.kind.mark is not None

    @property
    def is_unique(self) -> bool:
        return self.example.kind.unique

    @property
    def tells_apart(self) -> bool:
        """Whether what a person makes under the same name can be told from what was there before."""
        return self.has_mark or self.example.kind.id is not None

    @property
    def is_run(self) -> bool:
        return self.example.kind.is_run

    @property
    def is_thin(self) -> bool:
        return is_thin(self.example.kind)

    @property
    def action(self) -> str:
        """One that a manifest can ask for without a word more."""
        able = (word for word, rule in self.example.kind.actions.items() if not rule.args)
        return next(able, "") if not self.is_run else ""

    @property
    def settle(self) -> float:
        return self.example.kind.settle_seconds

    def name(self, suffix: str) -> str:
        return f"{self.lean['metadata']['name']}{suffix}"

    def document(self, suffix: str, token: int, lifecycle: Mapping[str, Any] | None = None) -> Document:
        """A manifest of this kind that says ``token``."""
        metadata = {**self.lean["metadata"], "name": self.name(suffix)}
        spec = {**self.lean["spec"], **self.change(token_text(token))}
        made = {**self.lean, "metadata": metadata, "spec": spec}
        made["lifecycle"] = {**self.lean["lifecycle"], **(lifecycle or {})}
        return made

    def change(self, text: str) -> Mapping[str, Any]:
        """What writes another text into the leaf that may change."""
        (name, value), *_ = self.example.change.items()
        return {name: f"{value} {text}" if isinstance(value, str) else dict.fromkeys(value, text)}

    def uploads(self) -> Mapping[str, bytes]:
        return files_of(self.example, self.lean)


def token_text(token: int) -> str:
    return f"tk{token:04}z"


@cache
def samples_of(definition: str) -> tuple[Sample, ...]:
    wanted = PLATFORMS[definition]
    found = {each.name: each for each in examples_of_kinds() if each.definition == definition}
    return tuple(Sample(found[name], _lean(found[name])) for name in wanted)


def _lean(example: Example) -> Document:
    """The example without what it may leave out."""
    made = document_of(example)
    for name in [*made["spec"]]:
        if name in example.change or files_of(example, made).keys() & {*_texts(made["spec"][name])}:
            continue
        less = {**made, "spec": {member: value for member, value in made["spec"].items() if member != name}}
        made = less if is_valid(example, less) else made
    return made


def tokens_in(record: Any) -> set[str]:
    """Every token that an object shows, also in base64."""
    found: set[str] = set()
    for text in _texts(record):
        found |= set(TOKEN.findall(text))
        if len(text) >= 12 and len(text) % 4 == 0 and " " not in text:
            try:
                found |= set(TOKEN.findall(base64.b64decode(text, validate=True).decode("utf-8", "replace")))
            except (binascii.Error, ValueError):
                continue
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts(member)


def as_bytes(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()

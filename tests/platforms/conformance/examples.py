"""What is lived through: the valid examples of managed kinds, and what ``conformance.yaml`` adds to a definition."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.definitions.files import schema_name
from agent.definitions.platform import Kind, Platform
from agent.plan.rules import split_pointer
from agent.validate.document import check_file
from tests.platforms.folders import defaults_of, folders, loaded

Document = dict[str, Any]
_CHANGE = {"description": "changed"}


@dataclass(frozen=True)
class Example:
    """One valid example of a managed kind: ``name`` is its file's."""

    definition: str
    name: str
    kind_name: str
    path: Path

    def __str__(self) -> str:
        return f"{self.definition}-{self.name}"

    @property
    def platform(self) -> Platform:
        return loaded(self.definition)

    @property
    def kind(self) -> Kind:
        return self.platform.kinds[self.kind_name]

    @property
    def known(self) -> Mapping[str, Any]:
        """What ``conformance.yaml`` says about its definition."""
        return surroundings()[self.definition]

    @property
    def change(self) -> Mapping[str, Any]:
        """What an update writes at the top of the spec; {} for a kind whose manifests cannot say anything."""
        schema = self.kind.schema or {}
        if not schema.get("properties") and schema.get("additionalProperties", True) is False:
            return {}
        found: Mapping[str, Any] = self.known.get("changes", {}).get(self.kind_name, _CHANGE)
        return found


@cache
def surroundings() -> Mapping[str, Mapping[str, Any]]:
    """``conformance.yaml``."""
    source = Path(__file__).parents[1].joinpath("conformance.yaml").read_bytes()
    value: Mapping[str, Mapping[str, Any]] = yaml_io.load(source).documents[0].value
    return value


def examples_of_kinds() -> Iterator[Example]:
    """Each valid example of each definition that has an emulator; native twins of a wrapped one are left out."""
    for definition, folder in folders():
        if "emulator" not in surroundings().get(definition, {}):
            continue
        platform = loaded(definition)
        for path in sorted((folder / "examples" / "valid").glob("*.yaml")):
            source = path.read_bytes()
            (document, *_) = check_file(source, platform, defaults_of(platform, source.decode())).documents
            if path.stem == f"{schema_name(document.kind).removesuffix('.schema.json')}-wrapped":
                continue
            if platform.kinds[document.kind].managed:
                yield Example(definition, path.stem, document.kind, path)


@cache
def _read(example: Example) -> bytes:
    source = example.path.read_bytes()
    platform = example.platform
    (document, *_) = check_file(source, platform, defaults_of(platform, source.decode())).documents
    scope = example.known.get("scope", {})
    parents = {word: scope.get(word, name) for word, name in document.scope}
    wrapped = {
        "apiVersion": platform.api_version,
        "kind": document.kind,
        "metadata": {"name": document.name, **parents},
        "lifecycle": {"replace": "allow"},
        "spec": json.loads(json.dumps(document.spec, default=str)),
    }
    return json.dumps(wrapped).encode()


def document_of(example: Example) -> Document:
    """The example in our envelope, with the emulator's parents and free to be replaced."""
    made: Document = json.loads(_read(example))
    return made


def is_valid(example: Example, document: Mapping[str, Any]) -> bool:
    """Whether validation would let this manifest through."""
    checked = check_file(json.dumps(document).encode(), example.platform, {})
    return not any(problem.severity == "error" for problem in checked.problems)


def files_of(example: Example, document: Mapping[str, Any]) -> dict[str, bytes]:
    """The files that a manifest names for upload: they are in git beside it."""
    found: dict[str, bytes] = {}
    for rule in example.kind.fields:
        if rule.upload is not None:
            for value in _leaves(document["spec"], split_pointer(rule.pointer)):
                found[value] = f"the content of {value}\n".encode()
    return found


def secret_names(value: Any) -> set[str]:
    """Every secret that a manifest refers to."""
    if isinstance(value, Mapping):
        if set(value) == {"secretRef"}:
            return {value["secretRef"]}
        return set().union(*(secret_names(member) for member in value.values()))
    return set().union(*(secret_names(member) for member in value)) if isinstance(value, list) else set()


def _leaves(value: Any, place: tuple[str, ...]) -> Iterator[str]:
    if not place:
        if isinstance(value, str):
            yield value
        return
    step, rest = place[0], place[1:]
    if isinstance(value, Mapping):
        members = value.values() if step == "*" else [value[step]] if step in value else []
    else:
        members = value if isinstance(value, list) and step == "*" else []
    for member in members:
        yield from _leaves(member, rest)

"""The first manifests of a repository: samples that stand alone, an example of the definition, or one from a schema.

Used by ``begin``. Each is checked as ``validate`` checks it before it is taken; where none is right, there is none.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.cli.checking import check
from agent.cli.options import Options
from agent.cli.samples import first_files, sample_folder, sample_target
from agent.config.model import Config
from agent.definitions.platform import Kind, Platform
from agent.definitions.schema_words import Said
from agent.json_schema import Schema
from agent.validate.examples import ENDINGS

_TRIED_MAX = 30
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
_AMBIGUOUS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def first_manifests(config: Config, name: str, platform: Platform, defaults: Mapping[str, str]) -> dict[str, str]:
    """Texts by file name, for the target's folder. Empty where nothing is right as it stands."""
    samples = first_files(sample_folder(), platform.name)
    if samples:
        meant = sample_target(sample_folder(), platform.name).get("defaults", {})
        return {file.name: _moved(file.read_text(encoding="utf-8"), meant, defaults) for file in samples}
    for file, text in islice(_candidates(platform), _TRIED_MAX):
        if _is_right(config, name, text):
            return {file: text}
    return {}


def _moved(text: str, meant: Mapping[str, str], defaults: Mapping[str, str]) -> str:
    """A sample that stands where the target's own manifests stand."""
    for word, sample in meant.items():
        if word in defaults and defaults[word] != sample:
            named = re.compile(rf"(?<![\w-]){re.escape(word)}: {re.escape(sample)}(?![\w-])")
            wanted = f"{word}: {_scalar(defaults[word])}"
            text = named.sub(lambda _, wanted=wanted: wanted, text)  # type: ignore[misc]
    return text


def _scalar(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _AMBIGUOUS
    return text if plain else json.dumps(text, ensure_ascii=False)


def _candidates(platform: Platform) -> Iterator[tuple[str, str]]:
    """Samples and examples of the definition, those that need nothing first; then a manifest of each kind's schema."""
    for folder in (sample_folder() / platform.name, Path(platform.folder) / "examples" / "valid"):
        files = [file for file in sorted(folder.glob("[!.]*")) if file.suffix in ENDINGS and file.is_file()]
        files = [file for file in files if not file.name.startswith("old-")]  # samples that are there to be removed
        texts = [(file.name, file.read_text(encoding="utf-8")) for file in files]
        yield from sorted(texts, key=lambda each: ("secretRef" in each[1], each[1].count("\n---")))
    for kind in sorted(platform.kinds.values(), key=lambda each: (len(each.scope), each.name)):
        if kind.managed and kind.schema is not None:
            yield f"{kind.name.lower()}.yaml", _from_schema(platform, kind)


def _from_schema(platform: Platform, kind: Kind) -> str:
    """A manifest with what the schema requires, and a line that names what else there may be."""
    schema = Schema(kind.schema or {}, kind.schema_path)
    metadata = {"name": "example"} | {word.word: "example" for word in kind.scope if not word.optional}
    spec = _required(kind.schema or {}, kind.schema or {}, 0)
    document = {"apiVersion": platform.api_version, "kind": kind.name, "metadata": metadata, "spec": spec}
    others = [each.name for each in Said(schema).members() if not each.required][:20]
    told = f"# It may also have: {', '.join(others)}.\n" if others else ""
    tells = f"# `datakeel explain {kind.name}` tells what they mean.\n"
    return f"# A first {kind.name}, with what its schema requires.\n{told}{tells}{yaml_io.dump(document)}"


def _required(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    """A value that is likely to please the schema; whether it does is checked by whoever asks."""
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/") and depth < 10:
        return _required(root.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {}), root, depth + 1)
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    for word in ("enum", "examples"):
        if schema.get(word):
            return schema[word][0]
    declared = schema.get("type", "object" if "properties" in schema else "string")
    kind = declared[0] if isinstance(declared, list) else declared
    if kind == "object":
        members = schema.get("properties", {})
        needed = schema.get("required", ()) if depth < 10 else ()
        return {name: _required(members.get(name, {}), root, depth + 1) for name in needed}
    if kind == "array":
        return [_required(schema.get("items", {}), root, depth + 1)] * schema.get("minItems", 0)
    least = schema.get("minimum", 1)
    return {"integer": least, "number": least, "boolean": False}.get(kind, "example")


def _is_right(config: Config, name: str, text: str) -> bool:
    """Whether ``validate`` of a repository with this one manifest has nothing to say."""
    with tempfile.TemporaryDirectory(prefix="datakeel-init-") as folder:
        target = config.targets[name]
        place = Path(folder) / (target.folder or ".")
        place.mkdir(parents=True, exist_ok=True)
        (place / "first.yaml").write_text(text, encoding="utf-8")
        alone = replace(config, source=replace(config.source, path=Path(folder)), targets={name: target})
        found = check(replace(alone, state=f"sqlite:///{folder}/none.db"), Options(verb="validate", worktree=True))
        return not any(problem.severity != "info" for desired in found for problem in desired.problems)


def is_empty(folder: Path) -> bool:
    """Whether a folder of manifests holds none yet, so that a first one is welcome."""
    return not any(file.suffix in ENDINGS for file in _files(folder))


def _files(folder: Path) -> Sequence[Path]:
    return [file for file in folder.rglob("*") if file.is_file()] if folder.is_dir() else []

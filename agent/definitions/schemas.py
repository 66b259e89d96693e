"""The JSON Schema of each managed kind: found by the kind's name, here first, then in the extended folders.

Called by ``load.py``. Whether a schema is sound is judged by ``agent.json_schema``; here stands which file belongs to
which kind, and that none is missing and none left over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.definitions.files import SCHEMA_SUFFIX, DefinitionFolder, schema_name
from agent.definitions.places import CODE, Faults, Leaf, Words, did_you_mean, get, has
from agent.errors import Problem, Where
from agent.json_schema import Schema, check_schema


@dataclass(frozen=True, slots=True)
class KindSchema:
    """The plain schema of a kind's ``spec``, its path for messages, and its compiled form (lazy)."""

    value: Mapping[str, Any]
    path: str
    schema: Schema


def is_managed(leaf: Leaf) -> bool:
    """Whether a kind, given by its words, is written by the agent."""
    words = leaf.value
    return not get(words, "abstract", False) and (has(words, "create") or has(words, "apply"))


def find_schemas(kinds: Words, folders: Sequence[DefinitionFolder], faults: Faults) -> dict[str, KindSchema]:
    """The schemas of all managed kinds; what is missing, left over or unsound is reported."""
    wanted: dict[str, str] = {}
    for name, leaf in kinds.items():
        if is_managed(leaf):
            file = schema_name(name)
            if file in wanted.values():
                faults.add(leaf.place, f"another kind has the same schema file `{file}`", at="key", got=name)
            wanted[name] = file
    _refuse_left_over(set(wanted.values()), kinds, folders[0], faults)
    found: dict[str, KindSchema] = {}
    for name, file in wanted.items():
        text = next((folder.schemas[file] for folder in folders if file in folder.schemas), None)
        if text is None:
            what = f"the schema of a managed kind is missing: `{file}`"
            fix = did_you_mean(file, folders[0].schemas) if folders[0].schemas else f"write {file} beside platform.yaml"
            faults.add(kinds[name].place, what, at="key", got=name, fix=fix)
            continue
        value, problems = check_schema(text.source, text.path)
        faults.add_located(problems)
        if value is not None:
            found[name] = KindSchema(value, text.path, Schema(value, text.path))
    return found


def _refuse_left_over(wanted: set[str], kinds: Words, folder: DefinitionFolder, faults: Faults) -> None:
    for file, text in folder.schemas.items():
        if file in wanted:
            continue
        observed = next((name for name in kinds if schema_name(name) == file), None)
        what = (
            f"`{observed}` is not managed, so nothing is ever validated against this schema"
            if observed
            else f"no kind of the definition belongs to this schema, whose name is `{file.removesuffix(SCHEMA_SUFFIX)}`"
        )
        fix = "remove it, or give the kind `create` or `apply`" if observed else did_you_mean(file, wanted)
        faults.add_located([Problem(CODE, what, Where(text.path), None, None, None, fix)])

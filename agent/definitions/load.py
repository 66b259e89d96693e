"""A folder becomes a Platform, or one DefinitionError that holds every mistake with its place.

Called once per target at start and when definitions change. The steps: read the files, read ``platform.yaml`` through
the vocabulary, lay it over what it extends, resolve ``like``, find the schemas, check what must fit together, build.
It opens no connection and reads nothing but the folders it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.definitions.build_calls import CallBuilder, pages
from agent.definitions.build_kinds import build_kind
from agent.definitions.build_platform import Origin, build_platform, response_rule
from agent.definitions.check import check_definition
from agent.definitions.files import (
    DefinitionFolder,
    available,
    bundled_schemas,
    digest_of,
    newest,
    read_folder,
)
from agent.definitions.inherit import extend, lay_over, resolve_like
from agent.definitions.places import BUDGET, CODE, Faults, Place, SourceText, Words, did_you_mean, get
from agent.definitions.platform import Kind, Platform
from agent.definitions.schemas import KindSchema, find_schemas
from agent.definitions.vocabulary import DEFINITION, FORMAT
from agent.errors import DefinitionError, Problem, Where

__all__ = ["available", "bundled_schemas", "load_folder", "load_platform"]

_EXTENDS_MAX = 5


def load_platform(api_version: str, *, extra_folders: Sequence[Path] = ()) -> Platform:
    """The platform ``acme/v1``, or the newest version of ``acme``. Raises :class:`DefinitionError`."""
    found = available(extra_folders)
    name = api_version if "/" in api_version else newest(api_version, found) or api_version
    folder = found.get(name)
    if folder is None:
        what = f"there is no definition of `{api_version}`"
        raise DefinitionError(what, got=api_version, fix=did_you_mean(api_version, sorted(found)))
    return load_folder(folder, bundled=folder.resolve().parent == bundled_schemas().resolve(), search=extra_folders)


def load_each(api_versions: Iterable[str], *, extra_folders: Sequence[Path] = ()) -> dict[str, Platform]:
    """These platforms, each loaded once however often it is named. Raises :class:`DefinitionError`."""
    return {each: load_platform(each, extra_folders=extra_folders) for each in dict.fromkeys(api_versions)}


def load_folder(folder: Path, *, bundled: bool, search: Sequence[Path] = ()) -> Platform:
    """The platform that a folder defines. ``search`` are the folders in which ``extends`` looks, before the bundled.

    Raises :class:`DefinitionError` with all problems. A definition that is not bundled may not name a server.
    """
    faults = Faults()
    chain = _read_chain(folder, search, faults)
    folders = [read for read, _ in chain]
    words = _inherited(chain, bundled)
    kinds = resolve_like(get(words, "kinds", {}), faults)
    schemas = find_schemas(kinds, folders, faults)
    check_definition(words, kinds, schemas, [read.answers for read in folders], bundled, faults)
    if faults:
        raise _error(faults.problems())
    response = response_rule(words)
    calls = CallBuilder(response, pages(words.get("pages")))
    origin = Origin(str(folder), digest_of(folders), bundled)
    return build_platform(words, _build_kinds(kinds, schemas, calls), response, origin)


def _build_kinds(kinds: Words, schemas: Mapping[str, KindSchema], calls: CallBuilder) -> dict[str, Kind]:
    built = {}
    for name, leaf in kinds.items():
        if not get(leaf.value, "abstract", False):
            schema = schemas.get(name)
            value: Mapping[str, Any] | None = schema.value if schema else None
            built[name] = build_kind(name, leaf.value, calls, schema=value, schema_path=schema.path if schema else "")
    return built


def _read_chain(folder: Path, search: Sequence[Path], faults: Faults) -> list[tuple[DefinitionFolder, Words]]:
    """The definition and those that it extends, nearest first."""
    read = read_folder(folder)
    words = _read_words(read.definition, faults)
    chain = [(read, words)]
    seen = {folder.resolve()}
    while (name := get(words, "extends")) is not None:
        place = words["extends"].place
        found = available(search)
        above = found.get(name)
        if above is None:
            faults.add(place, f"there is no definition of `{name}`", got=name, fix=did_you_mean(name, sorted(found)))
            break
        if above.resolve() in seen or len(chain) > _EXTENDS_MAX:
            faults.add(place, f"`extends: {name}` leads back to itself", got=name)
            break
        seen.add(above.resolve())
        read = read_folder(above)
        words = _read_words(read.definition, faults)
        chain.append((read, words))
    return chain


def _inherited(chain: Sequence[tuple[DefinitionFolder, Words]], bundled: bool) -> Words:
    *nearer, (_, base) = chain
    words = lay_over({}, base)
    for _, over in reversed(nearer):
        words = extend(words, over, keep_server=bundled)
    return words


def _read_words(file: SourceText, faults: Faults) -> Words:
    loaded = yaml_io.load(file.source, BUDGET)
    errors = [problem for problem in loaded.problems if problem.severity == "error"]
    faults.add_located(_as_definition_problem(problem, file.path) for problem in errors)
    place = Place(file)
    document = loaded.documents[0] if loaded.documents else None
    value = document.value if document is not None else None
    if document is None or document.empty:
        if not errors:
            faults.add(place, "the file is empty", fix="begin with `platform:`, `version:` and `format: 1`")
        raise _error(faults.problems())
    _refuse_newer(value, place)
    words = DEFINITION.read(value, place, faults)
    if not isinstance(words, dict):
        raise _error(faults.problems())
    return words


def _refuse_newer(value: Any, place: Place) -> None:
    """A newer vocabulary cannot be judged: its words would all be called unknown."""
    written = value.get("format") if isinstance(value, Mapping) else None
    if isinstance(written, int) and not isinstance(written, bool) and written > FORMAT:
        faults = Faults()
        what = f"the definition is written in format {written}; this agent knows formats up to {FORMAT}"
        faults.add(place.at("format"), what, got=written, fix="install a newer datakeel")
        raise _error(faults.problems())


def _as_definition_problem(problem: Problem, path: str) -> Problem:
    """A fault of the YAML, told as one of the definition: configuration, exit 78."""
    fix = problem.fix
    if problem.code == "yaml-expansion":
        problem = replace(problem, what="a definition has no aliases")
        fix = "write the words out, or share them by `like`"
    also = tuple(replace(where, path=path) for where in problem.also)
    where = replace(problem.where, path=path)
    return replace(problem, code=CODE, where=where, also=also, fix=fix, why=problem.why or problem.code)


def _error(problems: tuple[Problem, ...]) -> DefinitionError:
    errors = [problem for problem in problems if problem.severity == "error"]
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    subject = f"{first.subject}: " if first.subject else ""
    where = Where(first.where.path, first.where.line, first.where.column)
    what = f"{subject}{first.what}{more}"
    return DefinitionError(what, problems=problems, where=where, got=first.got, why=first.why, fix=first.fix)

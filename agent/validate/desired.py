"""All checked files of a target, put together: what git asks for, and everything that is wrong with it.

Called once a pass. One bad manifest never stops its neighbours: it is left out, its key is kept apart so that the live
object is left alone, and nothing may be pruned while any error stands.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from sys import intern
from typing import Any

from agent.definitions.platform import Platform
from agent.errors import Problem, Where
from agent.model.canonical import digest
from agent.model.identity import Key, Origin, Revision
from agent.model.manifest import CheckedDocument, CheckedFile
from agent.model.resource import Desired, Resource
from agent.model.tracked import Tracked
from agent.validate.document import FILE_KIND, SECRET_KIND
from agent.validate.findings import nearest
from agent.validate.origins import VARIABLE_SIGN
from agent.validate.references import (
    Declared,
    Index,
    Wrong,
    find_cycles,
    find_dependencies,
    find_duplicates,
    find_look_alikes,
    find_moves,
)

MANIFESTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the revision: path relative to the repository, and the id of its content, as rendered."""

    path: str
    blob: str


Read = Callable[[SourceFile, int], Mapping[str, Any]]


def combine(
    target: str,
    platform: Platform,
    revision: Revision,
    files: Sequence[tuple[SourceFile, CheckedFile]],
    *,
    read: Read,
    extra_problems: Iterable[Problem] = (),
    secrets: frozenset[str] = frozenset(),
    contents: Mapping[str, str] | None = None,
    manifests_max: int | None = MANIFESTS_MAX,
    others: Set[str] | None = None,
    variables: Mapping[str, Where] | None = None,
) -> Desired:
    """The desired state of a target. ``read`` yields the spec of a manifest whose checked form came without it.

    ``secrets`` are the names that manifests of this target may refer to, ``contents`` the files of the revision that
    they name for upload, with git's ids; ``manifests_max`` None lifts that limit. ``others`` are the other
    targets (None: not known). ``variables`` are the places of the values of variables.
    """
    problems = list(extra_problems)
    declared: list[Declared] = []
    sources: dict[Key, SourceFile] = {}
    broken: set[Key] = set()
    scopes: dict[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] = {}
    for file, checked in files:
        if checked.problems:
            problems.extend(_in_file(problem, file.path, variables or {}) for problem in checked.problems)
        if checked.broken:
            broken.update(Key(target, kind, scope, name) for kind, scope, name in checked.broken)
        for document in checked.documents:
            # Shared parts: a key is found several times faster when its parts are few and near, not one set for each.
            scope = scopes.setdefault(document.scope, document.scope)
            key = Key(target, intern(document.kind), scope, document.name)
            declared.append(Declared(key, Origin(file.path, document.line, document.column), document))
            sources[key] = file
    if manifests_max is not None and len(declared) > manifests_max:
        told = [*problems, _too_many(declared, manifests_max)]
        return nothing_of(target, revision, told, len(files), frozenset(broken | sources.keys()))
    wrong = list(find_duplicates(declared)) if len(sources) < len(declared) else []
    wrong.extend(_unknown_secrets(declared, secrets))
    wrong.extend(() if others is None else _unknown_targets(declared, others))
    wrong.extend(_missing_files(declared, contents or {}))
    wrong.extend(_declared_and_broken(declared, broken))
    usable = _without(declared, wrong)
    edges, related = _relations(platform, usable, frozenset(broken | _keys_of(wrong)))
    problems.extend(fault.problem for fault in [*wrong, *related])
    broken |= _keys_of([*wrong, *related])
    good = {key: one for key, one in usable.items() if key not in broken}
    resources = {key: _resource(one, edges[key], sources[key], read, contents or {}) for key, one in good.items()}
    return Desired(
        target,
        revision,
        Tracked(resources),
        tuple(sorted(problems, key=_by_place)),
        frozenset(broken),
        complete=not any(problem.severity == "error" for problem in problems),
        files=len(files),
        required=_only_observed(platform, usable, edges),
    )


def nothing_of(
    target: str, revision: Revision, problems: Iterable[Problem], files: int, broken: frozenset[Key] = frozenset()
) -> Desired:
    """A folder that is refused as a whole: what is live of it stays as it is."""
    told = tuple(sorted(problems, key=_by_place))
    return Desired(target, revision, {}, told, broken, complete=False, files=files, required=frozenset())


def more_files_than(limit: int, paths: Sequence[str]) -> Problem:
    """Told before any of them is read, so that their number costs no memory."""
    what = f"{len(paths)} files of manifests, at most {limit} manifests are read for one target"
    return Problem("too-many-manifests", what, Where(paths[limit]), fix="share them out among several targets")


def _only_observed(
    platform: Platform, declared: Mapping[Key, Declared], edges: Mapping[Key, tuple[Key, ...]]
) -> frozenset[Key]:
    """What manifests depend on and none can declare."""
    needed = {need for needs in edges.values() for need in needs if need not in declared}
    return frozenset(need for need in needed if not platform.kinds[need.kind].managed)


def _relations(
    platform: Platform, usable: Mapping[Key, Declared], reserved: frozenset[Key]
) -> tuple[dict[Key, tuple[Key, ...]], list[Wrong]]:
    # What is broken stays an end of an edge: its dependents must wait for it and not run ahead of it.
    edges, wrong = find_dependencies(usable, Index(platform, [*usable, *reserved]), reserved)
    return edges, [*wrong, *find_look_alikes(usable), *find_moves(usable, reserved), *find_cycles(usable, edges)]


def _resource(
    one: Declared, depends_on: tuple[Key, ...], file: SourceFile, read: Read, contents: Mapping[str, str]
) -> Resource:
    document = one.document
    spec = document.spec
    reader = partial(read, file, document.document) if spec is None else partial(_as_it_is, spec)
    secrets = tuple(dict.fromkeys(name for kind, name, *_ in document.references if kind == SECRET_KIND))
    if not contents:  # nearly always
        return Resource(one.key, one.origin, document.digest, document.lifecycle, depends_on, reader, secrets=secrets)
    files = {path: contents[path] for path in files_of(document)}
    # Another content of a file that is uploaded is another resource, though its manifest is the same.
    told = digest([document.digest, files]) if files else document.digest
    return Resource(one.key, one.origin, told, document.lifecycle, depends_on, reader, files, secrets)


def files_of(document: CheckedDocument) -> tuple[str, ...]:
    """The paths of the files that a manifest names for upload."""
    return tuple(name for kind, name, *_ in document.references if kind == FILE_KIND)


def _missing_files(declared: Iterable[Declared], contents: Mapping[str, str]) -> Iterator[Wrong]:
    for one in declared:
        for kind, path, line, column, elsewhere in one.document.references:
            if kind == FILE_KIND and path not in contents:
                what = f"the revision holds no file `{path}` to upload"
                fix = nearest(path, contents) or "commit it; a path is seen from the top of the repository"
                where = Where(elsewhere or one.origin.path, line, column)
                yield Wrong(Problem("file-missing", what, where, str(one.key), fix=fix), (one.key,))


def _as_it_is(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    return spec


def _unknown_secrets(declared: Iterable[Declared], secrets: frozenset[str]) -> Iterator[Wrong]:
    for one in declared:
        for kind, name, line, column, elsewhere in one.document.references:
            if kind == SECRET_KIND and name not in secrets:
                what = f"the target has no secret `{name}`"
                fix = nearest(name, secrets) or f"add it to the target: secrets: {{{name}: {{file: PATH}}}}"
                where = Where(elsewhere or one.origin.path, line, column)
                yield Wrong(Problem("secret-unknown", what, where, str(one.key), fix=fix), (one.key,))


def _unknown_targets(declared: Iterable[Declared], others: Set[str]) -> Iterator[Wrong]:
    for one in declared:
        for target, _ in one.document.lifecycle.awaits:
            if target not in others:
                itself = target == one.key.target
                what = (
                    "depends on its own target" if itself else f"depends on target `{target}`, which is not configured"
                )
                fix = "name a resource: Kind/name" if itself else nearest(target, others)
                yield Wrong(
                    Problem("dependency-missing", what, one.where, str(one.key), got=target, fix=fix), (one.key,)
                )


def _declared_and_broken(declared: Iterable[Declared], broken: Iterable[Key]) -> Iterator[Wrong]:
    """A good manifest whose twin is broken: the twin may be the one that is meant."""
    known = frozenset(broken)
    for one in declared if known else ():
        if one.key in known:
            what = "declared a second time, by a manifest that is invalid"
            yield Wrong(Problem("key-duplicate", what, one.where, str(one.key)), (one.key,))


def _too_many(declared: Sequence[Declared], limit: int) -> Problem:
    what = f"{len(declared)} manifests, at most {limit} are read for one target"
    return Problem("too-many-manifests", what, declared[limit].where, fix="share the folder out among several targets")


def _without(declared: Iterable[Declared], wrong: Iterable[Wrong]) -> dict[Key, Declared]:
    excluded = _keys_of(wrong)
    return {one.key: one for one in declared if one.key not in excluded}


def _keys_of(wrong: Iterable[Wrong]) -> set[Key]:
    return {key for fault in wrong if fault.problem.severity == "error" for key in fault.keys}


def _in_file(problem: Problem, path: str, variables: Mapping[str, Where]) -> Problem:
    also = (_resolved(where, path, variables) for where in problem.also)
    return dataclasses.replace(
        problem,
        where=dataclasses.replace(problem.where, path=problem.where.path or path),
        also=tuple(where for where in also if where is not None),
    )


def _resolved(where: Where, path: str, variables: Mapping[str, Where]) -> Where | None:
    if where.path.startswith(VARIABLE_SIGN):
        return variables.get(where.path[2:-1])
    return dataclasses.replace(where, path=where.path or path)


def _by_place(problem: Problem) -> tuple[str, int, int]:
    return problem.where.path, problem.where.line or 0, problem.where.column or 0

"""What manifests say of each other: duplicates, dependencies, cycles, moves. Called by ``desired.py`` for all files.

Everything is iterative and linear in manifests plus references, so that a chain of ten thousand is no deeper than one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.definitions.platform import Kind, Platform
from agent.errors import Problem, Where
from agent.model.identity import Key, Origin
from agent.model.manifest import CheckedDocument
from agent.validate.names import folded


@dataclass(frozen=True, slots=True)
class Declared:
    """One checked manifest at its place."""

    key: Key
    origin: Origin
    document: CheckedDocument

    @property
    def where(self) -> Where:
        return Where(*self.origin)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A problem, and the resources that it excludes."""

    problem: Problem
    keys: tuple[Key, ...] = ()


class Index:
    """Finds a manifest by what others call it."""

    def __init__(self, platform: Platform, keys: Iterable[Key]) -> None:
        self._platform = platform
        self._keys = frozenset(keys)
        self._by_name: dict[tuple[str, str], list[Key]] = defaultdict(list)
        for key in self._keys:
            self._by_name[key.kind, key.name].append(key)
        self._kinds = {key.kind for key in self._keys}
        self._parents: dict[str, tuple[tuple[str, Kind], ...]] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._keys

    def beside(self, key: Key, kind_name: str, name: str) -> tuple[Key, ...]:
        """Who ``kind/name`` is for someone at ``key``: in the same scope if there is one, else all of that name."""
        kind = self._platform.kinds.get(kind_name)
        if kind is None or kind_name not in self._kinds:
            return ()
        named = Key(key.target, kind_name, _shared_scope(kind, key), name)
        if named in self._keys:
            return (named,)
        return tuple(sorted(self._by_name.get((kind_name, name), ())))

    def of_path(self, kind_name: str, path: str) -> tuple[Key, ...]:
        """Who ``kind/scope/name`` is."""
        name = path.rpartition("/")[2]
        return tuple(key for key in self._by_name.get((kind_name, name), ()) if key.path == f"{kind_name}/{path}")

    def observed(self, key: Key, kind_name: str, path: str) -> Key | None:
        """The object of an observed kind that ``kind/name`` or ``kind/scope/name`` means to someone at ``key``."""
        kind = self._platform.kinds.get(kind_name)
        if kind is None or kind.managed:
            return None
        *names, name = path.split("/")
        scope = _shared_scope(kind, key)
        if names:
            scope = tuple(zip((word.word for word in kind.scope), names, strict=False))
        needed = sum(1 for word in kind.scope if not word.optional)
        return (
            Key(key.target, kind_name, scope, name) if needed <= len(scope) and len(names) <= len(kind.scope) else None
        )

    def parents(self, key: Key) -> Iterator[Key]:
        """The declared objects that the scope of a key names."""
        parents = self._parents.get(key.kind)
        if parents is None:
            parents = self._parents[key.kind] = self._parents_of(self._platform.kinds[key.kind])
        if parents:
            names = dict(key.scope)
            for word, parent in parents:
                if word in names:
                    found = Key(key.target, parent.name, _shared_scope(parent, key), names[word])
                    if found in self._keys:
                        yield found

    def _parents_of(self, kind: Kind) -> tuple[tuple[str, Kind], ...]:
        """Scope words whose parents are of a kind that somebody declares at all: mostly none."""
        kinds = self._platform.kinds
        named = [(scope.word, scope.kind) for scope in kind.scope]
        return tuple((word, kinds[name]) for word, name in named if name in self._kinds and name in kinds)


def find_duplicates(declared: Sequence[Declared]) -> Iterator[Wrong]:
    """The same key twice: neither is applied, for nobody knows which is meant."""
    by_key: dict[Key, list[Declared]] = defaultdict(list)
    for one in declared:
        by_key[one.key].append(one)
    for key, group in by_key.items():
        if len(group) > 1:
            first, *others = group
            also = tuple(one.where for one in others)
            what = f"declared {len(group)} times, so none of them is applied"
            fix = "keep one (a native and a wrapped manifest of one name are the same resource)"
            yield Wrong(Problem("key-duplicate", what, first.where, str(key), fix=fix, also=also), (key,))


def find_look_alikes(declared: Mapping[Key, Declared]) -> Iterator[Wrong]:
    """Names that a person, or a platform that folds case, takes for the same: a warning."""
    alike: dict[str, Key] = {}
    groups: dict[str, list[Key]] = {}  # only those of more than one, which are rare
    for key in declared:
        first = alike.setdefault(f"{key.kind}/{folded(key.path)}", key)
        if first is not key:
            groups.setdefault(first.path, [first]).append(key)
    for group in groups.values():
        if len(group) > 1:
            first, *others = sorted(group, key=lambda key: declared[key].origin)
            also = tuple(declared[key].where for key in others)
            names = ", ".join(f"`{key.path}`" for key in (first, *others))
            what = f"{names} differ by case or look-alike letters only"
            yield Wrong(
                Problem("key-collision", what, declared[first].where, str(first), severity="warning", also=also)
            )


def find_moves(declared: Mapping[Key, Declared], reserved: frozenset[Key]) -> Iterator[Wrong]:
    """``movedFrom`` must name what git no longer holds, and only one manifest may claim it."""
    claims: dict[Key, list[Declared]] = defaultdict(list)
    for one in declared.values():
        if one.document.lifecycle.moved_from is not None:
            claims[one.key._replace(name=one.document.lifecycle.moved_from)].append(one)
    for old, group in claims.items():
        first, *others = group
        keys = tuple(one.key for one in group)
        if old in declared or old in reserved:
            places = (declared[old].where,) if old in declared else ()
            also = (*places, *(one.where for one in others))
            what = f"moved from {old.name}, which a manifest still declares"
            fix = f"remove the manifest of {old.name}, or `movedFrom`"
            yield Wrong(Problem("key-collision", what, first.where, str(first.key), fix=fix, also=also), keys)
        elif others:
            also = tuple(one.where for one in others)
            what = f"{len(group)} manifests say that they were {old.name}"
            yield Wrong(Problem("key-collision", what, first.where, str(first.key), also=also), keys)


def find_dependencies(
    declared: Mapping[Key, Declared], index: Index, reserved: frozenset[Key]
) -> tuple[dict[Key, tuple[Key, ...]], list[Wrong]]:
    """The edges of each resource, and the ``dependsOn`` that name nothing. ``reserved``: broken, yet known to git.

    A reference from the spec to what no manifest declares is taken to exist. ``dependsOn`` must be declared, unless it
    names an object of an observed kind, which no manifest can declare: that one must be on the platform, and ready.
    """
    edges: dict[Key, tuple[Key, ...]] = {}
    wrong: list[Wrong] = []
    known_broken = {(key.kind, key.name) for key in reserved}
    for key, one in declared.items():
        found = dict.fromkeys(index.parents(key))
        for kind, name, *_ in one.document.references:
            candidates = index.beside(key, kind, name)
            if len(candidates) == 1:
                found[candidates[0]] = None
        for text in one.document.lifecycle.depends_on:
            kind, _, path = text.partition("/")
            candidates = index.of_path(kind, path) if "/" in path else index.beside(key, kind, path)
            if len(candidates) == 1:
                found[candidates[0]] = None
            elif not candidates and (observed := index.observed(key, kind, path)) is not None:
                found[observed] = None
            elif (kind, path.rpartition("/")[2]) not in known_broken:
                wrong.append(Wrong(_unresolved(one, text, candidates), (key,)))
        edges[key] = tuple(found)
    return edges, wrong


def find_cycles(declared: Mapping[Key, Declared], edges: Mapping[Key, Sequence[Key]]) -> Iterator[Wrong]:
    """Each group of resources that wait for each other, with the place of everyone."""
    for group in strongly_connected(edges):
        if len(group) == 1 and group[0] not in edges.get(group[0], ()):
            continue
        circle = circle_of(group, edges)
        first, *others = circle
        path = " -> ".join(str(key) for key in (*circle[:8], *((circle[0],) if len(circle) <= 8 else ())))
        more = f" -> … ({len(circle)} in all) -> {circle[0]}" if len(circle) > 8 else ""
        what = "depends on itself" if len(group) == 1 else f"depends on itself: {path}{more}"
        also = tuple(declared[key].where for key in others)
        yield Wrong(Problem("dependency-cycle", what, declared[first].where, str(first), also=also), tuple(group))


def _shared_scope(kind: Kind, key: Key) -> tuple[tuple[str, str], ...]:
    names = dict(key.scope)
    return tuple((scope.word, names[scope.word]) for scope in kind.scope if scope.word in names)


def _unresolved(one: Declared, text: str, candidates: Sequence[Key]) -> Problem:
    if candidates:
        what = f"`{text}` may be any of {', '.join(key.path for key in candidates)}"
        fix = f"write dependsOn: [{candidates[0].path}]"
    else:
        what = f"depends on `{text}`, which no manifest declares"
        fix = "declare it, or leave it out of dependsOn: what exists on the platform needs no entry"
    return Problem("dependency-missing", what, one.where, str(one.key), got=text, fix=fix)


def strongly_connected(edges: Mapping[Key, Sequence[Key]]) -> Iterator[list[Key]]:
    """Groups that wait for each other, and everybody else alone: Tarjan's algorithm with a stack of our own."""
    number: dict[Key, int] = {}
    lowest: dict[Key, int] = {}
    open_keys: dict[Key, None] = {}
    for root, following in edges.items():
        if not following or root in number:  # who needs nobody is in no circle
            continue
        number[root] = lowest[root] = len(number)
        open_keys[root] = None
        path = [(root, iter(edges[root]))]
        while path:
            key, untried = path[-1]
            for other in untried:
                if other not in number:
                    number[other] = lowest[other] = len(number)
                    open_keys[other] = None
                    path.append((other, iter(edges.get(other, ()))))
                    break
                if other in open_keys:
                    lowest[key] = min(lowest[key], number[other])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[key])
                if lowest[key] == number[key]:
                    yield _close(key, open_keys)


def _close(key: Key, open_keys: dict[Key, None]) -> list[Key]:
    group = []
    while True:
        last, _ = open_keys.popitem()
        group.append(last)
        if last == key:
            return group[::-1]


def circle_of(group: Sequence[Key], edges: Mapping[Key, Sequence[Key]]) -> list[Key]:
    """A way through the group that comes back to its first key: a short one of those that exist."""
    members = frozenset(group)
    start = min(group)
    came_from: dict[Key, Key] = {}
    waiting = [start]
    for key in waiting:
        for other in edges.get(key, ()):
            if other == start:
                circle = [key]
                while circle[-1] != start:
                    circle.append(came_from[circle[-1]])
                return circle[::-1]
            if other in members and other not in came_from:
                came_from[other] = key
                waiting.append(other)
    return list(group)

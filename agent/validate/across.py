"""What manifests say of other targets: whole ones, or a resource of theirs, that must be live before. Pure.

Called with what git asks for in each target of a configuration, once any of them waits for another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from agent.errors import Problem, Where
from agent.model.identity import Key
from agent.model.resource import Desired
from agent.validate.findings import nearest
from agent.validate.references import Wrong, circle_of, strongly_connected


def waits(desired: Desired) -> bool:
    """Whether a manifest of this target waits for another target."""
    return any(resource.lifecycle.awaits for resource in desired.special.values())


def resource_named(desired: Desired, path: str) -> tuple[Key, ...]:
    """What ``Kind/name`` or ``Kind/scope/name`` means to another target: a manifest, though an invalid one."""
    return tuple(key for key in (*desired.resources, *desired.broken) if is_named(key, path))


def is_named(key: Key, path: str) -> bool:
    """Whether ``Kind/name`` or ``Kind/scope/name`` may mean this one."""
    kind, _, rest = path.partition("/")
    return key.kind == kind and key.name == rest.rpartition("/")[2] and ("/" not in rest or key.path == path)


def find_across(gits: Mapping[str, Desired], needs: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Wrong]]:
    """Each mistake with the target that it stands in. ``needs`` are the targets that whole targets wait for."""
    yield from _missing(gits)
    edges = _edges(gits, needs)
    for group in strongly_connected(edges):
        keys = [key for key in group if not _is_target(key)]
        if len(group) == 1 or not keys:
            continue
        circle = circle_of(group, edges)
        start = next(place for place, key in enumerate(circle) if not _is_target(key))
        circle = [*circle[start:], *circle[:start]]
        path = " -> ".join(_shown(key) for key in (*circle[:8], circle[0]))
        places = [Where(*gits[key.target].resources[key].origin) for key in circle if not _is_target(key)]
        for name in sorted({key.target for key in keys}):
            mine = tuple(key for key in keys if key.target == name)
            what = f"depends on itself: {path}"
            problem = Problem("dependency-cycle", what, places[0], str(circle[0]), also=tuple(places[1:]))
            yield name, Wrong(problem, mine)


def find_twice(mine: Desired, other: Desired, keys: Iterable[Key]) -> Iterator[Wrong]:
    """Of these keys, those that another target of the same system declares too: one object cannot have two owners."""
    for key in keys:
        twin = other.resources.get(key._replace(target=other.target))
        if twin is not None:
            what = f"target {other.target} declares the same object of the same server"
            where, also = Where(*mine.resources[key].origin), (Where(*twin.origin),)
            fix = "keep it in the folder of one target"
            yield Wrong(Problem("key-duplicate", what, where, str(key), fix=fix, also=also), (key,))


def without_wrong(desired: Desired, wrong: Sequence[Wrong]) -> Desired:
    """The target less the resources that are wrong, and with what is wrong told."""
    if not wrong:
        return desired
    keys = {key for fault in wrong for key in fault.keys}
    return replace(
        desired,
        resources={key: each for key, each in desired.resources.items() if key not in keys},
        problems=(*desired.problems, *(fault.problem for fault in wrong)),
        broken=desired.broken | keys,
        complete=False,
    )


def _missing(gits: Mapping[str, Desired]) -> Iterator[tuple[str, Wrong]]:
    for name, desired in gits.items():
        for key, resource in desired.special.items():
            for target, path in resource.lifecycle.awaits:
                if not path or target not in gits:
                    continue
                found = resource_named(gits[target], path)
                if len(found) == 1:
                    continue
                where = Where(*resource.origin)
                if found:
                    what = f"`{path}` of target {target} may be any of {', '.join(each.path for each in found[:5])}"
                    fix: str | None = f"write {{target: {target}, resource: {found[0].path}}}"
                else:
                    what = f"depends on `{path}` of target {target}, which declares no such resource"
                    fix = nearest(path, [f"{each.kind}/{each.name}" for each in gits[target].resources])
                yield name, Wrong(Problem("dependency-missing", what, where, str(key), got=path, fix=fix), (key,))


def _edges(gits: Mapping[str, Desired], needs: Mapping[str, Sequence[str]]) -> dict[Key, tuple[Key, ...]]:
    """Who waits for whom; a whole target waits for each of its resources, and each of those for what it needs."""
    edges: dict[Key, tuple[Key, ...]] = {}
    for name, desired in gits.items():
        edges[_whole(name)] = tuple(desired.resources)
        above = [_whole(other) for other in needs.get(name, ()) if other in gits]
        for key, resource in desired.resources.items():
            there = [each for await_ in resource.lifecycle.awaits for each in _awaited(gits, *await_)]
            edges[key] = (*(each for each in resource.depends_on if each in desired.resources), *there, *above)
    return edges


def _awaited(gits: Mapping[str, Desired], target: str, path: str) -> Iterable[Key]:
    if target not in gits:
        return ()
    if not path:
        return (_whole(target),)
    return [key for key in resource_named(gits[target], path) if key in gits[target].resources]


def _whole(target: str) -> Key:
    return Key(target, "", (), "")


def _is_target(key: Key) -> bool:
    return not key.kind


def _shown(key: Key) -> str:
    return f"target {key.target}" if _is_target(key) else f"{key.target}:{key}"

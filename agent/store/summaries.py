"""Each target's revision as it was put together last: one row, from which the next process goes on.

Called by ``Courtesies``. Only a revision without a fault is kept, free of specs. Everything here may be lost at any
time; a damaged or old row is a missing one, and whoever reads it compares its files with those that git lists.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from sys import intern
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, select

from agent.model.identity import Key, Origin
from agent.model.manifest import NO_LIFECYCLE
from agent.model.resource import Resource
from agent.model.summary import Reader, Summary
from agent.store import schema
from agent.store.cache import TOUCH_DAYS, UNUSED_DAYS, day_of
from agent.store.checked_files import pack_lifecycle, unpack_lifecycle
from agent.store.engine import raw_rows, upsert

_FORMAT = 1
_table = schema.summary
_OF = select(_table.c.digest, _table.c.body).where(
    _table.c.target == bindparam("of"),
    _table.c.context == bindparam("within"),
    _table.c.made_day > bindparam("after"),
    _table.c.made_day <= bindparam("today"),
)
_KEY = partial(tuple.__new__, Key)
_ORIGIN = partial(tuple.__new__, Origin)
# Filled as a plain class and then turned into the frozen one of the same slots: see ``rows``.
_Draft: Any = type("_Draft", (), {"__slots__": Resource.__slots__})


class Kept:
    """A summary that was read: its files at once, its resources when they are asked for."""

    def __init__(self, target: str, body: bytes) -> None:
        self._target = target
        files, self._words, self._columns, self._rare = orjson.loads(zlib.decompress(body))
        self.files: list[tuple[str, str, int]] = list(zip(*files, strict=True))
        self.manifests = len(self._columns[0])

    def resources(self, reader: Reader) -> tuple[dict[Key, Resource], frozenset[Key]]:
        """All resources in their order, and the objects that must be there though nothing declares them.

        ``reader`` gives what reads the spec of a document, by the place of its file among ``files`` and its own in it.
        """
        kinds, scopes, required = self._words
        of_file, documents, lines, columns, of_kind, of_scope, names, digests = self._columns
        kinds, scopes = list(map(intern, kinds)), [tuple(map(tuple, scope)) for scope in scopes]
        paths = [path for path, _, _ in self.files]
        named = zip(
            repeat(self._target),
            map(kinds.__getitem__, of_kind),
            map(scopes.__getitem__, of_scope),
            names,
        )
        keys: list[Key] = list(map(_KEY, named))
        origins = map(_ORIGIN, zip(map(paths.__getitem__, of_file), lines, columns, strict=True))
        needed = [Key(self._target, kind, tuple(map(tuple, scope)), name) for kind, scope, name in required]
        ends = [*keys, *needed]
        resources = {}
        for key, origin, told, file, document in zip(keys, origins, digests, of_file, documents, strict=True):
            made = _Draft()
            made.key, made.origin, made.digest, made.read = key, origin, told, reader(file, document)
            made.lifecycle, made.depends_on, made.files, made.secrets = NO_LIFECYCLE, (), {}, ()
            resources[key] = made
        for number, lifecycle, depends_on, secrets in self._rare:
            made = resources[keys[number]]
            made.lifecycle = NO_LIFECYCLE if lifecycle is None else unpack_lifecycle(lifecycle)
            made.depends_on, made.secrets = tuple(map(ends.__getitem__, depends_on)), tuple(secrets)
        for made in resources.values():
            made.__class__ = Resource
        return resources, frozenset(needed)


def read(connection: Connection, target: str, context: str, now: float) -> Kept | None:
    """None where nothing is known of the target in this context, or nothing of the last days.

    An old one would keep the files that it is made of from being noted as used: see ``cache``.
    """
    today = day_of(now)
    wanted = {"of": target, "within": context, "after": today - TOUCH_DAYS, "today": today}
    for told, body in raw_rows(connection, _OF, wanted):
        if isinstance(body, bytes) and _digest(target, context, body) == told:
            return Kept(target, body)
    return None


def write(connection: Connection, target: str, context: str, summary: Summary, now: float) -> None:
    """In place of the one before. Raises TypeError for text that has no UTF-8 form."""
    body = zlib.compress(orjson.dumps(_packed(summary)), 1)
    row = {
        "target": target,
        "context": context,
        "made_day": day_of(now),
        "digest": _digest(target, context, body),
        "body": body,
    }
    connection.execute(upsert(connection, _table), [row])


def compact(connection: Connection, now: float) -> None:
    connection.execute(delete(_table).where(_table.c.made_day < day_of(now) - UNUSED_DAYS))


def _digest(target: str, context: str, body: bytes) -> str:
    """Of all that a row says, so wide that none is taken for whole by chance: a summary stands for all manifests."""
    words = orjson.dumps([_FORMAT, target, context])
    return hashlib.sha256(words + body).hexdigest()


def _packed(summary: Summary) -> list[Any]:
    """Columns of equal length, which say less than rows; words that come again are numbered."""
    resources = summary.resources
    kinds, of_kind = _numbered([each.key.kind for each in resources])
    scopes, of_scope = _numbered([each.key.scope for each in resources])
    required = sorted(summary.required)
    place_of = {key: number for number, key in enumerate([*(each.key for each in resources), *required])}
    columns = [
        [file for file, _ in summary.places],
        [document for _, document in summary.places],
        [each.origin.line for each in resources],
        [each.origin.column for each in resources],
        of_kind,
        of_scope,
        [each.key.name for each in resources],
        [each.digest for each in resources],
    ]
    words = [kinds, scopes, [key[1:] for key in required]]
    return [list(zip(*summary.files, strict=True)), words, columns, list(_rare(resources, place_of))]


def _rare(resources: Sequence[Resource], place_of: Mapping[Key, int]) -> Iterator[list[Any]]:
    """What few resources have: words of lifecycle, others that they need, secrets."""
    for number, each in enumerate(resources):
        plain = each.lifecycle == NO_LIFECYCLE
        if not plain or each.depends_on or each.secrets:
            needs = [place_of[key] for key in each.depends_on]
            yield [number, None if plain else pack_lifecycle(each.lifecycle), needs, each.secrets]


def _numbered(values: Sequence[Any]) -> tuple[list[Any], list[int]]:
    numbers: dict[Any, int] = {}
    numbered = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), numbered

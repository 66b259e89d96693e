"""The last revision of a target from another process: what it put together is kept in the store as one row.

Called by ``desired``, once a process and target, and after each revision that was put together anew. The row is a
cache: git lists the files in any case, and only where these are those of the row, other contents of some aside, is it
taken for the revision before. A target that renders, uploads, or has a problem is put together anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import compress, count
from operator import ne
from typing import TYPE_CHECKING, Any

from agent.config.model import TargetConfig
from agent.model.canonical import digest
from agent.model.identity import Key, Revision
from agent.model.manifest import CheckedDocument
from agent.model.resource import Desired, Resource
from agent.model.summary import Summary
from agent.model.tracked import Tracked
from agent.reconcile import collector
from agent.reconcile.last import LastDesired
from agent.source import TreeEntry
from agent.validate.desired import SourceFile

if TYPE_CHECKING:
    from agent.store.store import Store

_RULES_VERSION = 1  # another one when what manifests say of each other is judged otherwise
PATCHED_MAX = 1000
"""More changed files than this are put together anew."""


def differing(before: Sequence[tuple[Any, ...]], now: Sequence[tuple[Any, ...]]) -> list[int]:
    """The places at which two lists of the same length differ."""
    return list(compress(count(), map(ne, before, now)))


def recall(
    store: Store, config: TargetConfig, revision: Revision, entries: tuple[TreeEntry, ...], last: LastDesired
) -> None:
    """Have ``last`` be what another process put together, if these entries are its files but for a few contents."""
    with collector.waiting():
        _recall(store, config, revision, entries, last)


def _recall(
    store: Store, config: TargetConfig, revision: Revision, entries: tuple[TreeEntry, ...], last: LastDesired
) -> None:
    assert last.specs is not None
    assert last.rendering is not None
    kept = store.summary(config.name, _context(config, last.context))
    if kept is None or len(kept.files) != len(entries) or kept.manifests > config.limits.manifests_max:
        return
    before = entries
    if places := differing(kept.files, entries):
        before = _with_former(entries, places, kept.files)
        if len(places) > PATCHED_MAX or any(before[place].path != entries[place].path for place in places):
            return
    files = [SourceFile(entry.path, entry.blob) for entry in before]
    read = last.specs.read
    resources, required = kept.resources(lambda file, document: partial(read, files[file], document))
    last.listed, last.entries = (before, (), config.variables), before
    last.desired = Desired(config.name, revision, Tracked(resources), files=len(files), required=required)
    last.rendering.begin(config.variables)


def keep(store: Store, config: TargetConfig, last: LastDesired) -> None:
    """Give what was just put together to the store, where another process can go on from it."""
    desired, known = last.desired, last.checked
    assert desired is not None
    if desired.problems or desired.broken:
        return
    places, resources = [], []
    for number, entry in enumerate(last.entries):
        for document in known[entry.blob].documents:
            places.append((number, document.document))
            resources.append(_declared(desired, config.name, document))
    summary = Summary(last.entries, tuple(places), tuple(resources), desired.required)
    store.put_summary(config.name, _context(config, last.context), summary)


def _declared(desired: Desired, target: str, document: CheckedDocument) -> Resource:
    return desired.resources[Key(target, document.kind, document.scope, document.name)]


def _with_former(
    entries: tuple[TreeEntry, ...], places: Sequence[int], files: Sequence[tuple[str, str, int]]
) -> tuple[TreeEntry, ...]:
    made = list(entries)  # whose texts are there already
    for place in places:
        made[place] = TreeEntry(*files[place])
    return tuple(made)


def _context(config: TargetConfig, context: str) -> str:
    """All but the files that decides what the manifests of a target say together."""
    others = None if config.others is None else sorted(config.others)
    return digest([_RULES_VERSION, context, sorted(config.secrets), others])

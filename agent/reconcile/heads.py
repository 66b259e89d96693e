"""Which commit a pass is about: the newest of the followed ref, unless there is reason to doubt it.

Called by ``once`` and by the loop's look for a newer commit. Three doubts (``design/fault-model.md`` G1, G2, G13): a
source that cannot be read leaves the admitted revision in force; a head that is *older* than the admitted one is a
lagging replica until it has stayed for a while; and a head that is not proved to descend from the one before deletes
nothing before a person has confirmed it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from agent.errors import AgentError, SourceError
from agent.model.identity import Revision
from agent.tracing import span

if TYPE_CHECKING:
    from agent.reconcile.target import Target

SETTLE_SECONDS = 60.0
"""How long an older head is taken for a replica that lags."""
STALLED_AFTER = 3
"""Looks in a row at a source that cannot be read, after which people must act."""
TRUSTED = "trusted"
"""In the target's memory: the newest commit whose descent was proved or whose deletes were confirmed."""
PUBLISHED = "published"
"""In the target's memory: when the trusted revision of a published folder was put there, and its digest."""

WORKTREE = "worktree"

_log = structlog.get_logger("datakeel")


@dataclass(slots=True)
class Heads:
    """What is remembered between passes of one process. ``older`` is a doubted head and when it was first seen."""

    older: tuple[str, float] | None = None
    told: str = ""
    failures: int = 0
    failure: str = ""
    fetches: Counter[str] = field(default_factory=Counter)  # by how they ended

    @property
    def stalled(self) -> str:
        """Why the source cannot be read, once that has lasted for :data:`STALLED_AFTER` looks."""
        return self.failure if self.failures >= STALLED_AFTER else ""


@dataclass(frozen=True, slots=True)
class Head:
    """A revision, and why nothing is deleted on its account ("" when it may be)."""

    revision: Revision
    doubt: str = ""
    reason: str = ""


async def head_of(target: Target, revision: Revision | None, *, proposed: bool = False) -> Head:
    """The revision that is asked for, or the newest. One that is only proposed descends from what it likes."""
    if revision is None:
        return await newest(target)
    return Head(revision) if proposed else await judged(target, revision)


async def newest(target: Target) -> Head:
    """The commit to walk. Raises SourceError when the source cannot be read and none was ever admitted."""
    heads, admitted = target.heads, _admitted(target)
    try:
        with span("fetch", target=target.name):
            found: Revision = await target.blocking(target.source.fetch)
    except SourceError as error:
        if heads.failure != error.what:  # once, however long it lasts: a pass looks like any other meanwhile
            _log.warning("source.failed", target=target.name, code=error.error_code, message=error.what, why=error.why)
        heads.failures, heads.failure = heads.failures + 1, error.what
        heads.fetches["failed"] += 1
        known = await _known(target, admitted)
        if known is None:
            raise
        return Head(known, f"the source cannot be read ({error.what})", "SourceFailed")
    heads.fetches["fetched"] += 1
    if heads.failure:
        _log.info("source.back", target=target.name, looks=heads.failures)
    heads.failures, heads.failure = 0, ""
    if admitted is None or found.commit == admitted:
        heads.older = None
    elif await _is_behind(target, found, admitted):
        known = await _known(target, admitted) if _is_young(target, found.commit) else None
        if known is not None:
            return await judged(target, known)
        if found.published_at is not None and _is_young(target, found.commit):
            raise _behind(found, admitted)
        _tell(target, "history.rolled_back", found.commit, admitted)
    return await judged(target, found)


async def judged(target: Target, revision: Revision) -> Head:
    """The same revision, doubted where it is not proved to descend from the one that is trusted."""
    memory = target.store.target_memory(target.name)
    trusted = memory.get(TRUSTED) or memory.get("admitted")
    if not trusted or revision.commit == WORKTREE:
        return Head(revision)
    published = memory.get(PUBLISHED) or {}
    if revision.commit == trusted and published.get("tree", revision.tree) != revision.tree:
        doubt = f"the folder called by {revision.short} holds other files than before, and a commit never changes"
        return Head(revision, doubt, "HistoryRewritten")
    later = revision.published_at is not None and revision.published_at > published.get("at", math.inf)
    if later or await _descends(target, trusted, revision.commit) is True:
        return Head(revision)
    if _is_published(revision):
        doubt = f"nobody can tell yet that {revision.short} was published after {trusted[:7]} and is whole"
        return Head(revision, doubt, "HistoryRewritten")
    _tell(target, "history.rewritten", revision.commit, trusted)
    doubt = f"{revision.short} is not proved to descend from {trusted[:7]}, the commit before it"
    return Head(revision, doubt, "HistoryRewritten")


def trusted_after(
    memory: Mapping[str, Any], revision: Revision, reasons: set[str], now: float, *, whole: bool
) -> dict[str, Any]:
    """What is trusted after a pass, as it is remembered.

    A doubted head is trusted once none of its deletes had to be held for the doubt. Of a published folder it is kept
    when it was put there (``now`` where nobody can tell) and what it held; of a commit its history tells more.
    """
    before: str = memory.get(TRUSTED) or memory.get("admitted") or revision.commit
    doubted = bool({"HistoryRewritten", "SourceFailed"} & reasons)
    if not whole or doubted:
        return {TRUSTED: before, PUBLISHED: memory.get(PUBLISHED)}
    if not _is_published(revision):
        return {TRUSTED: revision.commit, PUBLISHED: None}
    known: dict[str, Any] = (memory.get(PUBLISHED) or {}) if before == revision.commit else {}
    at = revision.published_at if revision.published_at is not None else now
    return {TRUSTED: revision.commit, PUBLISHED: {"at": max(at, known.get("at", 0.0)), "tree": revision.tree}}


def _is_published(revision: Revision) -> bool:
    """Whether it is what a folder holds, rather than a commit that was read from git."""
    return revision.published_at is not None or revision.commit == revision.tree


async def _is_behind(target: Target, found: Revision, admitted: str) -> bool:
    """Whether a head is older than the admitted one: by history, or since it was published before it."""
    memory = target.store.target_memory(target.name)
    published = memory.get(PUBLISHED) or {}
    if found.published_at is not None and memory.get(TRUSTED) == admitted:
        at: float = published.get("at", 0.0)
        return found.published_at < at
    return await _descends(target, found.commit, admitted) is True


def _behind(found: Revision, admitted: str) -> SourceError:
    return SourceError(
        f"{found.short} is published here, which is older than {admitted[:7]}",
        code="source-behind",
        why="another agent on this state has seen a newer one, or somebody publishes an older one again",
        fix=f"wait: in {SETTLE_SECONDS:.0f} s it counts as put back on purpose",
    )


async def _descends(target: Target, older: str, newer: str) -> bool | None:
    if older == newer:
        return True
    found: bool | None = await target.blocking(lambda: target.source.is_ancestor(older, newer))
    return found


async def _known(target: Target, admitted: str | None) -> Revision | None:
    """The admitted revision, if its objects are still at hand."""
    last = target.last.desired
    if last is not None and last.revision.commit == admitted:
        return last.revision
    if admitted is None:
        return None
    try:
        found: Revision = await target.blocking(lambda: target.source.resolve(admitted))
    except AgentError:
        return None
    return found


def _admitted(target: Target) -> str | None:
    last = target.last.desired
    if last is not None and last.revision.commit:
        return last.revision.commit
    return target.store.target_memory(target.name).get("admitted") or None


def _is_young(target: Target, commit: str) -> bool:
    """Whether an older head was first seen a moment ago."""
    heads, now = target.heads, target.clock.monotonic()
    if heads.older is None or heads.older[0] != commit:
        heads.older = (commit, now)
    return now - heads.older[1] < SETTLE_SECONDS


def _tell(target: Target, event: str, commit: str, before: str) -> None:
    if target.heads.told != commit:
        target.heads.told = commit
        _log.warning(event, target=target.name, revision=commit[:7], before=before[:7])

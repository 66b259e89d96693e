"""What is live, for people: a table of a kind, or one object with its body. Used by the verb ``get``; sends reads."""

from __future__ import annotations

from collections.abc import Sequence

from agent.cli.opening import open_targets, revision_of
from agent.cli.options import LiveRow, Options, Selector
from agent.config.model import Config
from agent.definitions.marks import owner_of
from agent.live.purpose import Purpose
from agent.live.rows import health_of
from agent.model.identity import Key, uid_of
from agent.model.resource import Desired
from agent.plan.normalize import fingerprinted, live_spec, public
from agent.reconcile.desired import read_desired
from agent.reconcile.target import Target


async def fetch_live(
    config: Config, options: Options, selector: Selector, *, desired: bool, applied: bool
) -> tuple[LiveRow, ...]:
    """``get``: a table of one kind (from its lists), or one object with its body; secrets as ``(secret)``."""
    async with open_targets(config, options, writable=False) as opened:
        found: list[LiveRow] = []
        for target in opened.targets:
            found += await _live_rows(target, options, selector, desired=desired, applied=applied)
        return tuple(found)


async def _live_rows(
    target: Target, options: Options, selector: Selector, *, desired: bool, applied: bool
) -> Sequence[LiveRow]:
    known = target.store.rows(target.name)
    revision = revision_of(target.source, options)
    git = read_desired(target.source, revision, target.config, target.platform, target.store, target.last)
    keys = [key for key in {*git.resources, *known} if selector.matches(key.kind, key.scope, key.name)]
    if selector.names:
        return [await _one(target, key, git, desired=desired, applied=applied) for key in sorted(keys)]
    kinds = [kind for kind in target.platform.kinds.values() if selector.kind in (None, kind.name)]
    found = []
    for kind in kinds:
        if kind.list is None:
            continue
        words = kind.list.request.words
        scopes = {
            tuple(pair for pair in key.scope if pair[0] in words)
            for key in {*git.resources, *known}
            if key.kind == kind.name
        }
        for scope in sorted(scopes):
            listing = await target.api.list(kind, scope, Purpose.LIST)
            for row in listing.rows:
                key = Key(target.name, kind.name, row.scope, row.name)
                ours = known.get(key)
                found.append(
                    LiveRow(
                        key,
                        row.health,
                        ours is not None,
                        ours.in_sync if ours is not None else None,
                        ours.seen_at if ours is not None else None,
                    )
                )
    return sorted(found, key=lambda row: row.key)


async def _one(target: Target, key: Key, git: Desired, *, desired: bool, applied: bool) -> LiveRow:
    kind, book = target.platform.kinds[key.kind], target.books.of(key)
    row = target.store.rows(target.name).get(key)
    sync = row.in_sync if row is not None else None
    seen_at = row.seen_at if row is not None else None
    if desired or applied:
        health = row.health if row is not None else "unknown"
        if desired:
            resource = git.resources.get(key)
            spec = resource.read() if resource is not None else None
            body = public(fingerprinted(book, spec, target.secrets.fingerprint)) if spec is not None else None
        else:
            body = public(target.store.applied([key]).get(key, {}).get("spec"))
        return LiveRow(key, health, row is not None, sync, seen_at, body)
    reply = await target.api.get(kind, key, row.server_id if row is not None else None, Purpose.READ)
    if reply.answer != "ok":
        return LiveRow(key, "gone" if reply.answer == "notFound" else "unknown", row is not None, sync, seen_at)
    spec = public(fingerprinted(book, live_spec(book, reply.item), target.secrets.fingerprint))
    ours = owner_of(kind, reply.item) == uid_of(target.platform.name, key) if kind.mark else row is not None
    return LiveRow(key, health_of(kind, reply.item), ours, sync, target.clock.now(), spec)

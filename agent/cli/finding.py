"""Which object a person means: ``Kind/name``, ``Kind/scope/name``, with ``--in`` and ``--id``. Used by ``asking``.

The inventory is asked first, then git; an object that stands in neither is named in full. Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agent.cli.arguments import key_of, pairs_of
from agent.cli.opening import Opened
from agent.cli.options import Options, Selector
from agent.definitions.platform import ActionRule, Kind, LogRule, MetricRule
from agent.errors import UsageError
from agent.live.actions import Subject, subject_of
from agent.model.identity import Key
from agent.model.resource import Desired
from agent.reconcile.desired import read_desired
from agent.reconcile.target import Target
from agent.report.escape import clean
from agent.validate.findings import nearest


@dataclass(frozen=True, slots=True)
class Asked:
    """Which object is meant: ``where`` are scope words (``--in``), ``server_id`` tells objects of one name apart."""

    selector: Selector
    where: tuple[str, ...] = ()
    server_id: str | None = None
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    target: Target
    kind: Kind
    key: Key
    server_id: str | None

    async def subject(self, rule: ActionRule | LogRule | MetricRule) -> Subject:
        return await subject_of(self.target.api, self.kind, self.key, rule, self.server_id)


def find(opened: Opened, options: Options, asked: Asked) -> Found:
    """The one object that is meant: in the inventory, in git, or named in full."""
    selector = asked.selector
    targets = [target for target in opened.targets if selector.kind in target.platform.kinds]
    if not targets:
        kinds = {name for target in opened.targets for name in target.platform.kinds}
        raise UsageError(f"no target has a kind {clean(selector.kind or '', 60)}", fix=nearest(selector.kind, kinds))
    where = pairs_of(asked.where, "--in")
    for known in (_in_inventory, _in_git):
        keys = [
            (target, key)
            for target in targets
            for key in known(target, opened, options)
            if selector.matches(key.kind, key.scope, key.name) and where.items() <= dict(key.scope).items()
        ]
        if len(keys) > 1:
            names = ", ".join(sorted(clean(key.path, 100) for _, key in keys)[:10])
            raise UsageError(f"{selector.text} is ambiguous: {names}", fix="write Kind/scope/name, or --target")
        if keys:
            target, key = keys[0]
            row = target.store.rows(target.name).get(key)
            return _made(target, key, asked.server_id or (row.server_id if row is not None else None))
    if len(targets) > 1:
        raise UsageError(f"{selector.text} may be of several targets", fix=f"--target {targets[0].name}")
    target = targets[0]
    kind = target.platform.kinds[selector.kind or ""]
    return _made(target, key_of(target.name, kind, selector.names, where, target.config.defaults), asked.server_id)


def _made(target: Target, key: Key, server_id: str | None) -> Found:
    return Found(target, target.platform.kinds[key.kind], key, server_id)


def _in_inventory(target: Target, opened: Opened, options: Options) -> Iterable[Key]:
    return target.store.rows(target.name)


def _in_git(target: Target, opened: Opened, options: Options) -> Iterable[Key]:
    return git_of(target, opened, options).resources


def git_of(target: Target, opened: Opened, options: Options) -> Desired:
    source = opened.source
    revision = source.resolve(options.revision) if options.revision is not None else source.fetch()
    return read_desired(source, revision, target.config, target.platform, target.store, target.last)


def metric_of(found: Found, metric: str | None) -> Found:
    """The metric of an object: a kind of its own that has a scope word of the object's kind."""
    for kind in found.target.platform.kinds.values():
        word = next((each.word for each in kind.scope if each.kind == found.kind.name), None)
        if kind.metrics is None or word is None:
            continue
        if metric is None:
            raise UsageError(f"which metric of {found.key}?", fix=f"datakeel metrics {found.key.path} METRIC")
        known = {**dict(found.key.scope), word: found.key.name}
        scope = tuple((each.word, known[each.word]) for each in kind.scope if each.word in known)
        return Found(found.target, kind, Key(found.target.name, kind.name, scope, metric), None)
    raise UsageError(f"{found.kind.name} has no metrics on this platform")

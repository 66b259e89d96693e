"""Which object a person means: ``Kind/name``, ``Kind/scope/name``, with ``--in`` and ``--id``. Used by ``asking``.

The inventory is asked first, then git; an object that stands in neither is named in full, and then git need not be
readable. Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.cli.arguments import ambiguous, key_of, pairs_of
from agent.cli.opening import Opened
from agent.cli.options import Options, Selector
from agent.cli.reading import revision_of
from agent.definitions.platform import ActionRule, Kind, LogRule, MetricRule
from agent.errors import NoCommit, SourceError, UsageError
from agent.live.actions import Subject, subject_of
from agent.model.identity import Key, Revision
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
    targets = having(opened, asked.selector)
    unread: SourceError | None = None
    keys = meant(targets, asked, lambda target: target.store.rows(target.name))
    if not keys:
        try:
            keys = meant(targets, asked, lambda target: git_of(target, opened, options).resources)
        except SourceError as error:
            unread = error
    if len(keys) > 1:
        raise ambiguous(asked.selector, (key for _, key in keys))
    if keys:
        return found_as(*keys[0], asked)
    return in_full(targets, asked, unread)


def having(opened: Opened, selector: Selector) -> list[Target]:
    """The targets that have the kind that is meant."""
    targets = [target for target in opened.targets if selector.kind in target.platform.kinds]
    if not targets:
        kinds = {name for target in opened.targets for name in target.platform.kinds}
        raise UsageError(f"no target has a kind {clean(selector.kind or '', 60)}", fix=nearest(selector.kind, kinds))
    return targets


def meant(
    targets: Iterable[Target], asked: Asked, known: Callable[[Target], Iterable[Key]]
) -> list[tuple[Target, Key]]:
    """Those of the ``known`` keys of each target that the words can mean."""
    where = pairs_of(asked.where, "--in")
    return [
        (target, key)
        for target in targets
        for key in known(target)
        if asked.selector.matches(key.kind, key.scope, key.name) and where.items() <= dict(key.scope).items()
    ]


def in_full(targets: Sequence[Target], asked: Asked, unread: SourceError | None = None) -> Found:
    """An object that neither the inventory nor git names.

    ``unread``: git could not be read, so that it may name another one in another scope. Then the words alone must say
    where it stands: what the target's ``defaults`` would add is not theirs.
    """
    if len(targets) > 1:
        raise UsageError(f"{asked.selector.text} may be of several targets", fix=f"--target {targets[0].name}")
    target = targets[0]
    kind = target.platform.kinds[asked.selector.kind or ""]
    names, where = asked.selector.names, pairs_of(asked.where, "--in")
    key = key_of(target.name, kind, names, where, target.config.defaults)
    if unread is not None and not _is_full(key, kind, names, where):
        fix = f"name it in full: {key.path}" + (f"; or {unread.fix}" if unread.fix else "")
        raise SourceError(unread.what, code=unread.error_code, where=unread.where, why=unread.why, fix=fix)
    return found_as(target, key, asked)


def found_as(target: Target, key: Key, asked: Asked) -> Found:
    """The object with its kind, and with its id where one is given or remembered."""
    row = target.store.rows(target.name).get(key)
    server_id = asked.server_id or (row.server_id if row is not None else None)
    return Found(target, target.platform.kinds[key.kind], key, server_id)


def git_of(target: Target, opened: Opened, options: Options) -> Desired:
    """What git names. A repository without a commit names nothing; one that cannot be read raises SourceError."""
    source = opened.source
    try:
        revision = revision_of(source, options)
    except NoCommit:
        return Desired(target.name, Revision(""), {})
    return read_desired(source, revision, target.config, target.platform, target.store, target.last)


def _is_full(key: Key, kind: Kind, names: Sequence[str], where: Mapping[str, str]) -> bool:
    """Whether the words alone, without any defaults, lead to this key."""
    try:
        return key_of(key.target, kind, names, where, {}) == key
    except UsageError:
        return False


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

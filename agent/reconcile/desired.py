"""Revision -> Desired: list the tree, check what was never checked, combine. Cost grows with the change.

A file is known by its blob id: the store remembers the verdict for every blob (without paths, specs or secrets), the
process remembers the last revision whole. Reading a spec again costs one parse of one file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from agent.config.model import TargetConfig
from agent.definitions.platform import Platform
from agent.model.canonical import digest
from agent.model.identity import Key, Origin, Revision
from agent.model.manifest import CheckedDocument, CheckedFile
from agent.model.resource import Desired, Resource
from agent.reconcile import collector
from agent.reconcile.checking import QUARANTINED, Attempts
from agent.reconcile.specs import Specs
from agent.reconcile.target import LastDesired
from agent.source import Source, TreeEntry
from agent.store.store import Store
from agent.validate.desired import SourceFile, combine, files_of
from agent.validate.document import check_file, context_digest

_PATCHED_MAX = 1000  # more changed files than this are put together anew
_KEPT_AT_ONCE = 500  # files checked before they are handed to the store


def read_desired(
    source: Source,
    revision: Revision,
    config: TargetConfig,
    platform: Platform,
    store: Store | None,
    last: LastDesired,
) -> Desired:
    """All manifests of the target's folder at ``revision``. Raises SourceError; manifests' faults are problems."""
    tree = source.tree(revision, config.folder)
    context = context_digest(platform, config.defaults, config.scopes)
    if last.context != context or last.specs is None:
        last.context, last.checked, last.desired = context, {}, None
        last.specs = Specs(source, platform, config.defaults)
    uploads = _uploads(platform)
    if uploads and _moved(source, revision, last):
        last.desired = None
    if last.desired is not None and not tree.problems:
        if last.entries == tree.entries:
            last.desired = replace(last.desired, revision=revision)
            return last.desired
        patched = _patched(source, tree.entries, revision, config, platform, store, last)
        if patched is not None:
            last.entries, last.desired = tree.entries, patched
            return patched
    with collector.waiting():
        wanted = {entry.blob for entry in tree.entries}
        _learn(source, wanted, platform, config, store, last)
        known = last.checked = {blob: file for blob, file in last.checked.items() if blob in wanted}
        last.uploads = _paths(known.values()) if uploads else ()
        last.contents = source.contents(revision, last.uploads) if last.uploads else {}
        desired = combine(
            config.name,
            platform,
            revision,
            [(SourceFile(entry.path, entry.blob), known[entry.blob]) for entry in tree.entries],
            read=last.specs.read,
            extra_problems=tree.problems,
            secrets=frozenset(config.secrets),
            contents=last.contents,
            manifests_max=config.limits.manifests_max,
            others=config.others,
        )
    last.entries, last.desired = tree.entries, desired
    return desired


def _uploads(platform: Platform) -> bool:
    """Whether a manifest of the platform can name files: else nobody looks for them."""
    return any(rule.upload is not None for kind in platform.kinds.values() for rule in kind.fields)


def _paths(files: Iterable[CheckedFile]) -> tuple[str, ...]:
    """The files that manifests name for upload."""
    return tuple(sorted({path for file in files for document in file.documents for path in files_of(document)}))


def _moved(source: Source, revision: Revision, last: LastDesired) -> bool:
    """Whether a file that is uploaded came, changed or went, though perhaps no manifest did."""
    return bool(last.uploads) and source.contents(revision, last.uploads) != last.contents


def _learn(
    source: Source,
    wanted: set[str],
    platform: Platform,
    config: TargetConfig,
    store: Store | None,
    last: LastDesired,
) -> None:
    """Have all wanted blobs among ``last.checked``: from the store, else checked now and given to the store."""
    missing = wanted - last.checked.keys()
    if store is not None and missing:
        last.checked |= store.checked(last.context, sorted(missing))
        missing -= last.checked.keys()
    assert last.specs is not None
    fresh: dict[str, CheckedFile] = {}
    attempts = Attempts(store if missing else None, last.context, missing)
    for blob, content in source.read(attempts.order):
        if attempts.begin(blob):
            checked = check_file(content, platform, config.defaults, config.scopes)
        else:
            checked = QUARANTINED
        bare = []
        for document in checked.documents:
            if document.spec is not None:
                last.specs.keep(blob, document.document, document.spec)
            bare.append(_without_spec(document))
        fresh[blob] = CheckedFile(tuple(bare), checked.problems, checked.broken)
        if attempts.alone or len(fresh) >= _KEPT_AT_ONCE:
            _keep(fresh, store, last)
            fresh = {}
    _keep(fresh, store, last)
    attempts.ended()


def _keep(fresh: dict[str, CheckedFile], store: Store | None, last: LastDesired) -> None:
    last.checked |= fresh
    if store is not None and fresh:
        store.put_checked(last.context, fresh)


def _without_spec(document: CheckedDocument) -> CheckedDocument:
    return CheckedDocument(
        document.document,
        document.line,
        document.column,
        document.kind,
        document.scope,
        document.name,
        document.digest,
        document.lifecycle,
        document.references,
    )


def _patched(
    source: Source,
    entries: tuple[TreeEntry, ...],
    revision: Revision,
    config: TargetConfig,
    platform: Platform,
    store: Store | None,
    last: LastDesired,
) -> Desired | None:
    """The last revision with a few files exchanged, where nothing that files say of one another has changed.

    None where that cannot be told cheaply: files came or went, or something was or is wrong. Then all is put together
    anew, which costs as much as there are manifests.
    """
    before, desired, specs = last.entries, last.desired, last.specs
    if desired is None or specs is None or desired.problems or len(before) != len(entries):
        return None
    changed = [(old, new) for old, new in zip(before, entries, strict=True) if old != new]
    if len(changed) > _PATCHED_MAX or any(old.path != new.path for old, new in changed):
        return None
    _learn(source, {new.blob for _, new in changed}, platform, config, store, last)
    resources = dict(desired.resources)
    for old, new in changed:
        was, is_ = last.checked.get(old.blob), last.checked[new.blob]
        if was is None or not _relates_alike(was, is_):
            return None
        file = SourceFile(new.path, new.blob)
        for document in is_.documents:
            former = resources[Key(config.name, document.kind, document.scope, document.name)]
            resources[former.key] = Resource(
                former.key,
                Origin(new.path, document.line, document.column),
                digest([document.digest, former.files]) if former.files else document.digest,
                document.lifecycle,
                former.depends_on,
                partial(specs.read, file, document.document),
                former.files,
            )
    if len(last.checked) > len(entries) + _PATCHED_MAX:
        wanted = {entry.blob for entry in entries}
        last.checked = {blob: file for blob, file in last.checked.items() if blob in wanted}
    return replace(desired, revision=revision, resources=resources)


def _relates_alike(old: CheckedFile, new: CheckedFile) -> bool:
    """Whether two versions of a file name the same resources and say the same of others; both without a fault."""
    if old.problems or new.problems or len(old.documents) != len(new.documents):
        return False
    return [_relations(document) for document in old.documents] == [_relations(document) for document in new.documents]


def _relations(document: CheckedDocument) -> tuple[object, ...]:
    return (
        document.kind,
        document.scope,
        document.name,
        document.lifecycle.depends_on,
        document.lifecycle.awaits,
        document.lifecycle.moved_from,
        [reference[:2] for reference in document.references],
    )

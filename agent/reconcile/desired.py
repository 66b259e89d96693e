"""Revision -> Desired: list the tree, check what was never checked, combine. Cost grows with the change.

A file is known by its content: its blob id, and what is rendered into it (``rendering``). The store remembers the
verdict for every content (without paths, specs or secrets), the process remembers the last revision whole. Reading a
spec again costs one parse of one file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from agent.config.model import TargetConfig
from agent.definitions.platform import Platform
from agent.errors import Problem
from agent.model.canonical import digest
from agent.model.identity import Key, Origin, Revision
from agent.model.manifest import CheckedDocument, CheckedFile
from agent.model.resource import Desired, Resource
from agent.model.tracked import Tracked
from agent.reconcile import collector
from agent.reconcile.checking import QUARANTINED, Attempts
from agent.reconcile.last import LastDesired
from agent.reconcile.recalled import PATCHED_MAX, differing, keep, recall
from agent.reconcile.rendering import Rendering
from agent.reconcile.specs import Specs
from agent.source import Source, Tree, TreeEntry
from agent.source.tree import Edited
from agent.validate.desired import SourceFile, combine, files_of, more_files_than, nothing_of
from agent.validate.document import check_file, context_digest

if TYPE_CHECKING:
    from agent.store.store import Store

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
    base = source.tree(revision, config.folder)
    overlays = tuple(_overlays(source, revision, folder) for folder in config.overlays)
    uploads = _uploads(platform)
    rendering, specs = _begin(source, config, platform, last)
    if uploads and _moved(source, revision, last):
        last.desired = None
    again = _out_of_quarantine(last)
    over = tuple(entry for tree in overlays for entry in tree.entries)
    listed = (base.entries, over, config.variables)
    problems = (*base.problems, *(problem for tree in overlays for problem in tree.problems))
    kept = store if not config.overlays and not uploads else None
    if last.desired is None and kept is not None and not problems:
        recall(kept, config, revision, base.entries, last)
    if last.desired is not None and not problems and last.listed == listed:
        last.desired = replace(last.desired, revision=revision)
        return last.desired
    if len(base.entries) > config.limits.manifests_max:
        return _too_many(config, revision, base, problems, last, listed)
    with collector.waiting():
        learn = partial(_learn, source, platform, config, store, last, again)
        entries = rendering.entries(base.entries, over, config.variables, learn, edited=_edited(base, last))
        rendering.unsure |= any(problem.severity == "error" for tree in overlays for problem in tree.problems)
        problems = (*problems, *rendering.problems)
        edited = base.edited if entries is base.entries else None  # it knows nothing of what is rendered
        patched = None if problems else _patched(entries, revision, config, store, last, edited)
        if patched is not None:
            last.listed, last.entries, last.desired = listed, entries, patched
            return patched
        learn(entry.blob for entry in entries)
        wanted = rendering.forget(entry.blob for entry in entries)
        known = last.checked = {content: file for content, file in last.checked.items() if content in wanted}
        last.uploads = _paths(known[entry.blob] for entry in entries) if uploads else ()
        last.contents = source.contents(revision, last.uploads) if last.uploads else {}
        desired = combine(
            config.name,
            platform,
            revision,
            [(SourceFile(entry.path, entry.blob), rendering.held(entry.path, known[entry.blob])) for entry in entries],
            read=specs.read,
            extra_problems=problems,
            secrets=frozenset(config.secrets),
            contents=last.contents,
            manifests_max=config.limits.manifests_max,
            others=config.others,
            variables={name: variable.where for name, variable in config.variables.known.items()},
        )
        desired = replace(desired, variables=rendering.used) if rendering.used else desired
    last.listed, last.entries, last.desired = listed, entries, desired
    if kept is not None and entries is base.entries:
        keep(kept, config, last)
    return desired


def _begin(source: Source, config: TargetConfig, platform: Platform, last: LastDesired) -> tuple[Rendering, Specs]:
    """What is remembered is forgotten where it is of another definition."""
    context = context_digest(platform, config.defaults, config.scopes)
    if last.context != context or last.specs is None or last.rendering is None:
        last.context, last.checked, last.desired = context, {}, None
        last.rendering = Rendering(source)
        last.specs = Specs(source, platform, config.defaults, last.rendering)
    return last.rendering, last.specs


def _too_many(
    config: TargetConfig, revision: Revision, base: Tree, problems: Iterable[Problem], last: LastDesired, listed: Any
) -> Desired:
    """Refused before a file is read, so that their number costs no memory."""
    told = more_files_than(config.limits.manifests_max, [entry.path for entry in base.entries])
    last.desired = nothing_of(config.name, revision, [*problems, told], len(base.entries))
    last.listed, last.entries = listed, ()
    return last.desired


def _overlays(source: Source, revision: Revision, folder: str) -> Tree:
    """The files of a folder of overlays. One that is not there is a mistake of the configuration's `overlays`."""
    tree = source.tree(revision, folder)
    return replace(tree, problems=tuple(map(_of_overlays, tree.problems))) if tree.problems else tree


def _of_overlays(problem: Problem) -> Problem:
    fix = "create it with its first overlay, or correct the target's `overlays`"
    return replace(problem, fix=fix) if problem.code == "folder-missing" else problem


def _uploads(platform: Platform) -> bool:
    """Whether a manifest of the platform can name files: else nobody looks for them."""
    return any(rule.upload is not None for kind in platform.kinds.values() for rule in kind.fields)


def _paths(files: Iterable[CheckedFile]) -> tuple[str, ...]:
    """The files that manifests name for upload."""
    return tuple(sorted({path for file in files for document in file.documents for path in files_of(document)}))


def _edited(base: Tree, last: LastDesired) -> list[TreeEntry] | None:
    """The files that differ from those of the last revision; None where all may."""
    if last.desired is None:
        return None
    before, now = last.listed[0], base.entries
    if base.edited is not None and base.edited.before is before:
        return [now[place] for place in base.edited.places]
    return [now[place] for place in differing(before, now)] if len(before) == len(now) else None


def _moved(source: Source, revision: Revision, last: LastDesired) -> bool:
    """Whether a file that is uploaded came, changed or went, though perhaps no manifest did."""
    return bool(last.uploads) and source.contents(revision, last.uploads) != last.contents


def _learn(
    source: Source,
    platform: Platform,
    config: TargetConfig,
    store: Store | None,
    last: LastDesired,
    again: frozenset[str],
    contents: Iterable[str],
) -> Mapping[str, CheckedFile]:
    """All that is known, these contents among it: from the store, else checked now and given to the store."""
    assert last.specs is not None
    assert last.rendering is not None
    missing = {content for content in contents if content not in last.checked}
    if store is not None and missing:
        remembered = store.checked(last.context, sorted(missing))
        last.rendering.known(remembered)
        last.checked |= remembered
        missing.difference_update(remembered)
    wanted: dict[str, list[str]] = defaultdict(list)
    for content in missing:
        wanted[last.rendering.blob_of(content)].append(content)
    fresh: dict[str, CheckedFile] = {}
    attempts = Attempts(store if missing else None, last.context, wanted, again)
    for blob, text in source.read(attempts.order):
        if not attempts.begin(blob):
            last.checked |= dict.fromkeys(wanted[blob], QUARANTINED)  # of this process alone: it may be tried again
            continue
        for content in wanted[blob]:
            fresh[content] = _checked(content, text, platform, config, last)
        if attempts.alone or len(fresh) >= _KEPT_AT_ONCE:
            _keep(fresh, store, last)
            fresh = {}
    _keep(fresh, store, last)
    last.quarantined |= attempts.ended()
    return last.checked


def _out_of_quarantine(last: LastDesired) -> frozenset[str]:
    """Files that may be tried again, now that the pass without them is over; what is known of them is forgotten."""
    again, last.quarantined = last.quarantined, frozenset()
    if again:
        last.desired = None
        last.checked = {content: file for content, file in last.checked.items() if file is not QUARANTINED}
    return again


def _checked(content: str, text: bytes, platform: Platform, config: TargetConfig, last: LastDesired) -> CheckedFile:
    assert last.specs is not None
    assert last.rendering is not None
    names = last.rendering.needs_no_check(content, text)
    if names is not None:
        return names
    checked = check_file(text, platform, config.defaults, config.scopes, last.rendering.inputs_of(content))
    bare = []
    for document in checked.documents:
        if document.spec is not None:
            last.specs.keep(content, document.document, document.spec)
        bare.append(_without_spec(document))
    return replace(checked, documents=tuple(bare))


def _keep(fresh: dict[str, CheckedFile], store: Store | None, last: LastDesired) -> None:
    if last.rendering is not None:
        last.rendering.known(fresh)
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
    entries: tuple[TreeEntry, ...],
    revision: Revision,
    config: TargetConfig,
    store: Store | None,
    last: LastDesired,
    edited: Edited | None,
) -> Desired | None:
    """The last revision with a few files exchanged, where nothing that files say of one another has changed.

    None where that cannot be told cheaply: files came or went, or something was or is wrong. Then all is put together
    anew, which costs as much as there are manifests.
    """
    before, desired, specs = last.entries, last.desired, last.specs
    if desired is None or specs is None or desired.problems or len(before) != len(entries):
        return None
    places = edited.places if edited is not None and edited.before is before else differing(before, entries)
    changed = [(before[place], entries[place]) for place in places]
    if len(changed) > PATCHED_MAX or any(old.path != new.path for old, new in changed):
        return None
    unknown = [old.blob for old, _ in changed if old.blob not in last.checked]
    if unknown and store is not None:  # read by another process
        last.checked |= store.checked(last.context, unknown)
    renewed: dict[Key, Resource] = {}
    for old, new in changed:
        was, is_ = last.checked.get(old.blob), last.checked[new.blob]
        if was is None or not _relates_alike(was, is_):
            return None
        file = SourceFile(new.path, new.blob)
        for document in is_.documents:
            former = desired.resources[Key(config.name, document.kind, document.scope, document.name)]
            renewed[former.key] = Resource(
                former.key,
                Origin(new.path, document.line, document.column),
                digest([document.digest, former.files]) if former.files else document.digest,
                document.lifecycle,
                former.depends_on,
                partial(specs.read, file, document.document),
                former.files,
                former.secrets,
            )
    assert last.rendering is not None
    assert isinstance(desired.resources, Tracked)
    resources = desired.resources.followed_by(renewed)
    if len(last.checked) > len(entries) + last.rendering.intermediate + PATCHED_MAX:
        wanted = last.rendering.forget(entry.blob for entry in entries)
        last.checked = {content: file for content, file in last.checked.items() if content in wanted}
    return replace(desired, revision=revision, resources=resources, variables=last.rendering.used)


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

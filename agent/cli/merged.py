"""What is merged decides: configuration, definitions and credentials of the base revision, manifests of the proposed.

Used by the verbs that compare with ``--base``. The proposed revision, which may be anybody's, is only read; what it
changes of the agent itself is told in words. Nothing here sends a call or follows a reference to a secret.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from agent.cli.reading import cache_folder
from agent.cli.renditions import Renditions, between
from agent.config import find_config, load_config
from agent.config.changes import config_changes
from agent.config.model import Config
from agent.config.relocate import Merged
from agent.definitions.files import shown_below
from agent.errors import ConfigError, UsageError
from agent.model.identity import Revision
from agent.model.unmerged import Unmerged, UnmergedCode
from agent.reconcile.proposal import parted_at
from agent.report.values import line_diff
from agent.source import Source, open_repository, open_source
from agent.source.copies import Copies
from agent.source.location import place_in_repository
from agent.source.worktree import WORKTREE


@dataclass(frozen=True, slots=True)
class Comparison:
    """``base`` decides, ``start`` is where the histories part, ``head`` is proposed. ``config`` is that of ``base``.

    ``unmerged`` is what the proposal changes of the agent itself. ``trusts_state`` is False where the state store comes
    from the repository, so that whoever proposes may have written it. ``renditions`` are what ``start`` and ``head``
    say of variables and overlays, where they do not say the same.
    """

    config: Config
    source: Source
    base: Revision
    start: Revision
    head: Revision
    unmerged: tuple[Unmerged, ...] = ()
    trusts_state: bool = True
    renditions: tuple[Renditions, Renditions] = ({}, {})


@contextmanager
def compared(
    *, config: Path | None, schemas: Sequence[Path], base: str, revision: str | None, offline: bool, cwd: Path
) -> Iterator[Comparison]:
    """The comparison of ``revision`` (None: the work tree) with ``base``. Raises ConfigError and SourceError."""
    here = Path(os.path.realpath(cwd))
    file = find_config(config, os.environ, here)
    found = place_in_repository(here, file)
    if found is None:  # the operator's own file, which no pull request can reach
        loaded = load_config(config, os.environ, here, schemas)
        with closing(_opened(loaded, revision)) as source:
            yield _comparison(loaded, source, source.resolve(base), revision)
        return
    with ExitStack() as stack:
        top, below = found
        whole = stack.enter_context(closing(open_repository(top, work_tree=revision is None)))
        decides = whole.resolve(base)
        folder = Path(os.path.realpath(stack.enter_context(tempfile.TemporaryDirectory(prefix="datakeel-"))))
        copies = Copies(top, decides, folder)
        content = copies.content(below)
        if content is None and not offline:
            raise _nothing_merged(below, base)
        merged = None if content is None else Merged(content, copies.place, folder / (copies.inside(here) or ""))
        if merged is not None:
            merged.folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(shown_below(folder))
        given = [here / each for each in schemas]
        loaded = load_config(top / below, os.environ, here, given, merged)
        loaded = _read_here(loaded, top)
        source = stack.enter_context(closing(_opened(loaded, revision)))
        comparison = _comparison(loaded, source, decides, revision)
        yield replace(
            comparison,
            unmerged=tuple(_unmerged(comparison, whole, copies, below, content or b"")),
            trusts_state=not _is_in_repository(loaded.state, top, whole, comparison),
            renditions=between(
                whole,
                below,
                comparison.start,
                comparison.head,
                lambda text: load_config(top / below, os.environ, here, given, Merged(text, copies.place, folder)),
            ),
        )


def _comparison(config: Config, source: Source, base: Revision, revision: str | None) -> Comparison:
    head = source.resolve(revision) if revision is not None else source.fetch()
    return Comparison(config, source, base, parted_at(source, base, head), head)


def _nothing_merged(path: str, base: str) -> ConfigError:
    return ConfigError(
        f"{path} is not in {base}: nothing that was merged says where a credential may go",
        code="config-unmerged",
        fix="merge the configuration first; datakeel diff --offline compares without any call",
    )


def _read_here(config: Config, top: Path) -> Config:
    """With the repository at hand as its source: what is proposed is not at ``source.url`` yet."""
    path = config.source.path if config.source.path is not None else config.path.parent
    if (place_in_repository(path, path) or (None, ""))[0] != top:
        raise ConfigError(
            "--base: the manifests lie in another repository than the configuration",
            code="config-unmerged",
            fix="keep the configuration beside the manifests, or outside of any repository",
        )
    wanted = replace(config.source, url=None, mount=None, path=path, branch=None, tag=None, commit=None, credentials={})
    return replace(config, source=wanted)


def _opened(config: Config, revision: str | None) -> Source:
    if config.source.mount is not None:
        raise UsageError(
            "--base compares commits, and a published folder has none",
            fix="compare in a checkout of the repository, with its configuration in it; that needs git",
        )
    if config.source.path is not None:
        return open_repository(config.source.path, work_tree=revision is None, signers=config.source.signers)
    return open_source(config.source, cache_folder())


def _unmerged(found: Comparison, whole: Source, copies: Copies, path: str, content: bytes) -> Iterator[Unmerged]:
    """What the proposal changes of the configuration and of definitions, as far as its repository holds them."""
    before, after = (whole.contents(each, [path]).get(path) for each in (found.start, found.head))
    if before != after:
        yield from config_changes(path, content, None if after is None else _bytes(whole, after))
    definition = partial(_files, whole, "definition-changed", "the definition", _DEFINITION)
    for folder in found.config.schemas:
        if folder.is_relative_to(copies.folder):
            below = folder.relative_to(copies.folder).as_posix()
            trees = (whole.tree(at, below).entries for at in (found.start, found.head))
            yield from definition(*({each.path: each.blob for each in tree} for tree in trees))
    names = [each for each in found.config.policy_files if each.is_relative_to(copies.folder)]
    paths = [each.relative_to(copies.folder).as_posix() for each in names]
    if paths:
        blobs = (whole.contents(at, paths) for at in (found.start, found.head))
        yield from _files(whole, "policy-changed", "the file of rules", _POLICY, *blobs)


_DEFINITION = "manifests are checked and sent by the one in force"
_POLICY = "plans are judged by the one in force"


def _files(
    whole: Source, code: UnmergedCode, called: str, till_then: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[Unmerged]:
    """Files that decide something and are not alike in both revisions."""
    for path in sorted({*before, *after}):
        if before.get(path) == after.get(path):
            continue
        did = "is new" if path not in before else "is removed" if path not in after else "changed"
        what = f"{called} {did}; until that is merged, {till_then}"
        lines: list[str] = []
        if did == "changed":
            old, new = (_bytes(whole, blobs[path]).decode(errors="replace") for blobs in (before, after))
            lines = [line.removeprefix("| ") for line in line_diff(old, new)[1]]
        yield Unmerged(code, path, what, tuple(line for line in lines if line[:1] in ("+", "-")))


def _bytes(source: Source, blob: str) -> bytes:
    return next(iter(source.read([blob])))[1]


def _is_in_repository(state: str, top: Path, whole: Source, found: Comparison) -> bool:
    """Whether the state store is, or may be, a file that the repository brought along."""
    if not state.startswith("sqlite:///"):
        return False
    file = Path(state.removeprefix("sqlite:///"))
    if not file.is_relative_to(top):
        return False
    if os.path.realpath(file) != str(file):  # a link on the way: git may have made it
        return True
    below = file.relative_to(top).as_posix()
    commits = [each for each in (found.base, found.head) if each.commit != WORKTREE.commit]
    return any(below in whole.contents(each, [below]) for each in (*commits, whole.resolve("HEAD")))

"""GIT: the watched repository, its files at a revision, and the hints that it may have moved.

``open_source`` gives the commits of the configured repository, or what a folder publishes; :class:`WorkTree` the files
as they lie on disk now, :class:`Wakeups` the moment to look again. Only this folder imports GitPython and watchfiles,
and both late: neither is loaded before a command is run or a watch begins. Nothing here parses a manifest or writes to
a watched repository.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from agent.clock import Clock
from agent.errors import ConfigError
from agent.model.actor import Actor
from agent.model.identity import Revision
from agent.source.address import check_commit, check_ref, check_url
from agent.source.local import LocalRepository, Wanted
from agent.source.objects import Touch
from agent.source.repository import GitSource
from agent.source.signatures import Signatures, Signers
from agent.source.tree import DEFAULT_LIMITS, Tree, TreeEntry, TreeLimits

if TYPE_CHECKING:
    from agent.secrets import Reference, Secret
    from agent.source.beside import WorkTreeAndCommits
    from agent.source.mount import PublishedFolder
    from agent.source.wakeups import Wakeups
    from agent.source.worktree import WorkTree

__all__ = [
    "DEFAULT_LIMITS",
    "GitSource",
    "PublishedFolder",
    "Signers",
    "Source",
    "SourceSettings",
    "Touch",
    "Tree",
    "TreeEntry",
    "TreeLimits",
    "Wakeups",
    "WorkTree",
    "WorkTreeAndCommits",
    "open_repository",
    "open_source",
    "open_wakeups",
]


_LATE = {  # a command follows one kind of source, and the last brings asyncio, which a check of files has no use for
    "PublishedFolder": "mount",
    "WorkTree": "worktree",
    "WorkTreeAndCommits": "beside",
    "Wakeups": "wakeups",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)


class Source(Protocol):
    """What the steps after it need of a source. Its calls block: a loop makes them in a thread."""

    def fetch(self) -> Revision:
        """The newest commit of the followed ref; :class:`~agent.errors.SourceError`."""
        ...

    def resolve(self, name: str) -> Revision:
        """The commit that a branch, a tag or an id names."""
        ...

    def admitted(self, name: str) -> Revision:
        """The same, once it is known that it may be applied: signed, where signers are named."""
        ...

    def tree(self, revision: Revision, folder: str) -> Tree:
        """The ``*.yaml``, ``*.yml`` and ``*.json`` files below ``folder``."""
        ...

    def read(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of each blob, in the given order, streamed."""
        ...

    def contents(self, revision: Revision, paths: Sequence[str]) -> Mapping[str, str]:
        """The blob ids of regular files, by path from the repository's top; what is no such file is left out."""
        ...

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        """Does ``newer`` descend from ``older``? None when that cannot be proved either way."""
        ...

    def merge_base(self, one: Revision, other: Revision) -> Revision | None:
        """The commit at which two histories part; None when the history at hand does not show one."""
        ...

    def touched_in(self, paths: Collection[str], revision: Revision) -> Mapping[str, Touch]:
        """The newest commit that changed each of these paths, where the history at hand shows it."""
        ...

    def actor(self, revision: Revision) -> Actor:
        """Who wrote, committed and signed a revision; nobody for what has no commit at hand."""
        ...

    def close(self) -> None: ...


class SourceSettings(Protocol):
    """The part of the configuration that a source is opened with (``agent.config.SourceConfig``)."""

    @property
    def url(self) -> str | None: ...
    @property
    def path(self) -> Path | None: ...
    @property
    def mount(self) -> Path | None: ...
    @property
    def branch(self) -> str | None: ...
    @property
    def tag(self) -> str | None: ...
    @property
    def commit(self) -> str | None: ...
    @property
    def credentials(self) -> Mapping[str, Reference]: ...
    @property
    def known_hosts(self) -> Path | None: ...
    @property
    def ca_file(self) -> Path | None: ...
    @property
    def proxy(self) -> str | None: ...
    @property
    def allow_http(self) -> bool: ...
    @property
    def signers(self) -> Signers | None: ...


def open_source(
    settings: SourceSettings,
    cache_folder: Path,
    limits: TreeLimits = DEFAULT_LIMITS,
    learn: Callable[[Secret], None] = lambda secret: None,
) -> GitSource | PublishedFolder:
    """What the configuration names: a repository's commits, or a folder that somebody else publishes.

    Judges address and ref (:class:`ConfigError`), touches nothing yet. ``learn`` is told each credential when it is
    read.
    """
    if settings.mount is not None:
        from agent.source.mount import PublishedFolder

        return PublishedFolder(settings.mount, cache_folder, limits)
    wanted = _wanted(settings)
    signatures = Signatures(settings.signers) if settings.signers is not None else None
    if settings.url is None:
        if settings.path is None:
            raise ConfigError("`source` has neither a `path` nor a `url`", code="source-url", fix="set one of them")
        return GitSource(LocalRepository(settings.path), wanted, limits, signatures)
    from agent.source.credentials import Remote
    from agent.source.mirror import Mirror

    remote = Remote(
        check_url(settings.url, allow_http=settings.allow_http),
        {name: _reader(name, reference, learn) for name, reference in settings.credentials.items()},
        settings.known_hosts,
        settings.ca_file,
        settings.proxy,
    )
    return GitSource(Mirror(cache_folder, remote), wanted, limits, signatures)


def open_repository(path: Path, *, work_tree: bool, signers: Signers | None = None) -> WorkTreeAndCommits | GitSource:
    """The commits of the local repository at ``path``, with its work tree as one more revision where that is asked.

    ``signers`` are whom a signature may prove; any commit can be looked at.
    """
    signatures = Signatures(signers) if signers is not None else None
    if work_tree:
        from agent.source.beside import WorkTreeAndCommits

        return WorkTreeAndCommits(path, signatures)
    return GitSource(LocalRepository(path), signatures=signatures)


def open_wakeups(
    settings: SourceSettings, *, clock: Clock | None = None, random: Random | None = None, files: Sequence[Path] = ()
) -> Wakeups:
    """What tells when to look at the configured source again; a URL can only be polled, or poked by a webhook."""
    from agent.source.wakeups import Wakeups

    wanted = _wanted(settings)
    return Wakeups(
        settings.path, ref=wanted.full_ref, published=settings.mount, files=files, clock=clock, random=random
    )


def _wanted(settings: SourceSettings) -> Wanted:
    return Wanted(
        check_ref(settings.branch, "branch") if settings.branch is not None else None,
        check_ref(settings.tag, "tag") if settings.tag is not None else None,
        check_commit(settings.commit) if settings.commit is not None else None,
    )


def _reader(name: str, reference: Reference, learn: Callable[[Secret], None]) -> Callable[[], str]:
    from agent.secrets import Reader

    reader = Reader(reference, several_lines=name == "ssh_key", learn=learn)
    return lambda: reader().reveal()

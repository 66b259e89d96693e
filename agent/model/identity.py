"""What a thing is called and where it was written: Key, Revision, Origin."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


class Key(NamedTuple):
    """Identity of a resource: target, kind, scope (word and name, in the kind's order), name.

    A tuple, because tens of thousands are hashed in each pass. An optional scope word without a name is left out.
    """

    target: str
    kind: str
    scope: tuple[tuple[str, str], ...]
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def path(self) -> str:
        """``Workflow/analytics/daily-etl``: unambiguous within a target."""
        return "/".join((self.kind, *(name for _, name in self.scope), self.name))


class Origin(NamedTuple):
    """Where a manifest stands: path in the repository, line and column (1-based) of its first key."""

    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Revision:
    """One commit of the source. ``commit`` is the full hex id, or ``worktree`` for uncommitted files.

    Of a folder that somebody publishes without a commit it is a digest of its content. ``published_at`` is when the
    folder was put there, on the clock of its machine; None for a commit read from git, and where nobody can tell.
    """

    commit: str
    ref: str | None = None
    tree: str | None = None
    author: str = ""
    subject: str = ""
    committed_at: float | None = None
    published_at: float | None = None

    @property
    def short(self) -> str:
        return self.commit[:7] if self.commit != "worktree" else self.commit

    def __str__(self) -> str:
        return f"{self.ref}@{self.short}" if self.ref else self.short


def uid_of(platform: str, key: Key) -> str:
    """Twelve characters of ``[a-z0-9]`` that name this resource of this target: the proof of ownership in a mark.

    A hash of target, platform, kind, scope and name (``design/platform-definitions.md`` 3.1), so that a lost store can
    be rebuilt from git and the marks alone.
    """
    text = "\x1f".join((key.target, platform, key.kind, *(f"{word}={name}" for word, name in key.scope), key.name))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    letters = []
    for _ in range(12):
        number, index = divmod(number, 36)
        letters.append(_ALPHABET[index])
    return "".join(letters)

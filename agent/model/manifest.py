"""What a person wrote: the lifecycle they ask for, and one checked file as the cache keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.errors import Problem

DriftMode = Literal["heal", "report", "off"]


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What the agent may do with a resource. All words optional; pointers are RFC 6901 into ``spec``."""

    depends_on: tuple[str, ...] = ()  # Kind/name or Kind/scope/name
    protect: bool = False
    drift: DriftMode | None = None
    replace: bool = False
    create_only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    moved_from: str | None = None
    actions: Mapping[str, Any] = field(default_factory=dict)
    awaits: tuple[tuple[str, str], ...] = ()  # another target, and Kind/name of it, or "" for all of it


NO_LIFECYCLE = Lifecycle()


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """One manifest of a file that passed its schema, free of path and target so that a cache can keep it.

    ``spec`` is None when it came from the cache: the digest is what most passes need, and the blob still has the rest.
    ``references`` are the (kind, name, line, column, path) that ``ref`` fields name, and in the place of a kind the
    words of ``validate.document`` for a secret and for a file to upload. The path is empty, but where an overlay wrote
    the reference.
    """

    document: int  # index in the file, from 0
    line: int
    column: int
    kind: str
    scope: tuple[tuple[str, str], ...]
    name: str
    digest: str
    lifecycle: Lifecycle
    references: tuple[tuple[str, str, int, int, str], ...] = ()
    spec: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class OverlayHead:
    """What is known of an overlay without reading it again: its place, what it selects (as JSON), and a digest.

    The digest covers all that a rendered manifest, or an error in one, takes from it. One that is not ``sound`` has
    errors, and what it may mean is held.
    """

    document: int
    line: int
    column: int
    select: str
    digest: str
    sound: bool


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """All that one blob gave: its manifests, its problems (paths left empty), and the keys of manifests that failed.

    ``broken`` names manifests whose identity was readable but whose content is wrong; they hold their live object.
    ``variables`` are those that were put in; of a file that was not checked without them, those that it may name.
    ``applied`` are the numbers of the overlays, among those handed in, that a manifest of the file was changed by.
    """

    documents: tuple[CheckedDocument, ...]
    problems: tuple[Problem, ...]
    broken: tuple[tuple[str, tuple[tuple[str, str], ...], str], ...] = ()  # kind, scope, name
    variables: tuple[str, ...] = ()
    overlays: tuple[OverlayHead, ...] = ()
    applied: tuple[int, ...] = ()

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

"""Desired resources, and what is known of the live ones: Present, Absent or Unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from agent.errors import Problem
from agent.model.canonical import from_json, packed
from agent.model.identity import Key, Origin, Revision
from agent.model.manifest import NO_LIFECYCLE, Lifecycle
from agent.model.tracked import folded

Health = Literal["ready", "progressing", "failed", "gone", "unknown"]


@dataclass(frozen=True, slots=True)
class Resource:
    """A manifest that passed validation. ``digest`` covers kind, scope, name, spec and lifecycle.

    ``read`` yields the spec (secrets as written, references unresolved); it is called only for resources whose content
    matters in a pass, so that ten thousand unchanged ones cost no parse. ``files`` maps the paths of the files that the
    spec names for upload to git's ids of their content; ``secrets`` are the names of secrets that it refers to.
    """

    key: Key
    origin: Origin
    digest: str
    lifecycle: Lifecycle
    depends_on: tuple[Key, ...]
    read: Callable[[], Mapping[str, Any]] = field(compare=False, repr=False)
    files: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()


class _Special:
    """Those that ask for more than their spec."""

    def __init__(self) -> None:
        self.found: dict[Key, Resource] = {}

    def add(self, key: Key, value: Resource) -> None:
        plain = value.lifecycle is NO_LIFECYCLE or value.lifecycle == NO_LIFECYCLE
        if not plain or value.files or value.secrets:
            self.found[key] = value

    def remove(self, key: Key, value: Resource) -> None:
        self.found.pop(key, None)


@dataclass(frozen=True, slots=True)
class Desired:
    """All resources of a target at a revision, and all problems of its files.

    ``complete`` is False when any file of the folder could not be read as a whole: then nothing may be pruned.
    ``broken`` are keys that git names but whose manifest is invalid: their live objects are left alone. ``required``
    are objects of observed kinds that a manifest depends on: nothing declares them, and they must be there and ready.
    ``variables`` are those that the files name.
    """

    target: str
    revision: Revision
    resources: Mapping[Key, Resource]
    problems: tuple[Problem, ...] = ()
    broken: frozenset[Key] = frozenset()
    complete: bool = True
    files: int = 0
    required: frozenset[Key] = frozenset()
    variables: frozenset[str] = frozenset()

    @property
    def special(self) -> Mapping[Key, Resource]:
        """The resources whose manifest has a word of ``lifecycle``, or names secrets or files: few among many, and all
        that moves, actions, protection, waiting and rotation are about."""
        return folded(self.resources, _Special).found

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")


@dataclass(frozen=True, slots=True)
class Present:
    """The object exists. ``live`` is the platform's own object (the ``item`` of a get or of a full list row).

    ``live`` is None when the object was only seen in a summary list, or is remembered from an earlier read; then
    ``seen_at`` tells how old the knowledge of its content is (None: content never read). Where it is ``kept`` as bytes
    (:func:`as_kept`) each ``live`` is a tree of its own.
    ``owner`` is the uid found in the object's mark, None without a readable mark; ``content`` is what a run's mark says
    that it was started from.
    """

    kept: Mapping[str, Any] | bytes | None
    id: str | None = None
    owner: str | None = None
    health: Health = "unknown"
    seen_at: float | None = None
    content: str | None = None
    listed_as: str | None = None  # the revision in the list that showed it
    others: tuple[str, ...] = ()  # ids of other runs of the same manifest that are listed

    @property
    def live(self) -> Mapping[str, Any] | None:
        return None if self.kept is None else tree_of(self.kept)

    @property
    def is_read(self) -> bool:
        """Whether its content was read in this pass."""
        return self.kept is not None

    @property
    def is_remembered(self) -> bool:
        """Whether it is there, and its content is known from an earlier pass at best."""
        return not self.is_read


def tree_of(kept: Mapping[str, Any] | bytes) -> Mapping[str, Any]:
    """What :func:`as_kept` keeps, as it was: of bytes, a tree of its own each time."""
    tree: Mapping[str, Any] = from_json(kept) if isinstance(kept, bytes) else kept
    return tree


def as_kept(live: Mapping[str, Any]) -> Mapping[str, Any] | bytes:
    """A live object for a :class:`Present`, which lasts as long as a pass: so many trees would be most of its memory.

    What cannot be JSON stays a tree.
    """
    try:
        return packed(live)
    except TypeError:
        return live


@dataclass(frozen=True, slots=True)
class Absent:
    """Proved absent. ``proof`` says how: ``get`` (a verified by-key read), ``lists``, ``never-made``, or ``parent`` for
    what lives in something that is proved absent itself.
    """

    proof: Literal["get", "lists", "never-made", "parent"]
    seen_at: float
    is_remembered: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Could not be told. Holds every change of its key; never creates, never deletes. ``code`` as in the error tree."""

    code: str
    message: str
    is_remembered: ClassVar[bool] = False


Observation = Present | Absent | Unknown


@dataclass(frozen=True, slots=True)
class Stray:
    """A live object that neither git nor the inventory names. ``owner`` is the uid of its mark, if any."""

    key: Key
    id: str | None = None
    owner: str | None = None
    health: Health = "unknown"


@dataclass(frozen=True, slots=True)
class Observed:
    """All observations of a pass. A key without an entry was not looked at and is Unknown by definition."""

    observations: Mapping[Key, Observation]
    strays: tuple[Stray, ...] = ()
    calls: Mapping[str, int] = field(default_factory=dict)  # purpose -> calls sent
    pages: Mapping[str, int] = field(default_factory=dict)  # kind -> pages of its longest list
    complete: bool = True
    later: frozenset[Key] = frozenset()  # had to be read and were not: something more urgent is there
    partial: bool = False  # only what needs a look was looked at; the rest agreed with git when it was last read

    def of(self, key: Key) -> Observation:
        return self.observations.get(key) or Unknown("not-observed", "not looked at in this pass")

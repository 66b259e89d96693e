"""What a forge is to us, and where on it we speak: the nouns that ``github`` and ``gitlab`` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from agent.errors import AgentError

State = Literal["pending", "success", "failure"]
PAGE_ROWS = 100
PAGES_MAX = 100
"""Pages through which a list is followed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to speak. ``project`` is ``owner/name`` or GitLab's id or path; ``pull`` is None outside of a pull request.

    ``status_project`` is where the pipeline runs, when that is a fork; ``link`` leads a reader to the job.
    """

    api: str
    project: str
    commit: str
    pull: int | None = None
    link: str = ""
    status_project: str = ""
    pipeline: str = ""
    head: tuple[str, str] | None = None  # repository and branch, when the pull request is to be found by them


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of ours; ``id`` is the forge's, ``url`` shows it."""

    id: str
    body: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """A commit status: what a reader sees beside the commit, in at most 140 characters."""

    name: str
    state: State
    description: str


class ForgeError(AgentError):
    """The forge did not do what was asked, and asking again would not help."""

    code = "forge-failed"


def too_many(what: str) -> ForgeError:
    """A list that goes on and on: what is ours may stand beyond what was read."""
    return ForgeError(f"more than {PAGES_MAX * PAGE_ROWS} {what}: ours is not looked for among them")


class Transient(Exception):
    """The forge may do it when asked again, not before ``after`` seconds."""

    def __init__(self, what: str, after: float = 0.0) -> None:
        super().__init__(what)
        self.what = what
        self.after = after


class Forge(Protocol):
    """One pull request and one commit of one forge. Every call may raise :class:`ForgeError` or :class:`Transient`."""

    async def find_pull(self) -> int | None:
        """The open pull request whose head is our commit, for jobs that run beside it."""
        ...

    async def comments(self) -> tuple[list[Comment], str | None]:
        """The comments that the credential itself has written, oldest first, and the newest commit of the request."""
        ...

    async def create(self, body: str) -> str:
        """A new comment; its address."""
        ...

    async def update(self, comment: Comment, body: str) -> None:
        """Another body for a comment of ours."""
        ...

    async def statuses(self) -> dict[str, Status]:
        """The latest status of each name at our commit."""
        ...

    async def set_status(self, status: Status) -> None:
        """A status at our commit."""
        ...

"""The client of plain programs: the asynchronous one's calls, run in a loop in a thread of its own.

May be used from several threads. The thread starts with the first call; ``close``, the end of a ``with`` block, or the
end of the program stops it and closes the connections.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from agent.client.calls import Calls, Logs
from agent.client.collections import collection_of, words_for_dir
from agent.client.objects import Item, Log, ResourceList
from agent.client.opening import open_session
from agent.client.portal import Portal
from agent.client.reading import Listed, Seen
from agent.client.wanted import Wanted
from agent.definitions.platform import Kind


class Resource(Item):
    """One object of the platform. Members are attributes; :meth:`save` writes what was changed in them."""

    _calls: Calls
    _portal: Portal

    def __init__(self, calls: Calls, portal: Portal, seen: Seen) -> None:
        object.__setattr__(self, "_calls", calls)
        object.__setattr__(self, "_portal", portal)
        super().__init__(calls.session, seen)

    def save(self, *, whole: bool = False) -> Self:
        """Write what was changed since the object was read; without a change nothing is sent.

        ``whole``: also where the platform may hold what it does not show, which then is gone. Raises ConflictError
        where somebody else changed the same, UsageError for a member that cannot be written, NotSupportedError,
        OutcomeUnknown, and what any call raises.
        """
        self._take(self._portal.run(self._calls.save(self._seen, self._members, whole=whole)))
        return self

    def refresh(self) -> Self:
        """Read it anew; changes that were not saved are lost. Raises ResourceNotFoundError."""
        self._take(self._portal.run(self._calls.refresh(self._seen)))
        return self

    def delete(self) -> None:
        """Take it away. Raises ResourceNotFoundError, ConflictError where another object needs it, OutcomeUnknown."""
        self._portal.run(self._calls.delete_seen(self._seen))

    def logs(self, *, since: str | None = None, tail: int | None = None, **words: Any) -> Logs:
        """Its log as it is now, oldest first."""
        return self._portal.run(self._calls.logs(self._seen, tail, {**words, "since": since}))

    def logs_stream(self, *, since: str | None = None, tail: int | None = None, **words: Any) -> Iterator[Log]:
        """Its log as it is written, until the caller stops or the platform ends it."""
        return self._portal.iterate(self._calls.logs_stream(self._seen, tail, {**words, "since": since}))


class Collection:
    """All objects of one kind: ``client.workflows``. Words of its scope say where: ``workspace="analytics"``."""

    def __init__(self, calls: Calls, portal: Portal, kind: Kind) -> None:
        self._calls = calls
        self._portal = portal
        self._kind = kind

    def list(self, *, limit: int | None = None, **scope: Any) -> ResourceList[Resource]:
        """Its objects; where the platform lists summaries, ``refresh`` reads one whole. ``limit`` stops paging."""
        return self._listed(self._portal.run(self._calls.listed(self._kind, limit, scope)))

    def get(self, name: str | None = None, *, id: str | int | None = None, **scope: Any) -> Resource:
        """One object. Raises ResourceNotFoundError; UsageError where several have the name, then ``id`` tells."""
        return self._one(self._portal.run(self._calls.get(self._kind, name, id, scope)))

    def create(self, document: Any = None, /, **words: Any) -> Resource:
        """From a document, or from words: ``name``, those of the scope, and members of the spec."""
        return self._one(self._portal.run(self._calls.create(self._kind, document, words)))

    def apply(self, document: Any = None, /, **words: Any) -> Resource:
        """Create it, or bring what is there to what is said; what is not said stays."""
        return self._one(self._portal.run(self._calls.apply(self._kind, document, words)))

    def delete(self, name: str | None = None, *, id: str | int | None = None, **scope: Any) -> None:
        """Take one away. Raises ResourceNotFoundError."""
        self._portal.run(self._calls.delete(self._kind, name, id, scope))

    def logs(
        self, name: str | None = None, *, id: str | int | None = None, tail: int | None = None, **words: Any
    ) -> Logs:
        """The log of one, oldest first; words are those of the scope and of the log, such as ``since="1h"``."""
        seen, rest = self._calls.object_of(self._kind, name, id, words)
        return self._portal.run(self._calls.logs(seen, tail, rest))

    def logs_stream(
        self, name: str | None = None, *, id: str | int | None = None, tail: int | None = None, **words: Any
    ) -> Iterator[Log]:
        """The log of one as it is written."""
        seen, rest = self._calls.object_of(self._kind, name, id, words)
        return self._portal.iterate(self._calls.logs_stream(seen, tail, rest))

    def _one(self, seen: Seen) -> Resource:
        return Resource(self._calls, self._portal, seen)

    def _listed(self, listed: Listed) -> ResourceList[Resource]:
        found = ResourceList(map(self._one, listed.rows))
        found.complete, found.why = listed.complete, listed.why
        return found


class Resources:
    """Objects of every kind; ``type`` is a kind's name or the platform's word for it."""

    def __init__(self, calls: Calls, portal: Portal) -> None:
        self._calls = calls
        self._portal = portal

    def list(
        self, type: str | None = None, *, kind: str | None = None, limit: int | None = None, **scope: Any
    ) -> ResourceList[Resource]:
        """See :meth:`Collection.list`."""
        meant, words = self._calls.meant(type, kind, scope)
        return self._of(meant).list(limit=limit, **words)

    def get(
        self,
        type: str | None = None,
        name: str | None = None,
        *,
        kind: str | None = None,
        id: str | int | None = None,
        **scope: Any,
    ) -> Resource:
        """See :meth:`Collection.get`."""
        meant, words = self._calls.meant(type, kind, scope)
        return self._of(meant).get(name, id=id, **words)

    def create(self, document: Any, /) -> Resource:
        """From a dictionary or the path of a YAML file. Raises ManifestError, ResourceExistsError, OutcomeUnknown."""
        return Resource(self._calls, self._portal, self._portal.run(self._calls.create(None, document, {})))

    def apply(self, document: Any, /) -> Resource:
        """The same for what may be there already; nothing is sent where it is so."""
        return Resource(self._calls, self._portal, self._portal.run(self._calls.apply(None, document, {})))

    def delete(
        self,
        type: str | None = None,
        name: str | None = None,
        *,
        kind: str | None = None,
        id: str | int | None = None,
        **scope: Any,
    ) -> None:
        """See :meth:`Collection.delete`."""
        meant, words = self._calls.meant(type, kind, scope)
        self._of(meant).delete(name, id=id, **words)

    def logs(
        self,
        type: str | None = None,
        name: str | None = None,
        *,
        kind: str | None = None,
        id: str | int | None = None,
        tail: int | None = None,
        **words: Any,
    ) -> Logs:
        """See :meth:`Collection.logs`."""
        meant, rest = self._calls.meant(type, kind, words)
        return self._of(meant).logs(name, id=id, tail=tail, **rest)

    def logs_stream(
        self,
        type: str | None = None,
        name: str | None = None,
        *,
        kind: str | None = None,
        id: str | int | None = None,
        tail: int | None = None,
        **words: Any,
    ) -> Iterator[Log]:
        """See :meth:`Collection.logs_stream`."""
        meant, rest = self._calls.meant(type, kind, words)
        return self._of(meant).logs_stream(name, id=id, tail=tail, **rest)

    def _of(self, kind: Kind) -> Collection:
        return Collection(self._calls, self._portal, kind)


class Client:
    """One platform. ``resources`` has all kinds, and each kind has a collection of its own: ``client.workspaces``."""

    of: str | None = None
    """The platform of a class that stands for one."""

    resources: Resources

    def __init__(self, platform: str | None = None, **arguments: Any) -> None:
        """The arguments of :func:`agent.connect`."""
        self._calls = Calls(open_session(Wanted.of(platform, self.of, arguments)))
        self._portal = Portal(self._calls.close)
        self.resources = Resources(self._calls, self._portal)

    @property
    def server(self) -> str:
        """The origin that everything is sent to."""
        return self._calls.session.api.server

    def __getattr__(self, word: str) -> Collection:
        kind = collection_of(self.__dict__.get("_calls"), word)
        return Collection(self._calls, self._portal, kind)

    def __dir__(self) -> list[str]:
        return words_for_dir(super().__dir__(), self._calls)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._calls.session.platform.api_version} at {self.server}>"

    def close(self) -> None:
        """Close its connections and end its thread. A call after that raises UsageError."""
        self._portal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""The client of programs with an event loop: ``async with connect_async("acme", token=…) as client``.

Made in any place, used in one loop. Nothing is opened before the first call; ``aclose`` closes what was.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Any, Self

from agent.client.calls import Calls, Logs
from agent.client.collections import collection_of, words_for_dir
from agent.client.objects import Item, Log, ResourceList
from agent.client.opening import open_session
from agent.client.reading import Listed, Seen
from agent.client.wanted import Wanted
from agent.definitions.platform import Kind


class AsyncResource(Item):
    """One object of the platform. Members are attributes; :meth:`save` writes what was changed in them."""

    _calls: Calls

    def __init__(self, calls: Calls, seen: Seen) -> None:
        object.__setattr__(self, "_calls", calls)
        super().__init__(calls.session, seen)

    async def save(self, *, whole: bool = False) -> Self:
        """Write what was changed since the object was read; without a change nothing is sent.

        ``whole``: also where the platform may hold what it does not show, which then is gone. Raises ConflictError
        where somebody else changed the same, UsageError for a member that cannot be written, NotSupportedError,
        OutcomeUnknown, and what any call raises.
        """
        self._take(await self._calls.save(self._seen, self._members, whole=whole))
        return self

    async def refresh(self) -> Self:
        """Read it anew; changes that were not saved are lost. Raises ResourceNotFoundError."""
        self._take(await self._calls.refresh(self._seen))
        return self

    async def delete(self) -> None:
        """Take it away. Raises ResourceNotFoundError, ConflictError where another object needs it, OutcomeUnknown."""
        await self._calls.delete_seen(self._seen)

    async def logs(self, *, since: str | None = None, tail: int | None = None, **words: Any) -> Logs:
        """Its log as it is now, oldest first."""
        return await self._calls.logs(self._seen, tail, {**words, "since": since})

    async def logs_stream(
        self, *, since: str | None = None, tail: int | None = None, **words: Any
    ) -> AsyncGenerator[Log, None]:
        """Its log as it is written, until the caller stops or the platform ends it."""
        async for line in self._calls.logs_stream(self._seen, tail, {**words, "since": since}):
            yield line


class AsyncCollection:
    """All objects of one kind: ``client.workflows``. Words of its scope say where: ``workspace="analytics"``."""

    def __init__(self, calls: Calls, kind: Kind) -> None:
        self._calls = calls
        self._kind = kind

    async def list(self, *, limit: int | None = None, **scope: Any) -> ResourceList[AsyncResource]:
        """Its objects; where the platform lists summaries, ``refresh`` reads one whole. ``limit`` stops paging."""
        return _listed(self._calls, await self._calls.listed(self._kind, limit, scope))

    async def get(self, name: str | None = None, *, id: str | int | None = None, **scope: Any) -> AsyncResource:
        """One object. Raises ResourceNotFoundError; UsageError where several have the name, then ``id`` tells."""
        return AsyncResource(self._calls, await self._calls.get(self._kind, name, id, scope))

    async def create(self, document: Any = None, /, **words: Any) -> AsyncResource:
        """From a document, or from words: ``name``, those of the scope, and members of the spec."""
        return AsyncResource(self._calls, await self._calls.create(self._kind, document, words))

    async def apply(self, document: Any = None, /, **words: Any) -> AsyncResource:
        """Create it, or bring what is there to what is said; what is not said stays."""
        return AsyncResource(self._calls, await self._calls.apply(self._kind, document, words))

    async def delete(self, name: str | None = None, *, id: str | int | None = None, **scope: Any) -> None:
        """Take one away. Raises ResourceNotFoundError."""
        await self._calls.delete(self._kind, name, id, scope)

    async def logs(
        self, name: str | None = None, *, id: str | int | None = None, tail: int | None = None, **words: Any
    ) -> Logs:
        """The log of one, oldest first; words are those of the scope and of the log, such as ``since="1h"``."""
        seen, rest = self._calls.object_of(self._kind, name, id, words)
        return await self._calls.logs(seen, tail, rest)

    async def logs_stream(
        self, name: str | None = None, *, id: str | int | None = None, tail: int | None = None, **words: Any
    ) -> AsyncGenerator[Log, None]:
        """The log of one as it is written."""
        seen, rest = self._calls.object_of(self._kind, name, id, words)
        async for line in self._calls.logs_stream(seen, tail, rest):
            yield line


class AsyncResources:
    """Objects of every kind; ``type`` is a kind's name or the platform's word for it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list(
        self, type: str | None = None, *, kind: str | None = None, limit: int | None = None, **scope: Any
    ) -> ResourceList[AsyncResource]:
        """See :meth:`AsyncCollection.list`."""
        meant, words = self._calls.meant(type, kind, scope)
        return await AsyncCollection(self._calls, meant).list(limit=limit, **words)

    async def get(
        self,
        type: str | None = None,
        name: str | None = None,
        *,
        kind: str | None = None,
        id: str | int | None = None,
        **scope: Any,
    ) -> AsyncResource:
        """See :meth:`AsyncCollection.get`."""
        meant, words = self._calls.meant(type, kind, scope)
        return await AsyncCollection(self._calls, meant).get(name, id=id, **words)

    async def create(self, document: Any, /) -> AsyncResource:
        """From a dictionary or the path of a YAML file. Raises ManifestError, ResourceExistsError, OutcomeUnknown."""
        return AsyncResource(self._calls, await self._calls.create(None, document, {}))

    async def apply(self, document: Any, /) -> AsyncResource:
        """The same for what may be there already; nothing is sent where it is so."""
        return AsyncResource(self._calls, await self._calls.apply(None, document, {}))

    async def delete(
        self,
        type: str | None = None,
        name: str | None = None,
        *,
        kind: str | None = None,
        id: str | int | None = None,
        **scope: Any,
    ) -> None:
        """See :meth:`AsyncCollection.delete`."""
        meant, words = self._calls.meant(type, kind, scope)
        await AsyncCollection(self._calls, meant).delete(name, id=id, **words)

    async def logs(
        self,
        type: str | None = None,
        name: str | None = None,
        *,
        kind: str | None = None,
        id: str | int | None = None,
        tail: int | None = None,
        **words: Any,
    ) -> Logs:
        """See :meth:`AsyncCollection.logs`."""
        meant, rest = self._calls.meant(type, kind, words)
        return await AsyncCollection(self._calls, meant).logs(name, id=id, tail=tail, **rest)

    async def logs_stream(
        self,
        type: str | None = None,
        name: str | None = None,
        *,
        kind: str | None = None,
        id: str | int | None = None,
        tail: int | None = None,
        **words: Any,
    ) -> AsyncGenerator[Log, None]:
        """See :meth:`AsyncCollection.logs_stream`."""
        meant, rest = self._calls.meant(type, kind, words)
        async for line in AsyncCollection(self._calls, meant).logs_stream(name, id=id, tail=tail, **rest):
            yield line


class AsyncClient:
    """One platform. ``resources`` has all kinds, and each kind has a collection of its own: ``client.workspaces``."""

    of: str | None = None
    """The platform of a class that stands for one."""

    resources: AsyncResources

    def __init__(self, platform: str | None = None, **arguments: Any) -> None:
        """The arguments of :func:`agent.connect`."""
        self._calls = Calls(open_session(Wanted.of(platform, self.of, arguments)))
        self.resources = AsyncResources(self._calls)

    @property
    def server(self) -> str:
        """The origin that everything is sent to."""
        return self._calls.session.api.server

    def __getattr__(self, word: str) -> AsyncCollection:
        return AsyncCollection(self._calls, collection_of(self.__dict__.get("_calls"), word))

    def __dir__(self) -> list[str]:
        return words_for_dir(super().__dir__(), self._calls)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._calls.session.platform.api_version} at {self.server}>"

    async def aclose(self) -> None:
        """Close its connections. A call after that raises UsageError."""
        await self._calls.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _listed(calls: Calls, listed: Listed) -> ResourceList[AsyncResource]:
    found = ResourceList(AsyncResource(calls, seen) for seen in listed.rows)
    found.complete, found.why = listed.complete, listed.why
    return found

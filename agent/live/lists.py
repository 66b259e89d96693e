"""A list, page by page: its rows, and whether they are all that there are. Made and called by ``api``.

A list that is known comes back without rows as long as each of its pages is byte for byte the one that is known: a walk
goes where its pages say, so that the same pages lead the same way. With the first page that is another one, those that
came before it are decoded after all, and the walk goes on as any other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from agent.definitions.expressions import ExpressionError, UnsafePath
from agent.definitions.platform import Kind, Pages, Platform
from agent.errors import LiveError
from agent.live.answers import Reply, classify
from agent.live.paging import Walk
from agent.live.purpose import Purpose
from agent.live.rendering import Unbuildable
from agent.live.requests import Prepared, Requests
from agent.live.rows import Listing, Sealed
from agent.live.taken import Taken

Scope = tuple[tuple[str, str], ...]


class Lists:
    """The lists of one target. ``read`` sends one call."""

    def __init__(
        self,
        platform: Platform,
        target: str,
        origin: str,
        requests: Requests,
        read: Callable[[Prepared, Purpose], Awaitable[Reply]],
    ) -> None:
        self._platform = platform
        self._target = target
        self._origin = origin
        self._requests = requests
        self._read = read

    async def walked(
        self, kind: Kind, scope: Scope, purpose: Purpose, known: Sealed, *, anywhere: bool, most: int | None
    ) -> Listing:
        operation = kind.list
        if operation is None:
            return Listing((), False, f"{kind.name} has no list", "invalid")
        try:
            first = self._requests.listing(kind, operation, scope)
        except (UnsafePath, ExpressionError, Unbuildable, LiveError) as error:
            return Listing((), False, str(error), "invalid")
        walk = Walk(operation.pages, self._origin, first.path)
        if first.said is None:  # else the target does not tell one page from another
            first = replace(first, reading=replace(first.reading, sealed_by=tuple(_headers_of(operation.pages))))
        if known and known[0][0] != self._requests.page(first, walk.position, walk.target).target:
            known = ()  # it is asked for in another way by now
        early = await self._as_known(first, purpose, known)
        if known and all(target in early and early[target].raw is not None for target, _ in known):
            return Listing((), True, "", pages=len(known), sealed=known, unchanged=True)
        if not operation.complete:
            walk.spoil("the platform's list is cut by nature")
        taken = Taken(self._platform.name, self._target, kind, scope, walk, anywhere=anywhere)
        sealed: list[tuple[str, bytes]] = []
        more = True
        while more:
            page = self._requests.page(first, walk.position, walk.target)
            came = early.pop(page.target, None)
            reply = await self._read(page, purpose) if came is None else _decoded(page, came)
            if reply.answer != "ok":
                return Listing(taken.rows, False, reply.message or reply.answer, reply.answer, failed=reply)
            expression = operation.items or self._platform.response.items
            items = reply.body if expression is None else expression.search(reply.body)
            if not isinstance(items, list):
                why = "null where a list is due" if items is None else "no list where one is due"
                return Listing(taken.rows, False, why, "broken")
            sealed.append((page.target, reply.seal))
            more = walk.advance(reply.body, reply.headers, taken.page(items))
            if more and most is not None and len(taken) >= most:
                return Listing(taken.rows, False, "no more were asked for", pages=walk.pages)
        all_sealed = tuple(sealed) if all(seal for _, seal in sealed) else ()
        return Listing(taken.rows, walk.complete, walk.why, pages=walk.pages, sealed=all_sealed)

    async def _as_known(self, first: Prepared, purpose: Purpose, known: Sealed) -> dict[str, Reply]:
        """The pages that are known, as they are now, up to the first that is another one; by their target."""
        came: dict[str, Reply] = {}
        for target, seal in known:
            page = replace(first, target=target, reading=replace(first.reading, known=seal))
            came[target] = reply = await self._read(page, purpose)
            if reply.raw is None:
                break
        return came


def _headers_of(pages: Pages) -> Iterator[str]:
    """The headers that say where a list goes on."""
    for position in (pages.total, pages.pages, pages.next, pages.more):
        if position is not None and position.header is not None:
            yield position.header


def _decoded(page: Prepared, reply: Reply) -> Reply:
    """The reply to a page, decoded after all."""
    if reply.raw is None or reply.status is None:
        return reply
    return classify(page.reading, reply.status, reply.headers, reply.raw)

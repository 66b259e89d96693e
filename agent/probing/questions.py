"""Questions that a list is asked, a call or two each: is the page size honoured, an ETag, a filter?

Used by ``doctor`` and ``probe`` on lists that were walked. An answer says what was seen, and ``unknown`` where the
platform holds too little for it: nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from agent.definitions.scope import list_words
from agent.live.api import ReadApi
from agent.live.purpose import Purpose
from agent.probing.walk import Walked, page_of, rows_of

Honoured = Literal["honoured", "ignored", "unknown"]
LARGE = 1000
"""Rows that a page is asked for, to learn how large one may be."""
NOWHERE = "datakeel-doctor-nowhere"
"""A name that no scope has."""


@dataclass(frozen=True, slots=True)
class Sized:
    """How the list takes a page size. ``most``: the largest page that came, ``capped``: fewer came than were asked for,
    although there was more; ``refused``: the size that the platform would not serve. None: not seen.
    """

    honoured: Honoured
    asked: int
    most: int
    capped: int | None = None
    refused: int | None = None


async def ask_size(api: ReadApi, walked: Walked) -> Sized | None:
    """At most two calls. None for a list whose definition asks for no size."""
    operation = walked.kind.list
    assert operation is not None
    asked = operation.pages.ask
    first = walked.pages[0].rows
    if operation.pages.size is None or asked is None or first is None:
        return None
    if len(first) > asked:
        return Sized("ignored", asked, len(first))
    if len(first) < asked and (len(walked.pages) > 1 or walked.more):
        return Sized("ignored", asked, len(first), capped=len(first))
    if len(first) == asked and (len(walked.pages) > 1 or walked.more):
        large = await page_of(api, walked.kind, walked.scope, LARGE)
        if large.rows is None:
            return Sized("honoured", asked, asked, refused=LARGE)
        full = len(large.rows) < LARGE and len(large.rows) in (asked, *_ROUND)
        return Sized("honoured", asked, len(large.rows), capped=len(large.rows) if full else None)
    if len(first) < 2:
        return Sized("unknown", asked, len(first))
    one = await page_of(api, walked.kind, walked.scope, 1)
    if one.rows is None:
        return Sized("unknown", asked, len(first), refused=1)
    return Sized("honoured" if len(one.rows) == 1 else "ignored", asked, len(first))


_ROUND = (50, 100, 200, 250, 500)  # a page that ends at one of these ends there because it must, most likely


async def ask_again(api: ReadApi, walked: Walked) -> Honoured | Literal["none"]:
    """The same page with ``If-None-Match``: ``none`` where no ETag came, ``honoured`` when it is not sent again."""
    page = walked.pages[0]
    etag = page.reply.headers.get("etag", "")
    if not etag:
        return "none"
    if not etag.isascii() or not etag.isprintable():
        return "unknown"
    call = replace(page.call, headers=(*page.call.headers, (b"if-none-match", etag.encode("ascii"))))
    reply = await api.fetch(call, Purpose.IMPORT)
    return "honoured" if reply.status == 304 else "ignored" if reply.answer == "ok" else "unknown"


def filters_of(walked: Walked) -> tuple[str, ...]:
    """Scope words by which the platform is asked to filter: those that stand in the query, not in the path."""
    operation = walked.kind.list
    assert operation is not None
    asked = list_words(walked.kind) & {word for word, _ in walked.scope}
    return tuple(sorted(asked - {word.partition(".")[0] for word in operation.request.path_words}))


async def ask_filter(api: ReadApi, walked: Walked, word: str) -> Honoured:
    """The list of a scope that nobody has: rows in it were not filtered."""
    if not walked.rows:
        return "unknown"
    operation = walked.kind.list
    assert operation is not None
    scope = tuple((name, NOWHERE if name == word else value) for name, value in walked.scope)
    call = api.built(lambda requests: requests.listing(walked.kind, operation, scope))
    reply = await api.fetch(call, Purpose.IMPORT)
    rows = rows_of(api, walked.kind, reply)
    if rows is None:
        return "honoured" if reply.answer in ("notFound", "invalid", "denied") else "unknown"
    return "ignored" if rows else "honoured"

"""How a list is walked, and whether what came is all there is. Pure; driven by ``api.list`` page by page.

A walk advances by the rows that came, never by those that were asked for. It is *complete* only when the API said so
and nothing contradicts it: no total that moves or does not fit, no object twice, no page limit. Whatever is odd makes
the list incomplete, for absence from an incomplete list proves nothing (``design/fault-model.md`` A17, A23 to A25).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from agent.definitions.platform import Pages, Position

PAGES_MAX = 1000
_LINK = re.compile(r"<([^<>]*)>\s*((?:;[^,<]*)*)")
_REL_NEXT = re.compile(r";\s*rel\s*=\s*\"?(?:[^\";]*\s)?next(?:\s[^\";]*)?\"?\s*(?:;|$)", re.IGNORECASE)


class Walk:
    """One trip over all pages. ``position`` is what the next page is asked with; ``target`` replaces path and query."""

    def __init__(self, pages: Pages, origin: str, path: str) -> None:
        self._pages = pages
        self._origin = origin
        self._path = path
        self._number = pages.first
        self._offset = 0
        self._cursor: str | None = None
        self._cursors: set[str] = set()
        self.pages = 0
        self._rows = 0
        self._total: int | None = None
        self._seen: set[Hashable] = set()
        self.target: str | None = None
        self.why = ""

    @property
    def complete(self) -> bool:
        return not self.why

    @property
    def position(self) -> tuple[tuple[str, int | str], ...]:
        """Size and position of the page that comes next: numbers, but for a cursor, which is whatever text came."""
        pages = self._pages
        pairs: list[tuple[str, int | str]] = []
        if pages.size is not None and pages.ask is not None:
            pairs.append((pages.size, pages.ask))
        if pages.at is not None:
            position = {"page": self._number, "offset": self._offset, "cursor": self._cursor}.get(pages.by)
            if position is not None:
                pairs.append((pages.at, position))
        return tuple(pairs)

    def spoil(self, why: str) -> None:
        """The list is incomplete; the first reason is kept."""
        self.why = self.why or why

    def advance(self, body: Any, headers: Mapping[str, str], identities: Sequence[Hashable]) -> bool:
        """Take in a page; True when another one is to be fetched. ``identities`` name its rows, None where unnamed."""
        self.pages += 1
        self._rows += len(identities)
        named = [identity for identity in identities if identity is not None]
        before = len(self._seen)
        self._seen.update(named)
        fresh = len(self._seen) - before
        if identities and len(identities) == len(named) and not fresh:
            self.spoil("a page brought only rows that had come before: the position seems to be ignored")
            return False
        if fresh < len(named):
            self.spoil("one object came twice")
        self._note_total(body, headers)
        more = self._goes_on(body, headers, len(identities))
        if more and not identities:
            self.spoil(f"an empty page after {self._rows} rows, although more were announced")
            return False
        if more and self.pages >= PAGES_MAX:
            self.spoil(f"stopped after {PAGES_MAX} pages")
            return False
        if not more and self._total is not None and self._total != self._rows:
            self.spoil(f"{self._rows} rows came, the total says {self._total}")
        return more

    def _note_total(self, body: Any, headers: Mapping[str, str]) -> None:
        if self._pages.total is None:
            return
        total = _count(self._pages.total, body, headers)
        if total is None:
            self.spoil("the total is missing or is no number")
        elif self._total is not None and total != self._total:
            self.spoil("the total changed between two pages")
        self._total = total if total is not None else self._total

    def _goes_on(self, body: Any, headers: Mapping[str, str], rows: int) -> bool:
        pages = self._pages
        if pages.by == "none":
            return False
        if pages.by in ("cursor", "link"):
            return self._goes_on_by_pointer(body, headers)
        more = self._announced(body, headers, rows)
        self._number += 1
        self._offset += rows
        if more and pages.by == "page" and pages.next is not None:
            told = _integer(_value(pages.next, body, headers))
            if told != self._number:
                self.spoil("the next page is not the one after this")
                return False
        return more

    def _announced(self, body: Any, headers: Mapping[str, str], rows: int) -> bool:
        """Every declared sign is asked; the list ends when one that is present says so."""
        pages = self._pages
        if self._total is not None and self._rows >= self._total:
            return False
        if pages.next is not None and _is_empty(_value(pages.next, body, headers)):
            return self._contradicted("the next page")
        if pages.more is not None and not _is_true(_value(pages.more, body, headers)):
            return self._contradicted("more")
        if pages.pages is not None:
            count = _count(pages.pages, body, headers)
            if count is None:
                self.spoil("the number of pages is missing or is no number")
            elif self.pages >= count:
                return self._contradicted("the number of pages")
        if pages.short and pages.ask is not None and rows < pages.ask:
            return False
        if any(position is not None for position in (pages.total, pages.next, pages.more, pages.pages)):
            return self._total is not None or pages.total is None
        return rows > 0

    def _contradicted(self, sign: str) -> bool:
        if self._total is not None and self._rows < self._total:
            self.spoil(f"{self._rows} rows came, the total says {self._total}, and {sign} says that there is no more")
        return False

    def _goes_on_by_pointer(self, body: Any, headers: Mapping[str, str]) -> bool:
        pages = self._pages
        if pages.more is not None and not _is_true(_value(pages.more, body, headers)):
            return False
        value = _value(pages.next, body, headers) if pages.next is not None else None
        if pages.by == "link" and pages.next is not None and pages.next.header is not None and isinstance(value, str):
            value = _next_of_links(value) if "<" in value else value
        if _is_empty(value):
            return False
        text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if not text or text in self._cursors:
            self.spoil("the next page is one that came before" if text else "the next page is no text")
            return False
        self._cursors.add(text)
        if pages.by == "cursor":
            self._cursor = text
            return True
        self.target = _own_target(text, self._origin, self._path)
        if self.target is None:
            self.spoil("the next page is at another address, which is not followed")
            return False
        return True


def _value(position: Position, body: Any, headers: Mapping[str, str]) -> Any:
    if position.header is not None:
        return headers.get(position.header)
    return position.body.search(body) if position.body is not None else None


def _count(position: Position, body: Any, headers: Mapping[str, str]) -> int | None:
    value = _value(position, body, headers)
    # A header is text by nature; a number in a body that came as text is not the API that we know.
    if position.header is None and isinstance(value, str):
        return None
    return _integer(value)


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return int(value) if value >= 0 and value == value.to_integral_value() and value < 10**15 else None
    if isinstance(value, int):
        return value if value >= 0 else None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value.strip()):
        return int(value)
    return None


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value == ""


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in ("true", "1"))


def _next_of_links(header: str) -> str:
    """The target of ``rel="next"`` in a Link header (RFC 8288), "" when there is none."""
    return next((target for target, relation in _LINK.findall(header) if _REL_NEXT.search(relation)), "")


def _own_target(link: str, origin: str, path: str) -> str | None:
    """Path and query of a next-link that stays on our origin and on the list's own path; None for any other."""
    if link.startswith("?"):
        link = path + link
    try:
        parts = urlsplit(link)
        port = parts.port
        own = urlsplit(origin)
    except ValueError:
        return None
    if parts.scheme or parts.netloc:
        default = {"http": 80, "https": 443}.get(own.scheme)
        same = parts.scheme == own.scheme and (parts.hostname or "") == (own.hostname or "")
        if not same or "@" in parts.netloc or (port or default) != (own.port or default):
            return None
    if parts.path != path or not link.isascii() or any(char <= " " or char == "\x7f" for char in link):
        return None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path

"""How a list is paged: guessed from the names of its parameters and of what stands beside its rows.

The end must be known, or a list that is cut would be taken for whole; where nothing tells it, the list is drafted as
incomplete, from which nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agent.drafting.endpoints import Endpoint, Parameter
from agent.drafting.members import Reader
from agent.drafting.model import CUTS, Guess, high, low, medium
from agent.drafting.names import squeezed
from agent.drafting.replies import Rows

_PAGE = ("page", "pagenumber", "pageno", "pagenum", "currentpage", "pageindex", "p")
_OFFSET = ("offset", "skip", "startat", "start", "startindex", "from", "pageoffset", "firstresult")
_CURSOR = (
    *("cursor", "pagetoken", "nexttoken", "nextcursor", "startingafter", "after", "continuationtoken", "continue"),
    *("marker", "pagecursor", "nextpagetoken", "continuation", "lastid"),
)
_SIZE = (
    *("pagesize", "perpage", "limit", "size", "maxresults", "maxitems", "count", "pagelimit", "top", "itemsperpage"),
    *("resultsperpage", "take", "rows", "n", "num", "numresults", "max"),
)
_TOTAL = ("total", "totalcount", "totalitems", "totalentries", "totalelements", "totalresults", "totalrecords")
_PAGES = ("totalpages", "pagecount", "lastpage", "pages", "numpages", "pagestotal")
_NEXT_CURSOR = (
    *("nextcursor", "nextpagetoken", "nexttoken", "nextpage", "cursor", "continuationtoken", "nextmarker"),
    *("nextpagecursor", "endcursor", "continue", "next"),
)
_AFTER = ("startingafter", "after", "lastid", "marker")
_NEXT_LINK = ("next", "nextlink", "nexturl", "nextpageurl", "nextpagelink", "odatanextlink")
_MORE = ("hasmore", "hasnext", "hasnextpage", "more", "moreavailable")
_META = ("meta", "pagination", "paging", "page", "pageinfo", "metadata", "links", "pager", "cursors", "list", "info")
_ASK, _ASK_MAX = 100, 1000

Paging = tuple[dict[str, Any] | None, Guess]


def paging_of(reader: Reader, call: Endpoint, rows: Rows, *, in_body: bool = False) -> Paging | None:
    """The word ``pages`` of a list and its guess; the word is None where it is cut and nothing tells where it ends.

    None alone: nothing says that the list is paged. ``in_body``: a search, whose body holds the position.
    """
    body = reader.members(call.body).schemas if in_body else {}
    asked = _Asked.of(
        reader, [Parameter(name, "body", False, one, "") for name, one in body.items()] or call.asks("query")
    )
    told = _Told(reader, rows, call.headers)
    if asked.cursor is not None:
        sign = told.named(_NEXT_CURSOR, "string")
        if sign is not None:
            words = asked.words("cursor", asked.cursor) | {"next": sign}
            more = told.named(_MORE, "boolean")
            return words | ({"more": more} if more else {}), high(f"asked by {asked.cursor.name} and told by {sign}")
        more = told.named(_MORE, "boolean")
        if more is not None and squeezed(asked.cursor.name) in _AFTER and "id" in reader.members(rows.row):
            last = "[-1].id" if rows.items == "@" else f"{rows.items}[-1].id"
            words = asked.words("cursor", asked.cursor) | {"next": last, "more": more}
            return words, medium(f"asked by {asked.cursor.name}, taken for the last row's id; {more} tells the end")
    number, by = (asked.page, "page") if asked.page is not None else (asked.offset, "offset")
    if number is not None:
        return _numbered(reader, asked, told, number, by)
    link = told.link()
    if link is not None and (asked.size is not None or "link" in call.headers):
        return {"by": "link"} | asked.sized() | {"next": link}, medium("the answer names the address of the next page")
    cutting = asked.cursor or asked.size
    if cutting is not None:
        return None, low(f"{(asked.size or cutting).name} {CUTS}")
    return None


def size_of(reader: Reader, call: Endpoint) -> str | None:
    """The parameter that says how many rows are wanted."""
    size = _Asked.of(reader, call.asks("query")).size
    return size.name if size is not None else None


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parameters by which a page is asked for."""

    reader: Reader
    page: Parameter | None
    offset: Parameter | None
    cursor: Parameter | None
    size: Parameter | None

    @classmethod
    def of(cls, reader: Reader, parameters: Iterable[Parameter]) -> _Asked:
        known = {squeezed(parameter.name): parameter for parameter in reversed(list(parameters))}

        def first(names: Iterable[str], *types: str) -> Parameter | None:
            for name in names:
                found = known.get(name)
                if found is not None and (not reader.types(found.schema) or reader.types(found.schema) & {*types}):
                    return found
            return None

        page, offset = first(_PAGE, "integer", "number"), first(_OFFSET, "integer", "number")
        return cls(reader, page, offset, first(_CURSOR, "string", "integer"), first(_SIZE, "integer", "number"))

    def words(self, by: str, at: Parameter) -> dict[str, Any]:
        return {"by": by, "at": at.name} | self.sized()

    def sized(self) -> dict[str, Any]:
        return {} if self.size is None else {"size": self.size.name, "ask": self.most}

    @property
    def most(self) -> int:
        """The largest page that the document admits, else its usual one."""
        for word in ("maximum", "default"):
            said = self.reader.word(self.size.schema, word) if self.size is not None else None
            if isinstance(said, int) and not isinstance(said, bool) and 0 < said <= _ASK_MAX:
                return said
        return _ASK

    @property
    def states_most(self) -> bool:
        said = [self.reader.word(self.size.schema, word) for word in ("maximum", "default")] if self.size else []
        return self.most in said


class _Told:
    """The signs of the end in an answer, by their names."""

    def __init__(self, reader: Reader, rows: Rows, headers: frozenset[str]) -> None:
        self._reader = reader
        self._headers = headers
        self._known: dict[str, tuple[str, Any]] = {}
        for path, schema in rows.around:
            steps = [squeezed(step) for step in path.split(".")]
            if path != rows.items and all(step in _META or step in ("data", "result") for step in steps[:-1]):
                self._known.setdefault(steps[-1], (path, schema))

    def named(self, names: Iterable[str], kind: str) -> str | None:
        """The first member of such a name and type, as an expression."""
        for name in names:
            path, schema = self._known.get(name, (None, None))
            if path is not None and (not self._reader.types(schema) or kind in self._reader.types(schema)):
                return path
        return None

    def total(self) -> str | dict[str, str] | None:
        """The number of all rows. `count` alone may be that of the page, unless it stands beside next and previous."""
        found = self.named(_TOTAL, "integer") or self.named(_TOTAL, "number")
        if found is None and {"next", "previous"} <= self._known.keys():
            found = self.named(("count",), "integer")
        if found is not None:
            return found
        header = next((name for name in ("x-total-count", "x-total", "total-count") if name in self._headers), None)
        return {"header": header} if header else None

    def pages(self) -> str | dict[str, str] | None:
        found = self.named(_PAGES, "integer")
        return found or ({"header": "x-total-pages"} if "x-total-pages" in self._headers else None)

    def link(self) -> str | dict[str, str] | None:
        """Where the address of the next page stands."""
        return self.named(_NEXT_LINK, "string") or ({"header": "Link"} if "link" in self._headers else None)


def _numbered(reader: Reader, asked: _Asked, told: _Told, number: Parameter, by: str) -> Paging:
    words = asked.words(by, number)
    if by == "page":
        start = [reader.word(number.schema, word) for word in ("default", "minimum")]
        words["first"] = 0 if 0 in [one for one in start if not isinstance(one, bool)] and 1 not in start[:1] else 1
    total = told.total()
    if total is not None:
        where = total if isinstance(total, str) else total["header"]
        return words | {"total": total}, high(f"asked by {number.name}; {where} tells how many there are")
    for name, sign in (("more", told.named(_MORE, "boolean")), ("pages", told.pages())):
        if sign is not None and (name == "more" or by == "page"):
            return words | {name: sign}, medium(f"asked by {number.name}; the answer tells whether there is more")
    if asked.size is None:
        return None, low(f"asked by {number.name}; no end of it is told")
    words["short"] = True
    if asked.states_most:
        return words, medium(f"asked by {number.name}; a page of fewer than {words['ask']} rows is taken for the last")
    return words, low(f"asked by {number.name}; whether {words['ask']} rows may be asked for is not said")

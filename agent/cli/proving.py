"""Asks a live server, by reads alone, whether a definition says what is true; keeps what it answered as samples.

Called by the verb ``probe``. Every call goes the way of the agent's own reads: pinned to the server, inside the budget
of the definition, never one that may change anything. What an empty platform cannot show stays open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.cli.proving_calls import Calls, Pairs, Probed, Stopped, told
from agent.cli.proving_pages import PageCheck
from agent.cli.proving_reach import Reach
from agent.definitions.platform import Kind, Operation, Platform
from agent.drafting import seen
from agent.drafting.seen import Finding, Verdict
from agent.live.answers import Reply
from agent.live.api import Connection
from agent.live.rows import id_of, name_of
from agent.probing.samples import redacted
from agent.secrets import Redactor

_NOBODY = "datakeel-probe-nothing-here"
_NO_NUMBER, _NO_UUID = "999999999", "00000000-0000-4000-8000-000000000000"
_PLACES_MAX = 3


@dataclass(frozen=True, slots=True)
class _Place:
    """An object that others stand in: its name, what of it request lines take, and where it stands itself."""

    name: str
    members: Pairs
    scope: Pairs

    def within(self, word: str, pairs: Pairs) -> Pairs | None:
        """These pairs and this object as ``word``; None where the object stands elsewhere."""
        known = dict(pairs)
        if any(known.get(name, value) != value for name, value in self.scope if "." not in name):
            return None
        own = {word: self.name} | {f"{word}.{member}": value for member, value in self.members}
        return tuple({**dict(self.scope), **known, **own}.items())


class Prover:
    """Probes one platform. ``calls_max`` bounds what is sent; ``reads`` lets lists be asked that are POSTs.

    ``cutters`` are parameters that cut the list of a kind, of whose end the document says nothing.
    """

    def __init__(
        self,
        platform: Platform,
        connection: Connection,
        redactor: Redactor,
        *,
        calls_max: int,
        reads: bool,
        cutters: Mapping[str, str],
    ) -> None:
        self.found = Probed()
        self._reach = Reach(platform, connection, redactor, calls_max, self.found)
        self._platform = platform
        self._scrub = redactor.scrub
        self._reads, self._cutters = reads, cutters
        self._places: dict[str, list[_Place]] = {}

    @property
    def _calls(self) -> Calls:
        return self._reach.calls

    async def run(self, kinds: Sequence[str] = ()) -> Probed:
        """Look at every kind, or at these and those that they stand in, parents first."""
        wanted = _with_parents(self._platform, kinds) if kinds else set(self._platform.kinds)
        try:
            await self._reach.prove()
            for kind in self._platform.kinds.values():
                if kind.name in wanted:
                    await self._kind(kind)
        except Stopped as stop:
            self.found.stopped = str(stop)
        finally:
            self.found.calls = self._reach.count
            await self._reach.close()
        return self.found

    async def _kind(self, kind: Kind) -> None:
        scopes = self._scopes(kind)
        if isinstance(scopes, str):
            self.found.unasked[kind.name] = scopes
            return
        rows: list[Any] = []
        scope = scopes[0]
        if kind.list is not None and (kind.list.method in ("GET", "HEAD") or self._reads):
            for scope in scopes:
                rows = await self._list(kind, kind.list, scope)
                if rows or self.found.is_wrong(kind.name):
                    break
        elif kind.list is not None:
            self.found.unasked[kind.name] = "its list is a POST; --reads lets it be asked"
        if kind.get is not None:
            await self._get(kind, kind.get, rows, scope)

    def _scopes(self, kind: Kind) -> list[Pairs] | str:
        """Where to look, with what request lines take of the parents, at most three places; else why there is none."""
        found: list[Pairs] = [()]
        for word in kind.scope:
            places = self._places.get(word.kind or "", [])
            if not places and word.optional:
                continue
            if not places:
                return f"there is no {word.kind or word.word} to look in"
            joined = [place.within(word.word, pairs) for pairs in found for place in places]
            found = [pairs for pairs in joined if pairs is not None]
        return found[:_PLACES_MAX] or "no two of its parents belong together"

    async def _list(self, kind: Kind, operation: Operation, scope: Pairs) -> list[Any]:
        """The rows of a list's first page; what is wrong with them is noted."""
        path = ("kinds", kind.name, "list")
        walk = self._calls.walk(kind, operation, operation.pages, scope)
        asked = await self._calls.page(kind, operation, scope, walk)
        if asked.reply.answer != "ok":
            self.found.note(kind.name, Finding((*path, "request"), "wrong", f"answers {told(asked.reply)}"))
            return []
        if asked.rows is None:
            others = list(seen.lists_in(asked.reply.body))
            what = f"no list there; one is at {' and '.join(others)}" if others else "no list there"
            change = others[0] if len(others) == 1 else None
            self.found.note(kind.name, Finding((*path, "items"), "wrong", what, change))
            return []
        check = PageCheck(self._calls, self.found, kind, operation, scope, self._cutters.get(kind.name))
        if not asked.rows:
            await check.empty()
            return []
        if self._names(kind, asked.rows):
            self._keep(kind, "list", asked.reply.body)
            self._places.setdefault(kind.name, []).extend(_place(kind, row, scope) for row in asked.rows[:_PLACES_MAX])
            for word in ("items", "reads") if operation.method == "POST" else ("items",):
                self.found.note(kind.name, Finding((*path, word), "proved", f"{len(asked.rows)} rows"))
        await check.run(asked)
        return asked.rows

    def _names(self, kind: Kind, rows: list[Any]) -> bool:
        """Whether every row has a name and an identity, and no two the same."""
        names = [name_of(kind, row) for row in rows]
        if None in names:
            others = seen.keys_in(rows)
            what = f"{names.count(None)} of {len(rows)} rows have no such text"
            what += f"; all have {', '.join(others[:4])}" if others else ""
            self._note(kind, "key", "wrong", what, others[0] if others else None)
            return False
        alike = len(names) - len(set(names))
        if alike and kind.unique:
            self._note(kind, "key", "wrong", f"{alike} rows have the name of another row")
        elif len(names) > 1:
            self._note(kind, "key", "proved", f"{len(names)} rows, no two of one name")
        else:
            self._note(kind, "key", "open", "one row has it; whether it is unique is not seen")
        if kind.id is not None:
            ids = [id_of(kind, row) for row in rows]
            good = None not in ids and len(set(ids)) == len(ids)
            what = "every row has one of its own" if good else "not every row has one of its own"
            self._note(kind, "id", "proved" if good else "wrong", what)
        return True

    async def _get(self, kind: Kind, operation: Operation, rows: list[Any], scope: Pairs) -> None:
        path = ("kinds", kind.name, "get")
        name = name_of(kind, rows[0]) if rows else None
        if name is None:
            self.found.note(kind.name, Finding((*path, "request"), "open", "no object to read is known"))
            return
        server_id = id_of(kind, rows[0])
        reply = await self._calls.read(kind, operation, scope, name, server_id)
        item = reply.item if operation.item is not None or self._platform.response.item else reply.body
        if reply.answer != "ok" or not isinstance(item, Mapping):
            self.found.note(kind.name, Finding((*path, "request"), "wrong", f"answers {told(reply)}"))
            return
        if name_of(kind, item) != name:
            what = f"the object that was asked for has another {kind.key.source}, or none"
            self.found.note(kind.name, Finding((*path, "item"), "wrong", what))
            return
        self._keep(kind, "get", reply.body)
        self.found.note(kind.name, Finding((*path, "item"), "proved", "it is the object that was asked for"))
        self._of_item(kind, item, rows[0], reply)
        if await self._absent(kind, operation, scope, server_id):
            self.found.note(kind.name, Finding((*path, "request"), "proved", "answers, and says what is not there"))

    def _of_item(self, kind: Kind, item: Mapping[str, Any], row: Any, reply: Reply) -> None:
        """What one whole object shows: members that are never seen, masks, an ETag, what its row lacks."""
        path = ("kinds", kind.name)
        for name in seen.never_seen(kind, [item]):
            what = "in the schema, and not in the object"
            self.found.note(kind.name, Finding((*path, "fields", f"/{name}"), "open", what))
        known = {rule.pointer for rule in kind.fields if rule.mask is not None}
        for pointer in seen.masked(item):
            if pointer not in known:
                what = "answered as asterisks: `mask: '\\*+'`, `secret: true`"
                self.found.note(kind.name, Finding((*path, "fields", pointer), "open", what))
        if "etag" in reply.headers and kind.update is not None and not kind.update.if_match:
            what = "the object has an ETag: `ifMatch: true` would keep an update from undoing another one"
            self.found.note(kind.name, Finding((*path, "update", "ifMatch"), "open", what))
        if kind.list is not None and kind.list.holds == "summary" and isinstance(row, Mapping):
            members = (kind.schema or {}).get("properties", {})
            lacking = [name for name in members if name in item and row.get(name) != item[name]]
            what = f"rows lack {', '.join(lacking[:3])}" if lacking else "rows hold all of the spec: `full` would do"
            self.found.note(kind.name, Finding((*path, "list", "holds"), "proved" if lacking else "open", what))
            told_by = seen.revision_in(row) if kind.list.revision is None else None
            if told_by is not None:
                what = f"rows have {told_by}: with `revision: {told_by}` a pass reads at once what changed"
                self.found.note(kind.name, Finding((*path, "list", "revision"), "open", what))

    async def _absent(self, kind: Kind, operation: Operation, scope: Pairs, server_id: str | None) -> bool:
        """What is not there must be answered as such, in the platform's own words."""
        shape = server_id if "id" in operation.request.words and server_id is not None else ""
        nobody = _NO_NUMBER if shape.isdecimal() else _NO_UUID if len(shape) == len(_NO_UUID) else _NOBODY
        reply = await self._calls.read(kind, operation, scope, nobody, nobody)
        declared = self._platform.errors.declared
        if reply.answer == "notFound" and (reply.message or not declared):
            if declared:
                self.found.note(None, Finding(("errors",), "proved", f"{reply.status} says: {reply.message}"[:120]))
                self.found.samples.setdefault(f"{reply.status}.json", redacted(kind, reply.body, self._scrub))
            return True
        if reply.status in (404, 410):
            where = seen.message_in(reply.body)
            what = f"a {reply.status} has no such message" + (f"; it has one at {where}" if where else "")
            self.found.note(None, Finding(("errors",), "wrong", what, {"message": where} if where else None))
            return reply.answer == "notFound"
        what = f"what is not there is answered with {told(reply)}"
        self.found.note(kind.name, Finding(("kinds", kind.name, "get", "request"), "wrong", what))
        return False

    def _keep(self, kind: Kind, operation: str, body: Any) -> None:
        items = (kind.list.items or self._platform.response.items) if kind.list is not None else None
        kept = redacted(kind, body, self._scrub, items if operation == "list" else None)
        self.found.samples[f"{kind.name}.{operation}.json"] = kept

    def _note(self, kind: Kind, word: str, verdict: Verdict, what: str, change: Any = None) -> None:
        self.found.note(kind.name, Finding(("kinds", kind.name, word), verdict, what, change))


def _with_parents(platform: Platform, kinds: Sequence[str]) -> set[str]:
    wanted = set(kinds)
    for _ in platform.kinds:
        wanted |= {
            word.kind
            for name in wanted
            for word in platform.kinds[name].scope
            if word.kind in platform.kinds and word.kind
        }
    return wanted


def _place(kind: Kind, row: Any, scope: Pairs) -> _Place:
    members = row.items() if isinstance(row, Mapping) else ()
    plain = tuple((str(name), str(value)) for name, value in members if _is_plain(value))
    return _Place(name_of(kind, row) or "", plain, scope)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)

"""Lists that were walked, the questions that some of them are asked, and what all of it comes to.

Called by ``platforms``. Whoever asks takes care of ``left``: no call is made beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from agent.cli.looking import place_of
from agent.definitions.platform import Kind
from agent.live.answers import Reply
from agent.model.examined import Finding
from agent.probing import contents
from agent.probing.questions import Sized, ask_again, ask_filter, ask_size, filters_of
from agent.probing.walk import Walked
from agent.reconcile.target import Target
from agent.report.values import counted

_QUESTIONED = 2  # lists of most rows; what they do, the others of the same API do
_SHOWN = 5
_ETAGS = {"none": "no ETag", "honoured": "ETags are honoured", "ignored": "ETags come and are not honoured"}


class Lists:
    """What one target's lists came to, within so many calls."""

    def __init__(self, target: Target, most: int) -> None:
        self._target = target
        self._most = most
        self.walked: list[Walked] = []
        self.unasked: list[str] = []
        self.facts: dict[str, dict[str, Any]] = {}
        self._sizes: dict[str, Sized] = {}
        self._etags: dict[str, str] = {}
        self._filters: dict[tuple[str, str], str] = {}

    @property
    def left(self) -> int:
        return self._most - sum(self._target.api.calls.values())

    @property
    def room(self) -> int:
        """How many calls may go into lists: a third of all is for objects and questions."""
        return self.left - self._most // 3

    @property
    def readable(self) -> list[Walked]:
        return [each for each in self.walked if each.answered]

    def take(self, walked: Walked) -> None:
        self.walked.append(walked)

    async def ask(self) -> None:
        """Page size, ETag and filters, of the lists that have most to tell."""
        api = self._target.api
        for walked in sorted(self.readable, key=lambda each: -len(each.rows))[:_QUESTIONED]:
            name = walked.kind.name
            if not walked.rows or name in self._sizes:
                continue
            if self.left > 0 and (sized := await ask_size(api, walked)) is not None:
                self._sizes[name] = sized
            if self.left > 0:
                self._etags[name] = await ask_again(api, walked)
            for word in filters_of(walked):
                if self.left > 0:
                    self._filters[name, word] = await ask_filter(api, walked, word)
        for name in sorted({*self._sizes, *self._etags, *(name for name, _ in self._filters)}):
            facts: dict[str, Any] = {}
            self.facts[name] = facts
            if sized := self._sizes.get(name):
                facts |= {"page_size": sized.honoured, "page_most": sized.most, "page_capped": sized.capped}
            if name in self._etags:
                facts["etag"] = self._etags[name]
            filters = {word: how for (kind, word), how in self._filters.items() if kind == name}
            if filters:
                facts["filters"] = filters

    def findings(self, read: Sequence[tuple[Kind, Reply]]) -> Iterator[Finding]:
        yield from self._permissions(read)
        yield from self._pages()
        yield from self._totals()
        yield from self._contents(read)

    def _permissions(self, read: Sequence[tuple[Kind, Reply]]) -> Iterator[Finding]:
        denied: dict[str, str] = {}
        for walked in self.walked:
            if walked.first.answer == "denied":
                denied.setdefault(place_of(walked.kind, walked.scope), walked.first.message)
        for kind, reply in read:
            if reply.answer == "denied":
                denied.setdefault(f"an object of {kind.name}", reply.message)
        for place, why in denied.items():
            said = f"{place} may not be read{f': {why}' if why else ''}"
            yield Finding("permissions", "bad", said, "let the token read it, or leave that kind to others")
        names = list(dict.fromkeys(each.kind.name for each in self.readable))
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            unasked = f"; {counted(len(self.unasked), 'kind')} not asked, to spare calls" if self.unasked else ""
            yield Finding("permissions", "ok", f"{', '.join(names[:_SHOWN])}{more} may be read{unasked}")
        for walked in self.walked:
            answer = walked.first.answer
            if not walked.answered and answer not in ("denied", "unauthenticated"):
                state = "bad" if answer in ("broken", "unreachable", "ok") else "warn"
                said = f"{place_of(walked.kind, walked.scope)} could not be listed: {walked.why or answer}"
                yield Finding("lists", state, said)  # type: ignore[arg-type]

    def _pages(self) -> Iterator[Finding]:
        for name, sized in self._sizes.items():
            if sized.capped is not None and sized.honoured == "ignored":
                said = f"{name}: {sized.asked} rows a page were asked for, {sized.capped} came, and there are more"
                yield Finding("page size", "warn", said, f"`pages: {{ask: {sized.capped}}}` in platform.yaml")
            elif sized.honoured == "ignored":
                said = f"{name}: the page size that is asked for ({sized.asked}) is not honoured"
                yield Finding("page size", "warn", said, "is `pages.size` of platform.yaml the right parameter?")
            elif sized.honoured == "honoured":
                most = f"{sized.most} rows came in one page" if sized.most > sized.asked else f"{sized.asked} asked for"
                end = f", {sized.refused} are refused" if sized.refused else ""
                yield Finding("page size", "ok", f"{name}: honoured; {most}{end}")
        for how, said in _ETAGS.items():
            names = [name for name, each in self._etags.items() if each == how]
            if names:
                yield Finding("etag", "ok", f"{', '.join(names)}: {said}")
        for (name, word), how in self._filters.items():
            if how == "ignored":
                said = f"{name}: the filter `{word}` is ignored, so rows of another {word} come as well"
                yield Finding("filters", "warn", said, f"does each row carry its {word}? Else objects change places")
            elif how == "honoured":
                yield Finding("filters", "ok", f"{name}: `{word}` is honoured")

    def _totals(self) -> Iterator[Finding]:
        for walked in self.readable:
            if walked.why and not (walked.kind.list is not None and not walked.kind.list.complete):
                said = f"{place_of(walked.kind, walked.scope)}: {walked.why}; nothing can be missed in such a list"
                yield Finding("totals", "warn", said, "deletes that were made elsewhere are not noticed there")

    def _contents(self, read: Sequence[tuple[Kind, Reply]]) -> Iterator[Finding]:
        platform = self._target.platform
        full = [(kind, reply.item) for kind, reply in read if reply.answer == "ok" and isinstance(reply.item, dict)]
        barren = [
            (each.kind.name, word)
            for each in self.readable
            if each.rows
            for word in contents.fruitless(platform, each.kind, "list", each.first.body)
        ]
        barren += [
            (kind.name, word)
            for kind, reply in read
            if reply.answer == "ok"
            for word in contents.fruitless(platform, kind, "get", reply.body)
        ]
        for name, word in dict.fromkeys(barren):
            said = f"{name}: `{word}` of the definition finds nothing in what is live"
            yield Finding("definition", "warn", said, f"datakeel explain {name}")
        tried = len([each for each in self.readable if each.rows])
        if tried and not barren:
            yield Finding("definition", "ok", f"finds what it looks for in {counted(tried, 'list')}")
        kinds = {each.kind.name: each.kind for each in self.readable} | {kind.name: kind for kind, _ in read}
        for kind in kinds.values():
            rows = [row for each in self.readable if each.kind is kind for row in each.rows if isinstance(row, dict)]
            items = [*rows, *(item for of, item in full if of is kind)]
            states = contents.strange_states(kind, items)
            if states:
                self.facts.setdefault(kind.name, {})["states"] = states
                said = f"{kind.name}: {', '.join(states[:_SHOWN])} counts as on its way, neither ready nor failed"
                yield Finding("states", "ok", said)
            bare = contents.bare_secrets(kind, items)
            if bare:
                said = f"{kind.name}: {', '.join(bare)} comes unmasked, so that it is seen by whoever may read"
                yield Finding("secrets", "warn", said)
            unknown = contents.unknown_members(kind, [item for of, item in full if of is kind])
            if unknown:
                self.facts.setdefault(kind.name, {})["members"] = unknown
                said = f"{kind.name}: {', '.join(unknown[:_SHOWN])} is in what is live, and in no schema"
                yield Finding("members", "ok", said)

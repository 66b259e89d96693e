"""A death at each effect of a manifest's life: the next process comes to the end that there would have been.

A *chapter* is what git says from then on: made, changed, replaced, removed. Passes follow until nothing is left to do.
An *effect* is what outlives a process: a change of the platform whose answer nobody has read yet, and a transaction of
the store. Two deaths between the same effects leave the same behind, so dying right after each is dying everywhere;
right before a request leaves is right after its journal.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from agent.model.outcome import Report, Result
from agent.plan.cost import is_thin
from agent.reconcile.wish import Wish
from tests.platforms.conformance.derived import (
    absence_is_provable,
    book_of,
    changed,
    immutable_change,
    is_found_by_name,
    via_changes,
)
from tests.platforms.conformance.emulated import Emulated, Fell, told
from tests.platforms.conformance.examples import Document, Example, document_of, is_valid, secret_names
from tests.platforms.conformance.wire import READS
from tests.simulation.kill import Killed, Life, MortalStore
from tests.simulation.virtual_time import VirtualLoop, run

BETWEEN = 45.0
ROTATE = "rotate"
LONGEST = 12
"""Passes of one chapter after which it has no end."""
RESTARTS_IN = 5.0


class Effects(Life):
    """Counts only what outlives the process: an answer to a write that waits to be read, and a transaction."""

    def point(self, name: str) -> None:
        word, _, method = name.partition(" ")
        if self.dead or word == "committed" or (word == "answer" and method not in READS):
            super().point(name)


@dataclass
class Chapter:
    """What there is at the end of a chapter: ``there`` are the objects, ``said`` is what the last pass had to say."""

    name: str
    there: tuple[str, ...]
    made: int
    said: tuple[tuple[str, str], ...]
    rows: int
    intents: int


@dataclass
class Told:
    """One story: ``points`` are the effects of the passes that wrote, by number; ``fell`` is how it broke, or ""."""

    points: dict[int, str] = field(default_factory=dict)
    chapters: list[Chapter] = field(default_factory=list)
    kills: int = 0
    fell: str = ""


def chapters_of(example: Example, document: Document) -> list[tuple[str, Document | None]]:
    """What git says, one after the other; None when the manifest is gone. ``rotate`` is a secret's new value alone."""
    story: list[tuple[str, Document | None]] = [("create", document)]
    updates = example.kind.update is not None or example.kind.apply is not None
    if example.change and updates:
        change = {**example.change, **next(via_changes(example, document), {})}
        document = changed(document, change)
        story.append(("update", document))
        less = _with_less(example, document)
        if less != document:
            story.append(("less", less))
        document = less
        if secret_names(document):
            story.append((ROTATE, document))
    fixed = immutable_change(example) or (None if updates else example.change)
    if fixed and example.kind.replace != "never":
        story.append(("replace", changed(document, fixed)))
    return [*story, ("delete", None)]


def _with_less(example: Example, document: Document) -> Document:
    """The same without what leaves something to do: elements of sets that git owns, and leaves that have a default."""
    made: Document = json.loads(json.dumps(document))
    for place, rule in book_of(example).with_word("list", "default", "has_default"):
        parent = made["spec"]
        for step in place[:-1]:
            parent = parent.get(step) if isinstance(parent, dict) else None
        if not isinstance(parent, dict) or place[-1] not in parent:
            continue
        before = parent[place[-1]]
        if rule.list == "set" and isinstance(before, list) and len(before) > 1:
            parent[place[-1]] = before[1:]
        elif rule.has_default:
            del parent[place[-1]]
        if not is_valid(example, made):
            parent[place[-1]] = before
    return made


def tell(example: Example, folder: Path, template: Path, deaths: Sequence[int] = ()) -> Told:
    """The story of one example; each process dies at its effect of that number, the last one lives."""
    loop = VirtualLoop()
    at = Emulated(example, folder, template, loop, MortalStore)
    story = _Story(at, deaths)
    try:
        run(story.play(), loop)
    except Exception as fall:
        story.told.fell = str(fall) if isinstance(fall, Fell) else f"crashed: {type(fall).__name__}: {fall}"
    finally:
        at.close()
    return story.told


class _Story:
    def __init__(self, at: Emulated, deaths: Sequence[int]) -> None:
        self.at = at
        self.deaths = [*deaths]
        self.told = Told()
        self.life = self._born()
        at.wire.after = self.answered
        self.seen = 0

    def _born(self) -> Effects:
        life = Effects(self.deaths.pop(0) if self.deaths else None)
        store = self.at.store
        assert isinstance(store, MortalStore)
        store.life = life
        return life

    def answered(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        """The platform did what it was asked, and the answer is on its way."""
        self.life.point(f"answer {request.method}")
        return response

    async def play(self) -> None:
        for name, document in chapters_of(self.at.example, self.at.document):
            if name == ROTATE:
                self.at.rotation += " anew"
            self.at.commit(*([] if document is None else [document]))
            report = await self.ends(name)
            self.told.chapters.append(self.end_of(name, report))
            self.keeps_secrets(report)
            await self.at.clock.sleep(BETWEEN)
            if self.asks(report) and name != "delete":
                return  # a person is asked: nothing more happens by itself

    @staticmethod
    def asks(report: Report) -> bool:
        return any(each.result is Result.HELD for each in report.outcomes)

    async def ends(self, name: str) -> Report:
        """Passes until two in a row have the same to say and neither writes."""
        wish = Wish(fresh=True, confirm_deletes=1 if name == "delete" else None, careful=name == "delete")
        last: tuple[str, int] | None = None
        for _ in range(LONGEST):
            before = len(self.life.points)
            report = await self.lives(wish)
            points = self.life.points[before:]
            if not self.told.kills and any(point != "committed" for point in points):
                numbers = range(before + 1, before + len(points) + 1)
                self.told.points |= {number: f"{name}: {point}" for number, point in zip(numbers, points, strict=True)}
            writes = sum(1 for sent in self.at.wire.sent if sent.method not in READS and not self.at.reads(sent))
            now = (told(report), writes)
            quiet = all(each.result is Result.HELD for each in report.outcomes)
            if quiet and now == last:
                return report
            last = now
            await self.at.clock.sleep(BETWEEN)
        raise Fell(f"{name} has no end: {told(report)}")

    async def lives(self, wish: Wish) -> Report:
        """One pass, in as many processes as it takes."""
        while True:
            try:
                return await self.at.one_pass(wish)
            except Killed:
                self.told.kills += 1
                others = asyncio.all_tasks() - {asyncio.current_task()}
                for task in others:
                    task.cancel()
                await asyncio.gather(*others, return_exceptions=True)
                self.at.died()
                self.life = self._born()
                await self.at.clock.sleep(RESTARTS_IN)

    def keeps_secrets(self, report: Report) -> None:
        """Neither the store nor what a pass tells holds the value of a secret."""
        at = self.at
        rows, opened = at.store.rows("main"), at.store.open_intents("main")
        kept = json.dumps([dict(at.store.applied(rows)[key]) for key in rows], default=str)
        told_of = [kept, repr(report), repr(opened), json.dumps(at.store.target_memory("main"), default=str)]
        if any(f"value of {name}" in text for name in secret_names(at.document) for text in told_of):
            raise Fell("the value of a secret is kept or told")

    def _uploaded(self) -> set[str]:
        """What files become: a copy that nobody uses may remain of one whose answer was lost."""
        uploads = {rule.upload.request.source for rule in self.at.kind.fields if rule.upload is not None}
        return {sent.makes for sent in self.at.wire.sent if any(sent.path.endswith(path) for path in uploads)}

    def end_of(self, name: str, report: Report) -> Chapter:
        at = self.at
        copies = self._uploaded()
        commits = [each for each in at.world.commits[at.start :] if each.type not in copies]
        living = {(each.type, each.workspace, each.name): each for each in commits}
        names = {each.name for each in at.world.commits if each.type in copies}
        there = [f"{each.type} {_shown(each.after, names)}" for each in living.values() if each.after is not None]
        made = sum(1 for each in commits if each.before is None)
        said = tuple((each.code, each.result.value) for each in report.outcomes)
        rows = len(at.store.rows("main"))
        return Chapter(name, tuple(sorted(there)), made, said, rows, len(at.store.open_intents("main")))


_OF_ITS_OWN = re.compile(
    r"(.*_)?(id|uuid|at|time|url|created|updated|started|finished|path|status|state|iteration)|.*(Id|At)"
)
"""Members whose values differ between two objects of the same content, or between two moments."""


def _shown(value: Any, copies: Collection[str]) -> str:
    """An object as text, but for what is its own and of its moment, and for which copy of a file it holds."""

    def alike(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: alike(member) for name, member in value.items() if not _OF_ITS_OWN.fullmatch(name)}
        if isinstance(value, list):
            return ["a file" if str(member) in copies else alike(member) for member in value]
        return value

    return json.dumps(alike(value), default=str, sort_keys=True)


def differs(lived: Told, died: Told, *, may_ask: bool) -> str:
    """How a story with deaths came to another end than the one without; "" when it did not.

    ``may_ask``: after a create whose answer was lost, nothing may tell whose the object is; then a person is asked, and
    there is at most what would have been there.
    """
    if died.fell:
        return died.fell
    for one, other in zip(lived.chapters, died.chapters, strict=False):
        if one == other:
            continue
        asked = any(result == Result.HELD for _, result in other.said)
        if may_ask and asked and other.made <= one.made and len(other.there) <= len(one.there):
            return ""
        words = [name for name in ("there", "made", "said", "rows", "intents") if _differ(one, other, name)]
        told = (f"{word} {getattr(other, word)} instead of {getattr(one, word)}" for word in words)
        return f"{one.name}: {'; '.join(told)}"
    return "" if len(lived.chapters) == len(died.chapters) else f"ended after {died.chapters[-1].name}"


def _differ(one: Chapter, other: Chapter, word: str) -> bool:
    return bool(getattr(one, word) != getattr(other, word))


def may_ask(example: Example) -> bool:
    """Whether a create whose answer was lost may need a person: nothing disproves it, or tells whose the object is."""
    hidden = any(
        place[0] in document_of(example)["spec"] for place, _ in book_of(example).with_word("write_only", "mask")
    )
    found = example.kind.mark is not None or (is_found_by_name(example.kind) and not hidden)
    return not (found and absence_is_provable(example.kind))


def is_unusual(example: Example) -> bool:
    """Whether a change of this kind goes another way than: one request, read back by name, whose mark tells."""
    kind = example.kind
    words = [rule for rule in kind.fields if rule.upload or rule.via or (rule.ref and rule.ref.member)]
    ways = (kind.is_run, is_thin(kind), kind.apply, kind.gone, kind.replace == "createFirst", not kind.unique)
    careful = kind.delete is None or kind.delete.careful is not None
    return any(ways) or careful or bool(words)


@dataclass
class Swept:
    """What a sweep of one example came to; ``violations`` say at which death."""

    points: int = 0
    kills: int = 0
    violations: list[str] = field(default_factory=list)


def sweep(example: Example, folder: Path, template: Path, *, every: int = 1, twice: bool = False) -> Swept:
    """Die at each effect of the story. ``every`` leaves out transactions but for one in so many, never a change of the
    platform; ``twice``: die once more, shortly after coming back."""
    lived = tell(example, folder, template)
    swept = Swept(len(lived.points))
    if lived.fell:
        swept.violations.append(f"{example}: without a death: {lived.fell}")
        return swept
    asks = may_ask(example)
    for place, (number, name) in enumerate(lived.points.items()):
        if place % every and name.endswith("committed"):
            continue
        for deaths in ([number], [number, 1 + place % 4])[: 2 if twice else 1]:
            died = tell(example, folder, template, deaths)
            swept.kills += died.kills
            how = differs(lived, died, may_ask=asks)
            if how:
                swept.violations.append(f"{example}: death at {deaths} ({name}): {how}")
    return swept

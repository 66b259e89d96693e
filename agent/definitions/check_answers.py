"""Expressions touch the sample answers: each first identifier occurs where it is looked for, and no list is null.

Called by ``check.py``. JMESPath answers a typo with a silent null; a sample is what shows it at load. Where there is no
sample of an operation, nothing is said about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.definitions.answers import Sample, Samples, names_in, occurs
from agent.definitions.expressions import Expression
from agent.definitions.places import Faults, Leaf, Words, get
from agent.definitions.shapes import Request

_WRITES = ("create", "apply", "update")


@dataclass(slots=True)
class AnswerCheck:
    """One kind against its samples. ``rows`` and ``live`` fill up as the samples are taken apart."""

    kind: str
    words: Words
    response: Words
    samples: Samples
    faults: Faults
    rows: list[Any] = field(default_factory=list)
    live: list[Any] = field(default_factory=list)

    def run(self) -> None:
        """Report every expression that finds nothing in the samples of its operation."""
        self._take_apart()
        for word in ("key", "id"):
            found = self.rows or (self.live if word == "id" else [])
            self._check(self.words.get(word), found, "a row")
        for word in ("ready", "failed", "gone"):
            self._check(self.words.get(word), self.live or self.rows, "an object")
        listing = get(self.words, "list", {})
        self._check(listing.get("revision"), self.rows, "a row")
        self._check_rows_carry_scope(listing)
        self._check_logs()
        for name, leaf in get(self.words, "actions", {}).items():
            bodies = [sample.body for sample in self.samples.of(self.kind, name)]
            if isinstance(leaf.value, dict):
                self._check(leaf.value.get("result"), bodies, "the answer")

    def occurs(self, pointer: str) -> bool | None:
        """Whether a pointer occurs in a sample object; None where there is no sample."""
        found = [*self.live, *self.rows]
        return any(occurs(pointer, value) for value in found) if found else None

    def _take_apart(self) -> None:
        listing = self.words.get("list")
        if listing is not None and isinstance(listing.value, dict):
            leaf = listing.value.get("items") or self.response.get("items") or listing
            for sample in self.samples.of(self.kind, "list"):
                rows = _select(leaf, sample.body)
                if isinstance(rows, list):
                    self.rows += rows
                    self._check_listing(listing.value, sample)
                else:
                    what = f"`items` selects no list in the sample {sample.name}"
                    self.faults.add(leaf.place, what, got=_source(leaf))
        for name in ("get", *_WRITES):
            operation = self.words.get(name)
            if operation is None or not isinstance(operation.value, dict):
                continue
            leaf = operation.value.get("item") or self.response.get("item") or operation
            for sample in self.samples.of(self.kind, name):
                value = _select(leaf, sample.body)
                if value is None:
                    what = f"`item` selects nothing in the sample {sample.name}"
                    self.faults.add(leaf.place, what, got=_source(leaf))
                else:
                    self.live.append(value)

    def _check_listing(self, listing: Words, sample: Sample) -> None:
        pages = get(listing, "pages", {})
        if isinstance(pages, dict):
            check_positions(pages, [sample], self.faults)

    def _check_rows_carry_scope(self, listing: Words) -> None:
        request: Request | None = get(listing, "request")
        if request is None or not self.rows:
            return
        named = {word.partition(".")[0] for word in request.template.words}
        for headers in (get(self.words, "headers", {}), get(listing, "headers", {})):
            named |= {word.partition(".")[0] for leaf in headers.values() for word in getattr(leaf.value, "words", ())}
        for word, leaf in get(self.words, "scope", {}).items():
            optional = isinstance(leaf.value, dict) and get(leaf.value, "optional", False)
            if word not in named and not optional and word not in names_in(self.rows):
                what = f"the rows of the list must carry `{word}`, for its request does not name it"
                fix = f'items: "[].merge(@, {{{word}: …}})"'
                self.faults.add(leaf.place, what, at="key", fix=fix)

    def _check_logs(self) -> None:
        logs = get(self.words, "logs", {})
        leaf = logs.get("lines")
        if leaf is None or not isinstance(leaf.value, Expression):
            return
        lines: list[Any] = []
        for sample in self.samples.of(self.kind, "logs"):
            found = leaf.value.search(sample.body)
            if isinstance(found, list):
                lines += found
            else:
                what = f"`lines` selects no list in the sample {sample.name}"
                self.faults.add(leaf.place, what, got=leaf.value.source)
        for member in get(logs, "line", {}).values():
            self._check(member, lines, "a line")

    def _check(self, leaf: Leaf | None, found: Sequence[Any], where: str) -> None:
        check_needs(leaf, found, f"{where} of the samples of {self.kind}", self.faults)


def check_needs(leaf: Leaf | None, found: Sequence[Any], where: str, faults: Faults) -> None:
    """An expression's first identifiers occur in what was found; of alternatives, one of them."""
    if leaf is None or not isinstance(leaf.value, Expression) or not found:
        return
    names = frozenset[str]().union(*(names_in(value) for value in found))
    for group in leaf.value.needs:
        if not names.intersection(group):
            what = f"`{'`, `'.join(group)}` does not occur in {where}"
            near = f"they have: {', '.join(sorted(names)[:20])}" if names else None
            faults.add(leaf.place, what, got=leaf.value.source, fix=near)


def check_positions(pages: Words, samples: Iterable[Sample], faults: Faults) -> None:
    """Where the end of a listing is told occurs in the bodies of the lists."""
    bodies = [sample.body for sample in samples]
    for word in ("total", "pages", "next", "more"):
        check_needs(pages.get(word), bodies, "the sample of a list", faults)


def check_shared(words: Words, kinds: Words, samples: Samples, faults: Faults) -> None:
    """The expressions that all kinds share: ``response.ok``, ``errors``, ``pages``, ``budget.retryAfter``."""
    response = get(words, "response", {})
    check_needs(response.get("ok"), [sample.body for sample in samples.everything()], "a sample answer", faults)
    failures = [sample.body for status, found in samples.of_statuses.items() if status >= 400 for sample in found]
    errors = get(words, "errors", {})
    for word in ("code", "message"):
        check_needs(errors.get(word), failures, "a sample of an error", faults)
    throttled = [sample.body for sample in samples.of_statuses.get(429, ())]
    check_needs(get(words, "budget", {}).get("retryAfter"), throttled, "the sample 429", faults)
    pages = get(words, "pages")
    if isinstance(pages, dict):
        own = {name for name, leaf in kinds.items() if "pages" in get(leaf.value, "list", {})}
        lists = [s for (kind, op), found in samples.of_kinds.items() if op == "list" and kind not in own for s in found]
        check_positions(pages, lists, faults)


def _select(leaf: Leaf, body: Any) -> Any:
    return leaf.value.search(body) if isinstance(leaf.value, Expression) else body


def _source(leaf: Leaf) -> str:
    return leaf.value.source if isinstance(leaf.value, Expression) else "@"

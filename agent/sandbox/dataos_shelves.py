"""The resources of the emulated DataOS in memory, found by key or by filter, now or as they were a while ago.

Used by :mod:`agent.sandbox.dataos_state` and, for reading, by both faces. Holds no rule of the API: only what is there,
in the order in which it was created.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from agent.sandbox.dataos_documents import Document
from agent.sandbox.storage import Key

REMEMBERED_SECONDS = 3600.0
"""How far back a read can be stale."""

Filter = tuple[str | None, str | None]
"""Type and workspace; None: any."""


class Shelves:
    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents: dict[Key, Document] = {}
        self._buckets: dict[Filter, dict[Key, Document]] = {}
        self._changes: deque[tuple[float, Key, Document | None]] = deque()
        for document in documents:
            self._place(document.key, document)

    def get(self, key: Key) -> Document | None:
        return self._documents.get(key)

    def get_as_of(self, key: Key, at: float) -> Document | None:
        """What was there at that moment."""
        found = self._documents.get(key)
        for time, changed, before in reversed(self._changes):
            if time <= at:
                break
            if changed == key:
                found = before
        return found

    def remembers(self, key: Key) -> bool:
        """Whether it was there within the time that is remembered, and perhaps still is."""
        return key in self._documents or any(key == changed and before for _, changed, before in self._changes)

    def put(self, key: Key, document: Document | None, now: float) -> None:
        """Set or remove, and remember what was there."""
        self._changes.append((now, key, self._documents.get(key)))
        while self._changes[0][0] < now - REMEMBERED_SECONDS:
            self._changes.popleft()
        self._place(key, document)

    def page(self, wanted: Filter, limit: int, offset: int) -> tuple[Sequence[Document], int]:
        """Documents of one page, and how many there are in all."""
        bucket = self._buckets.get(wanted, {})
        return list(islice(bucket.values(), offset, offset + limit)), len(bucket)

    def page_as_of(self, wanted: Filter, limit: int, offset: int, at: float) -> tuple[Sequence[Document], int]:
        kept = self.matching_as_of(wanted, at)
        return kept[offset : offset + limit], len(kept)

    def matching_as_of(self, wanted: Filter, at: float) -> list[Document]:
        """What was there at that moment."""
        documents = dict(self._documents)
        for time, key, before in reversed(self._changes):
            if time <= at:
                break
            if before is None:
                documents.pop(key, None)
            else:
                documents[key] = before
        return sorted((each for each in documents.values() if _suits(each, wanted)), key=lambda each: each.created)

    def matching(self, wanted: Filter) -> list[Document]:
        return list(self._buckets.get(wanted, {}).values())

    def _place(self, key: Key, document: Document | None) -> None:
        _, type_name, scope, _ = key
        if document is None:
            if self._documents.pop(key, None) is None:
                return
        else:
            self._documents[key] = document
        for wanted in ((None, None), (type_name, None), (None, scope), (type_name, scope)):
            bucket = self._buckets.setdefault(wanted, {})
            if document is None:
                del bucket[key]
            else:
                bucket[key] = document


def _suits(document: Document, wanted: Filter) -> bool:
    type_name, workspace = wanted
    return type_name in (None, document.type) and workspace in (None, document.key[2])

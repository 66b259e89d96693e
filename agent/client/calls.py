"""The calls of a client, before they are asynchronous or not: arguments into kind and place, then the walk.

Shared by ``asynchronous`` and ``synchronous``, whose methods await these or run them in their loop.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from agent.client import writing
from agent.client.documents import draft_of, draft_of_words
from agent.client.doing import act
from agent.client.errors import NotSupportedError
from agent.client.kinds import Meant, place
from agent.client.objects import Log
from agent.client.reading import Listed, Seen, follow_logs, read_list, read_logs, read_one
from agent.client.session import Session
from agent.definitions.platform import Kind
from agent.errors import UsageError
from agent.model.identity import Key

Words = Mapping[str, Any]
Logs = list[Log]


class Calls:
    """Each takes the kind that is meant and the words that say where: those of its scope."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def close(self) -> None:
        await self.session.close()

    def meant(self, type: str | None, kind: str | None, words: dict[str, Any]) -> tuple[Kind, dict[str, Any]]:
        """The kind, and the words with what its name says already. ``kind`` frees ``type`` to be a word of a scope."""
        if kind is not None:
            words = words if type is None else {**words, "type": type}
            type = kind
        if type is None:
            raise UsageError("which kind?", fix="type='…', by its name or by the platform's word for it")
        found: Meant = self.session.kinds.meant(type)
        return found.kind, {**words, **found.said}

    async def listed(self, kind: Kind, limit: int | None, words: Words) -> Listed:
        return await read_list(self.session, kind, self._place(kind, words), limit)

    async def get(self, kind: Kind, name: str | None, id: str | int | None, words: Words) -> Seen:
        scope = self._place(kind, words)
        return await read_one(self.session, kind, scope, _named(kind, name, id), _as_text(id))

    async def create(self, kind: Kind | None, document: Any, words: Words) -> Seen:
        """A document, or words: those of its scope, ``name``, and the members of its spec."""
        if document is not None:
            if words:
                raise UsageError(f"`{next(iter(words))}` beside a document", fix="write it into the document")
            draft = draft_of(self.session, document)
        elif kind is None:
            raise UsageError("nothing is said to be created", fix="hand over a dictionary or the path of a YAML file")
        elif not kind.managed:
            return await act(self.session, kind, None, "create", words)
        else:
            draft = draft_of_words(self.session, kind, words)
        _must_be(kind, draft.kind)
        return await writing.create(self.session, draft)

    async def apply(self, kind: Kind | None, document: Any, words: Words) -> Seen:
        if document is not None and words:
            raise UsageError(f"`{next(iter(words))}` beside a document", fix="write it into the document")
        if document is None and kind is None:
            raise UsageError("nothing is said to be applied", fix="hand over a dictionary or the path of a YAML file")
        if document is None and kind is not None and not kind.managed:
            raise NotSupportedError.of(kind, "apply")
        draft = (
            draft_of_words(self.session, kind, words)
            if document is None and kind is not None
            else draft_of(self.session, document)
        )
        _must_be(kind, draft.kind)
        return await writing.apply(self.session, draft)

    async def delete(self, kind: Kind, name: str | None, id: str | int | None, words: Words) -> None:
        key = Key(self.session.target, kind.name, self._place(kind, words), _named(kind, name, id))
        await self.delete_seen(Seen(kind, key, _as_text(id), {}, whole=False))

    async def delete_seen(self, seen: Seen) -> None:
        if seen.kind.delete is None and "delete" in seen.kind.actions:
            await act(self.session, seen.kind, seen, "delete", {})
        else:
            await writing.delete(self.session, seen.kind, seen.key, seen.id)

    async def refresh(self, seen: Seen) -> Seen:
        return await read_one(self.session, seen.kind, seen.key.scope, seen.key.name, seen.id)

    async def save(self, seen: Seen, members: Words, *, whole: bool) -> Seen:
        return await writing.save(self.session, seen, members, whole=whole)

    def object_of(
        self, kind: Kind, name: str | None, id: str | int | None, words: Words
    ) -> tuple[Seen, dict[str, Any]]:
        """The object whose log is meant, and the words that are no part of its place: arguments of the log."""
        places = {word.word for word in kind.scope}
        scope = self._place(kind, {word: value for word, value in words.items() if word in places})
        key = Key(self.session.target, kind.name, scope, _named(kind, name, id))
        rest = {word: value for word, value in words.items() if word not in places}
        return Seen(kind, key, _as_text(id), {}, whole=False), rest

    async def logs(self, seen: Seen, tail: int | None, words: Words) -> Logs:
        return [Log.of(line) for line in await read_logs(self.session, seen, words, tail)]

    async def logs_stream(self, seen: Seen, tail: int | None, words: Words) -> AsyncGenerator[Log, None]:
        async with aclosing(follow_logs(self.session, seen, words, tail)) as lines:
            async for line in lines:
                yield Log.of(line)

    def _place(self, kind: Kind, words: Words) -> tuple[tuple[str, str], ...]:
        return place(kind, words, self.session.defaults)


def _named(kind: Kind, name: str | None, id: str | int | None) -> str:
    """Where only the id is said, the name is not known before the object was read."""
    if name is None and id is None:
        raise UsageError(f"which {kind.name}?", fix="name='…'")
    if name is not None and not isinstance(name, str):
        raise UsageError(f"name={name!r} is no text")
    return name or ""


def _as_text(id: str | int | None) -> str | None:
    """Platforms answer numbers, and paths are made of text."""
    return None if id is None else str(id)


def _must_be(wanted: Kind | None, found: Kind) -> None:
    if wanted is not None and wanted is not found:
        raise UsageError(f"the document is of the kind {found.name}, not {wanted.name}")

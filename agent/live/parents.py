"""Members of a parent's live object that a request wants, such as ``${namespace.id}``: looked up once a pass.

Called by ``apply`` before a write is prepared. A parent that is not there refuses the write: a request without the
member could land somewhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agent.definitions.platform import Kind, Operation
from agent.errors import NotFound
from agent.live.api import ReadApi
from agent.live.look import look_at
from agent.live.purpose import Purpose
from agent.model.identity import Key


class Parents:
    """Live parents of one pass, by kind and name."""

    def __init__(self, api: ReadApi) -> None:
        self._api = api
        self._found: dict[Key, Mapping[str, Any]] = {}

    async def of(self, kind: Kind, operation: Operation, key: Key) -> dict[str, Any]:
        """Scope word -> live parent, for the words whose members the operation uses. Raises NotFound."""
        used = {word.partition(".")[0] for word in _words(operation) if "." in word}
        found = {}
        for scope_word in kind.scope:
            name = dict(key.scope).get(scope_word.word)
            if scope_word.word in used and scope_word.kind is not None and name is not None:
                found[scope_word.word] = await self._one(self._api.platform.kinds[scope_word.kind], key, name)
        return found

    async def _one(self, kind: Kind, key: Key, name: str) -> Mapping[str, Any]:
        words = {each.word for each in kind.scope}
        parent = Key(key.target, kind.name, tuple(pair for pair in key.scope if pair[0] in words), name)
        if parent not in self._found:
            looked = await look_at(self._api, kind, parent, None, Purpose.LOOK)
            if looked.reply.answer != "ok":
                raise NotFound(
                    f"its parent {parent} is not there ({looked.reply.message or looked.reply.answer})",
                    fix=f"create {parent} first",
                )
            self._found[parent] = looked.reply.item
        return self._found[parent]


def _words(operation: Operation) -> Iterable[str]:
    yield from operation.request.words
    for template in (operation.adds, operation.body, *operation.headers.values()):
        if template is not None:
            yield from template.words

"""Live objects that a request speaks of beside its own: parents in its scope, and what its references name.

``${namespace.id}`` in a request, or a leaf that refers to ``Mapping.id``, wants a member of another live object. Each
object is looked up once a pass. One that is not there refuses the request: without the member it could land somewhere
else. Called by ``apply`` before a write is prepared, and by ``reconcile/references`` before a plan is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from agent.definitions.platform import Kind, Operation
from agent.errors import NotFound
from agent.live.api import ReadApi
from agent.live.look import look_at
from agent.live.purpose import Purpose
from agent.model.identity import Key, uid_of


class Relatives:
    """Looked-up objects of one pass, by key. ``server_id`` yields the id that the inventory has for a key, if any."""

    def __init__(self, api: ReadApi, server_id: Callable[[Key], str | None] = lambda key: None) -> None:
        self._api = api
        self._server_id = server_id
        self._found: dict[Key, Mapping[str, Any]] = {}

    async def parents(self, kind: Kind, operation: Operation, key: Key) -> dict[str, Any]:
        """Scope word -> live parent, for the words whose members the operation uses. Raises NotFound."""
        used = {word.partition(".")[0] for word in _words(operation) if "." in word}
        found = {}
        for scope_word in kind.scope:
            name = dict(key.scope).get(scope_word.word)
            if scope_word.word in used and scope_word.kind is not None and name is not None:
                parent = self._api.platform.kinds[scope_word.kind]
                words = {each.word for each in parent.scope}
                scope = tuple(pair for pair in key.scope if pair[0] in words)
                found[scope_word.word] = await self.live(Key(key.target, parent.name, scope, name), "parent")
        return found

    async def member(self, key: Key, path: str) -> Any:
        """One member of a live object, by its dotted path. Raises NotFound for the object and for the member."""
        value: Any = await self.live(key, "reference")
        for word in path.split("."):
            value = value.get(word) if isinstance(value, Mapping) else None
        if value is None:
            raise NotFound(f"its reference {key} has no `{path}` on the platform")
        return value

    def forget(self, key: Key) -> None:
        """It was written: what was looked up before may be another object by now."""
        self._found.pop(key, None)

    async def live(self, key: Key, role: str) -> Mapping[str, Any]:
        """The object itself. Raises NotFound, also when it could not be read."""
        if key not in self._found:
            kind = self._api.platform.kinds[key.kind]
            uid = uid_of(self._api.platform.name, key)
            looked = await look_at(self._api, kind, key, self._server_id(key), Purpose.LOOK, uid=uid)
            if looked.reply.answer != "ok":
                raise NotFound(
                    f"its {role} {key} is not there ({looked.reply.message or looked.reply.answer})",
                    fix=f"create {key} first",
                )
            self._found[key] = looked.reply.item
        return self._found[key]


def _words(operation: Operation) -> Iterable[str]:
    yield from operation.request.words
    for template in (operation.adds, operation.body, *operation.headers.values()):
        if template is not None:
            yield from template.words

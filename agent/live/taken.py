"""The rows that the pages of one list brought, each once. Pure; filled by ``api.list`` page by page."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from agent.definitions.marks import owner_of
from agent.definitions.platform import Kind
from agent.definitions.scope import list_words
from agent.live.paging import Walk
from agent.live.rows import Row, health_of, id_of, identity_of, revision_of
from agent.model.identity import Key, uid_of
from agent.model.resource import as_kept


class Taken:
    """``anywhere``: a scope word that the list was not asked for is any, so that what the row says is its scope."""

    def __init__(
        self,
        platform: str,
        target: str,
        kind: Kind,
        scope: tuple[tuple[str, str], ...],
        walk: Walk,
        *,
        anywhere: bool = False,
    ) -> None:
        self._platform = platform
        self._target = target
        self._kind = kind
        self._asked = dict(scope)
        self._named = frozenset(self._asked) if anywhere else list_words(kind)
        self._walk = walk
        self._rows: dict[Hashable, Row] = {}

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def page(self, items: list[Any]) -> tuple[Hashable, ...]:
        """Take in one page. The identity of each row, also of those of another scope, for the walk."""
        kind, rows = self._kind, self._rows
        identities: list[Hashable] = []
        for item in items:
            told = isinstance(item, dict)
            identity = identity_of(kind, item, self._asked, self._named) if told else "a row that is no object"
            if isinstance(identity, str):
                self._walk.spoil(identity)
                identities.append(None)
                continue
            server_id = id_of(kind, item)
            if identity is None:
                # Somebody else's: counted, for the total counts it, and not looked at.
                identities.append(None if server_id is None else ("other", server_id))
                continue
            name, scope = identity
            known: Hashable = server_id if server_id is not None else (scope, name) if kind.unique else None
            identities.append(known)
            rows.setdefault(known if known is not None else len(rows), self._row(item, name, scope, server_id))
        return tuple(identities)

    def _row(self, item: dict[str, Any], name: str, scope: tuple[tuple[str, str], ...], server_id: str | None) -> Row:
        kind = self._kind
        owner = owner_of(kind, item)
        if owner is not None:
            owner = owner_of(kind, item, uid_of(self._platform, Key(self._target, kind.name, scope, name)))
        kept = as_kept(item) if kind.list is not None and kind.list.holds == "full" else item
        return Row(name, scope, server_id, owner, health_of(kind, item), kept, revision_of(kind, item))

"""One platform's records in memory: found by key or by kind and scope, now or as they were a while ago.

For platforms whose records are plain mappings. Reads go here, and every change goes through :meth:`Shelf.commit` to the
world, which makes it durable and tells the judge. Knows no platform's rules.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping
from typing import Any

from agent.sandbox.storage import Key
from agent.sandbox.world import Author, World

REMEMBERED_SECONDS = 3600.0
"""How far back a read can be stale."""

Record = Mapping[str, Any]


class Shelf:
    """Starts with what the world remembers of `platform`. A record is never changed in place."""

    def __init__(self, world: World, platform: str) -> None:
        self._world = world
        self._platform = platform
        self._kinds: dict[tuple[str, str], dict[str, Record]] = {}
        self._changes: deque[tuple[float, Key, Record | None]] = deque()
        for (owner, type_name, scope, name), record in world.records.items():
            if owner == platform:
                self._kinds.setdefault((type_name, scope), {})[name] = record

    def get(self, type_name: str, scope: str, name: str, lag: float = 0.0) -> Record | None:
        return self.all(type_name, scope, lag).get(name)

    def all(self, type_name: str, scope: str, lag: float = 0.0) -> Mapping[str, Record]:
        """By name, the oldest first; `lag` seconds ago."""
        present = self._kinds.get((type_name, scope), {})
        if not lag:
            return present
        at = self._world.clock.now() - lag
        past = dict(present)
        for time, (_, changed_type, changed_scope, name), before in reversed(self._changes):
            if time <= at:
                break
            if (changed_type, changed_scope) == (type_name, scope):
                if before is None:
                    past.pop(name, None)
                else:
                    past[name] = before
        return past

    def scopes(self, type_name: str) -> list[str]:
        """Scopes in which something of this type is."""
        return [scope for (each, scope), records in self._kinds.items() if each == type_name and records]

    def commit(
        self,
        type_name: str,
        scope: str,
        name: str,
        record: Record | None,
        author: Author,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """Set a record (None removes it), as a change that a judge sees with what reads show before and after."""
        key = (self._platform, type_name, scope, name)
        now = self._world.clock.now()
        self._changes.append((now, key, self.get(type_name, scope, name)))
        while self._changes[0][0] < now - REMEMBERED_SECONDS:
            self._changes.popleft()
        self._place(key, record)
        self._world.commit(key, record, author, before=before, after=after)

    def keep(self, type_name: str, scope: str, name: str, record: Record | None) -> None:
        """Set what is there without anybody's doing: durable, not a commit, and for a stale read always so."""
        self._place((self._platform, type_name, scope, name), record)
        self._world.keep((self._platform, type_name, scope, name), record)

    def number(self) -> int:
        """The server's next integer; never given twice, also after a restart."""
        number = int((self.get("counter", "", "ids") or {"last": 0})["last"]) + 1
        self.keep("counter", "", "ids", {"last": number})
        return number

    def unique(self) -> bytes:
        """Twenty bytes for an id that looks random, is never given twice, and is the same for the same seed."""
        return hashlib.sha1(f"{self._world.seed}/{self._platform}/{self.number()}".encode()).digest()  # noqa: S324

    def _place(self, key: Key, record: Record | None) -> None:
        _, type_name, scope, name = key
        records = self._kinds.setdefault((type_name, scope), {})
        if record is None:
            records.pop(name, None)
        else:
            records[name] = record

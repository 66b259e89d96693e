"""What people said of single objects, to be taken over or let go: written beside a running agent, read by each pass.

Called by ``Store`` with a connection whose transaction it owns.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, and_, delete, select

from agent.model.identity import Key
from agent.model.ownership import Word
from agent.store import rows as packing
from agent.store import schema
from agent.store.engine import upsert

_table = schema.ownership


def read(connection: Connection, target: str) -> dict[Key, Word]:
    columns = (_table.c[name] for name in ("kind", "scope", "name", "verb", "who", "at", "digest", "server_id"))
    found = {}
    for kind, scope, name, *said in connection.execute(select(*columns).where(_table.c.target == target)):
        key = Key(target, kind, packing.scope_of(scope), name)
        found[key] = Word(key, *said)
    return found


def put(connection: Connection, words: Iterable[Word]) -> None:
    """Written; what was said of the same object before is forgotten."""
    values = [
        {
            **packing.key_dict(word.key),
            "verb": word.verb,
            "who": word.who,
            "at": word.at,
            "digest": word.digest,
            "server_id": word.server_id,
        }
        for word in words
    ]
    connection.execute(upsert(connection, _table), values)


def remove(connection: Connection, words: Iterable[Word]) -> None:
    """Exactly these: what somebody has said since stays."""
    for word in words:
        of_key = [_table.c[name] == value for name, value in packing.key_dict(word.key).items()]
        connection.execute(delete(_table).where(and_(*of_key, _table.c.at == word.at, _table.c.verb == word.verb)))

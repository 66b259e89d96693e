"""What passes through the store between people and a running agent: requests to look, alerts, messages on their way.

Base of ``Store``. Each method is one transaction; all errors are :class:`StoreError`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete

from agent.model.alert import Alert, Message
from agent.model.canonical import to_json
from agent.model.request import LookRequest
from agent.store import alerts, examined, history, pointers, requests, schema
from agent.store.courtesies import Courtesies
from agent.store.engine import upsert
from agent.store.hints import CHANNEL
from agent.store.leases import notify


class Operations(Courtesies):
    """Safe to call from several threads, and beside other processes."""

    # ---- requests to look

    def ask(self, targets: Sequence[str], revision: str | None, who: str) -> tuple[int, ...]:
        """Ask for a look at each target; the numbers of the requests. ``revision``: wait for this commit."""
        with self._write() as connection:
            return requests.put(connection, targets, revision, who, self._clock.now())

    def asked(self) -> tuple[LookRequest, ...]:
        """What nobody has answered yet, oldest first."""
        with self._read() as connection:
            return requests.read_open(connection, self._clock.now())

    def requests(self, numbers: Collection[int]) -> tuple[LookRequest, ...]:
        with self._read() as connection:
            return requests.read(connection, numbers)

    def mark_seen(self, numbers: Collection[int]) -> None:
        """An agent has taken these up."""
        with self._write(durable=False) as connection:
            requests.mark_seen(connection, numbers, self._clock.now())

    def answer(self, number: int, words: Mapping[str, Any]) -> None:
        with self._write(durable=False) as connection:
            requests.answer(connection, number, words, self._clock.now())

    def withdraw(self, numbers: Collection[int]) -> None:
        """Nobody waits for these any more."""
        with self._write(durable=False) as connection:
            requests.withdraw(connection, numbers)

    # ---- events, on their way to the home of their target

    def leave_pointers(self, target: str, came_at: Mapping[str, float]) -> None:
        """Leave for another agent what events pointed at, and tell it so: pointers with the moments of their events."""
        with self._write(durable=False) as connection:
            pointers.put(connection, target, came_at, self._clock.now())
            notify(connection, CHANNEL)

    def take_pointers(self, targets: Collection[str]) -> list[tuple[str, str, float]]:
        """What others have left for these targets, as :func:`agent.store.pointers.take`. Costs a read if nothing is."""
        with self._read() as connection:
            if not targets or not pointers.any_of(connection, targets):
                return []
        with self._write(durable=False) as connection:
            return pointers.take(connection, targets, self._clock.now())

    # ---- the configuration

    def refuse_config(self, words: Mapping[str, Any] | None) -> None:
        """Tell whoever asks for the status that the configuration was not taken, and why; None: it is in force."""
        with self._write(durable=False) as connection:
            if words is None:
                connection.execute(delete(schema.meta).where(schema.meta.c.name == "config_refused"))
            else:  # not deleted and inserted: agents that share a configuration refuse it at the same moment
                row = {"name": "config_refused", "value": to_json(dict(words))}
                connection.execute(upsert(connection, schema.meta), [row])

    # ---- alerts, and messages on their way

    def alerts(self, target: str) -> tuple[Alert, ...]:
        """What stands of a target, oldest first."""
        with self._read() as connection:
            return alerts.read(connection, target)

    def keep_alerts(
        self, target: str, put: Sequence[Alert], gone: Collection[tuple[str, str]], messages: Sequence[Message]
    ) -> int:
        """What stands and what is said of it, all or nothing; how many older messages had to give way."""
        with self._write() as connection:
            alerts.put(connection, put)
            alerts.remove(connection, target, gone)
            return alerts.send(connection, messages)

    def forget_alerts(self, but: Collection[str]) -> None:
        """Only these targets are configured."""
        with self._write() as connection:
            alerts.remove_targets(connection, but)

    def due_messages(self, most: int) -> tuple[Message, ...]:
        with self._read() as connection:
            return alerts.due(connection, self._clock.now(), most)

    def claim_message(self, message: Message, until: float) -> bool:
        """Take it for one attempt; False when another agent has."""
        with self._write(durable=False) as connection:
            return alerts.claim(connection, message, until)

    def put_off_sink(self, message: Message, until: float) -> None:
        """It did not arrive: nothing goes to its sink before then."""
        with self._write(durable=False) as connection:
            alerts.put_off_sink(connection, message, until)

    def end_message(self, number: int) -> None:
        """It has arrived, or is given up."""
        with self._write(durable=False) as connection:
            alerts.done(connection, number)

    # ---- what an API does that its documents leave open

    def keep_examined(self, target: str, facts: Mapping[str, Any]) -> None:
        """What an examination found out, in the place of what the one before had."""
        with self._write(durable=False) as connection:
            examined.write(connection, target, self._clock.now(), facts)

    def examined(self, target: str) -> tuple[float, Mapping[str, Any]] | None:
        """When a target was last examined, and what was found; None before the first time."""
        with self._read() as connection:
            return examined.read(connection, target)

    def _compact_operations(self, connection: Connection, now: float) -> None:
        history.drop_old(connection)
        requests.drop(connection, now - requests.KEPT_SECONDS)
        alerts.drop(connection, now - alerts.WAITING_SECONDS)

"""One mutating request: intent committed, sent once, answer classified, outcome committed. Nothing in between.

The only place that sends a write, and the only one that changes the inventory. Called by ``executor``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from agent.apply.classify import TERMINAL, classify
from agent.apply.secrets import SecretValues
from agent.clock import Clock
from agent.definitions.platform import Kind, Operation
from agent.live.api import Prepared, Reply, WriteApi
from agent.live.parents import Parents
from agent.live.purpose import Purpose
from agent.live.rows import id_of
from agent.model.canonical import digest
from agent.model.change import Change
from agent.model.identity import Key
from agent.model.inventory import Intent, InventoryRow
from agent.model.outcome import Outcome, Result
from agent.model.resource import Health
from agent.plan.compare import Comparison
from agent.plan.rules import split_pointer

Verb = Literal["create", "apply", "update", "delete"]


class Store(Protocol):
    """The part of the store that writes need; every method is one durable transaction."""

    def open_intent(self, intent: Intent, row: InventoryRow | None, applied: Mapping[str, Any] | None) -> None: ...
    def close_intent(
        self,
        op_id: str,
        result: str,
        *,
        row: InventoryRow | None = None,
        applied: Mapping[str, Any] | None = None,
        forget: bool = False,
        note: str = "",
    ) -> bool: ...
    def put_rows(self, rows: list[InventoryRow], applied: Mapping[Key, Mapping[str, Any]] | None = None) -> None: ...
    def forget(self, key: Key, tombstone: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """What one write came to; ``row`` is the inventory row when it landed."""

    result: Result
    reply: Reply
    row: InventoryRow | None
    terminal: bool

    def outcome(
        self,
        change: Change,
        *,
        message: str = "",
        ready: bool | None = None,
    ) -> Outcome:
        failed = self.result is not Result.DONE
        return Outcome(
            change,
            self.result,
            code=(self.reply.code or self.reply.answer) if failed else "",
            message=(self.reply.message or f"answered {self.reply.answer}") if failed else message,
            status=self.reply.status,
            ready=ready,
            terminal=self.terminal,
        )


class Withdrawn(Exception):
    """The agent is stopping, and this write had not begun."""


class WriteStep:
    """Journalled writes of one pass over one target. ``new_id`` yields unique operation ids."""

    def __init__(
        self,
        api: WriteApi,
        store: Store,
        secrets: SecretValues,
        clock: Clock,
        new_id: Callable[[], str],
        pass_id: str,
        revision: str,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stopping = stopping
        self._api = api
        self._store = store
        self._secrets = secrets
        self._clock = clock
        self._new_id = new_id
        self._pass_id = pass_id
        self._revision = revision
        self._rows: dict[Key, InventoryRow] = {}
        self._parents = Parents(api)

    async def send(
        self,
        change: Change,
        verb: Verb,
        kind: Kind,
        server_id: str | None,
        body: Mapping[str, Any] | None,
        *,
        row: InventoryRow,
        applied: Mapping[str, Any] | None,
        base: str | None,
        live: Mapping[str, Any] | None = None,
    ) -> Sent:
        """Journal, send once, classify, commit. ``body`` still holds secret references; the wire gets their values.

        The intent is opened when the call has its turn, not before: an open intent never waits for the budget, and its
        doubt is counted from the moment of sending. Raises Withdrawn when the agent stops first.
        """
        revealed = self._secrets.revealed(body) if body is not None else None
        parents = await self._parents.of(kind, _operation(kind, verb), change.key)
        prepared = self._api.prepare(verb, kind, change.key, server_id, revealed, parents=parents, live=live)
        op_id = self._new_id()

        def journal() -> None:
            nonlocal row
            if self._stopping():
                raise Withdrawn
            if verb != "delete":
                now = self._clock.now()
                row = replace(row, written_at=now, settle_until=now + kind.settle_seconds)
            intent = self._intent(op_id, change, verb, prepared, server_id, body, base, row)
            self._store.open_intent(intent, None if verb == "delete" else row, applied)

        reply = await self._api.send(prepared, Purpose.WRITE, journal)
        result = classify(reply, _operation(kind, verb), deleting=verb == "delete")
        if result is Result.DONE and verb != "delete":
            row = replace(row, server_id=id_of(kind, reply.item) or row.server_id)
            self._store.close_intent(op_id, "done", row=row, applied=applied)
            self._rows[change.key] = row
        elif result is not Result.UNKNOWN:
            # A landed delete leaves its row until the object is proved gone; a refusal leaves everything.
            self._store.close_intent(op_id, result.value, note=reply.message)
        return Sent(result, reply, row if result is Result.DONE else None, reply.answer in TERMINAL)

    def forget(self, key: Key, *, tombstone: bool) -> None:
        self._store.forget(key, tombstone)

    def remember(self, row: InventoryRow, applied: Mapping[str, Any]) -> None:
        """An adoption that needed no request."""
        now = self._clock.now()
        self._store.put_rows([replace(row, in_sync=True, seen_at=now)], {row.key: applied})

    def remember_health(self, key: Key, health: Health) -> None:
        row = self._rows.get(key)
        if row is not None:
            self._keep(replace(row, health=health))

    def agree(self, row: InventoryRow, reply: Reply, health: Health, *, in_sync: bool) -> InventoryRow:
        """Read back, and live is what was written."""
        return self._keep(replace(row, in_sync=in_sync, health=health, seen_at=self._clock.now(), unkept_once={}))

    def disagree(
        self, row: InventoryRow, reply: Reply, health: Health, found: Comparison, *, desired: Mapping[str, Any]
    ) -> InventoryRow:
        """Read back after settling, and a written leaf has another value: the second time it is *not kept*.

        ``design/platform-definitions.md`` 7.2: the leaf is named and not written again until git asks for another
        value, which ends the hot loop that writing it for ever would be.
        """
        once = {field.pointer: _digest_at(desired, field.pointer) for field in found.fields}
        twice = {pointer: value for pointer, value in once.items() if row.unkept_once.get(pointer) == value}
        return self._keep(
            replace(
                row,
                in_sync=False,
                health=health,
                seen_at=self._clock.now(),
                unkept_once=once,
                not_kept={**row.not_kept, **twice},
            )
        )

    def _keep(self, row: InventoryRow) -> InventoryRow:
        self._rows[row.key] = row
        self._store.put_rows([row])
        return row

    def _intent(
        self,
        op_id: str,
        change: Change,
        verb: Verb,
        prepared: Prepared,
        server_id: str | None,
        body: Mapping[str, Any] | None,
        base: str | None,
        row: InventoryRow,
    ) -> Intent:
        action = "create" if verb == "apply" and change.action.value == "create" else verb
        return Intent(
            op_id=op_id,
            pass_id=self._pass_id,
            key=change.key,
            action="update" if action == "apply" else action,
            method=prepared.method,
            path=prepared.template,
            uid=change.uid,
            server_id=server_id,
            request_hash=digest(self._secrets.masked(body)),
            base_hash=base,
            revision=self._revision,
            opened_at=self._clock.now(),
            applied_digest=row.applied_digest,
        )


def _operation(kind: Kind, verb: Verb) -> Operation:
    operation: Operation | None = getattr(kind, verb)
    if operation is None:
        raise AssertionError(f"the plan asked for {verb} of {kind.name}, which has none")
    return operation


def _digest_at(spec: Any, pointer: str) -> str:
    for token in split_pointer(pointer):
        if isinstance(spec, Mapping) and token in spec:
            spec = spec[token]
        elif isinstance(spec, list) and token.isdigit() and int(token) < len(spec):
            spec = spec[int(token)]
        else:
            return ""
    return digest(spec)

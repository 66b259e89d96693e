"""One mutating request: intent committed, sent once, answer classified, outcome committed. Nothing in between.

The only place that sends a write, and the only one that changes the inventory. Called by ``executor``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from agent.apply.classify import TAKEN, TERMINAL, classify, identified
from agent.apply.secrets import SecretValues
from agent.clock import Clock
from agent.definitions.platform import Kind, Operation, Upload
from agent.live.answers import error_of
from agent.live.api import Prepared, Reply, WriteApi
from agent.live.purpose import Purpose
from agent.live.relatives import Relatives
from agent.live.requests import NOTHING, Around
from agent.live.rows import id_of
from agent.model.canonical import digest
from agent.model.change import Action, Change, FieldChange
from agent.model.identity import Key
from agent.model.inventory import Intent, InventoryRow
from agent.model.outcome import Outcome, Result
from agent.model.resource import Health
from agent.plan.elsewhere import path_of
from agent.plan.quiet import digest_at
from agent.secrets import without_echo

Verb = Literal["create", "apply", "update", "delete"]
RETIRE = "retire"
"""``Intent.action`` of the delete of an object that another one has replaced already."""
LET_GO = "release"
"""``Intent.action`` of the update that takes our mark off an object which a person has let go."""
UPLOAD = "upload"
"""``Intent.action`` of a file on its way: the one call whose lost answer leaves nothing in doubt."""


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
    def sent(self, target: str, op_id: str) -> None: ...
    def put_rows(self, rows: list[InventoryRow], applied: Mapping[Key, Mapping[str, Any]] | None = None) -> None: ...
    def forget(self, key: Key, tombstone: bool) -> None: ...
    def tombstones(self, target: str) -> Mapping[Key, float]: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """What one write came to; ``row`` is the inventory row when it landed."""

    result: Result
    reply: Reply
    row: InventoryRow | None
    terminal: bool

    def outcome(self, change: Change, *, message: str = "", ready: bool | None = None) -> Outcome:
        failed = self.result is not Result.DONE
        return Outcome(
            change,
            self.result,
            code=(self.reply.code or self.reply.answer) if failed else "",
            message=(self.reply.message or f"answered {self.reply.answer}") if failed else message,
            status=self.reply.status,
            ready=ready,
            terminal=self.terminal,
            taken=self.result is Result.UNKNOWN and self.reply.answer in TAKEN,
        )


GAP_SECONDS = 60.0
"""A write leaves at most so long after its object was looked at, whatever it waited for: a window, a frozen machine."""


class Withdrawn(Exception):
    """The agent is stopping, and this write had not begun."""


class Outdated(Exception):
    """The turn of a write came long after its object was looked at; nothing was sent."""


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
        rows: Mapping[Key, InventoryRow],
        stopping: Callable[[], bool] = lambda: False,
        looked_at: float | None = None,
    ) -> None:
        """``looked_at`` is the monotonic moment of the observation that the changes rest on."""
        self._stopping = stopping
        self._looked_at = looked_at
        self._looks: dict[Key, float] = {}
        self._api = api
        self._store = store
        self._secrets = secrets
        self._clock = clock
        self._new_id = new_id
        self._pass_id = pass_id
        self._revision = revision
        self._before = rows
        self._rows: dict[Key, InventoryRow] = {}  # as this pass has left them
        self._documents: dict[Key, Mapping[str, Any]] = {}
        self.relatives = Relatives(api, self._server_id)

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
        around: Around = NOTHING,
        rule: Operation | None = None,
        intent_action: str | None = None,
    ) -> Sent:
        """Journal, send once, classify, commit. ``body`` still holds secret references; the wire gets their values.

        ``rule`` stands for the kind's own operation where a leaf has endpoints of its own.
        ``intent_action`` is what the journal calls the write, where that is not its verb.

        The intent is opened when the call has its turn, not before: an open intent never waits for the budget, and its
        doubt is counted from the end of the wait for an answer. Raises Withdrawn when the agent stops first, Outdated
        when the turn comes too late.
        """
        operation = rule or _operation(kind, verb)
        revealed = self._secrets.revealed(body) if body is not None else None
        around = replace(
            around,
            parents=await self.relatives.parents(kind, operation, change.key),
            attempt=self._attempt(change.key) if operation.idempotency else "",
        )
        prepared = self._api.prepare(verb, kind, change.key, server_id, revealed, around, rule=rule)
        op_id = self._new_id()

        def journal() -> None:
            nonlocal row
            self._in_time(change.key)
            if verb != "delete":
                now = self._clock.now()
                row = replace(row, written_at=now, settle_until=now + kind.settle_seconds)
            intent = self._intent(op_id, change, intent_action or verb, prepared, server_id, body, base, row)
            self._open(intent, None if verb == "delete" else row, applied)

        reply = identified(change, verb, kind, server_id, await self._api.send(prepared, Purpose.WRITE, journal))
        result = classify(reply, operation, deleting=verb == "delete", creating=verb == "create")
        if result is Result.DONE and verb != "delete":
            row = replace(row, server_id=id_of(kind, reply.item) or row.server_id)
            self._store.close_intent(op_id, "done", row=row, applied=applied)
            self._rows[change.key] = row
            self._documents[change.key] = applied or {}
            self.relatives.forget(change.key)
        elif result is not Result.UNKNOWN:
            # A landed delete leaves its row until the object is proved gone, and no longer as what git says: should
            # the process die now, it was not a person who took it away. A refusal leaves everything.
            gone = replace(row, applied_digest=None) if result is Result.DONE and intent_action is None else None
            self._store.close_intent(op_id, result.value, row=gone, note=reply.message)
        else:
            self._store.sent(change.key.target, op_id)
        return Sent(result, reply, row if result is Result.DONE else None, reply.answer in TERMINAL)

    async def upload(self, change: Change, kind: Kind, upload: Upload, text: str, content: bytes) -> Any:
        """Send a file; what it is called on the platform from now on. Raises LiveError, also when no name was told.

        A lost answer leaves at most a copy that nobody uses: it is the one write that is simply made again.
        """
        file = {"name": path_of(text).rpartition("/")[2], "base64": base64.b64encode(content).decode()}
        prepared = self._api.built(lambda requests: requests.uploading(upload, kind, change.key, file))
        op_id = self._new_id()

        def journal() -> None:
            if self._stopping():
                raise Withdrawn
            intent = Intent(
                op_id=op_id,
                pass_id=self._pass_id,
                key=change.key,
                action=UPLOAD,
                method=prepared.method,
                path=prepared.template,
                uid=change.uid,
                server_id=None,
                request_hash=digest(text),
                base_hash=None,
                revision=self._revision,
                opened_at=self._clock.now(),
            )
            self._store.open_intent(intent, None, None)

        reply = await self._api.send(prepared, Purpose.WRITE, journal)
        if reply.answer != "ok":
            reply = replace(reply, message=without_echo(reply.message, content))
        value = upload.value.search(reply.body) if reply.answer == "ok" else None
        if not prepared.refusal:
            self._store.close_intent(op_id, "done" if value is not None else "not_done", note=reply.message)
        if reply.answer == "ok" and value is None:
            reply = replace(reply, answer="broken", message="the answer does not say what the file is called now")
        if value is None:
            raise error_of(replace(reply, message=f"upload of {path_of(text)}: {reply.message or reply.answer}"))
        return value

    def looked(self, key: Key) -> None:
        """An object was looked at just now."""
        self._looks[key] = self._clock.monotonic()

    def _open(self, intent: Intent, row: InventoryRow | None, applied: Mapping[str, Any] | None) -> None:
        """Journal, and still be in time: a machine may stand still in a commit. Raises Withdrawn and Outdated."""
        self._store.open_intent(intent, row, applied)
        try:
            self._in_time(intent.key)
        except (Withdrawn, Outdated):
            self._store.close_intent(intent.op_id, "not_done", note="not sent")
            raise

    def _in_time(self, key: Key) -> None:
        """Right before the first byte. Raises Withdrawn and Outdated."""
        if self._stopping():
            raise Withdrawn
        looked_at = self._looks.get(key, self._looked_at)
        if looked_at is not None and self._clock.monotonic() - looked_at > GAP_SECONDS:
            raise Outdated

    def forget(self, key: Key, *, tombstone: bool) -> None:
        self._store.forget(key, tombstone)

    def remember(self, row: InventoryRow, applied: Mapping[str, Any], *, in_sync: bool = True) -> None:
        """What was read is what git says, and no request is needed: an adoption, or the last step of a change."""
        row = self._rows[row.key] = replace(row, in_sync=in_sync, seen_at=self._clock.now())
        self._store.put_rows([row], {row.key: applied})

    def row(self, key: Key) -> InventoryRow | None:
        """The inventory's row as it is now."""
        return self._rows.get(key) or self._before.get(key)

    def document(self, key: Key) -> Mapping[str, Any] | None:
        """What the last write of this pass left behind, if there was one."""
        return self._documents.get(key)

    def remember_health(self, key: Key, health: Health) -> None:
        row = self.row(key)
        if row is not None:
            self._keep(replace(row, health=health))

    def agree(self, row: InventoryRow, health: Health, *, in_sync: bool) -> InventoryRow:
        """Read back, and live is what was written."""
        return self._keep(replace(row, in_sync=in_sync, health=health, seen_at=self._clock.now(), unkept_once={}))

    def disagree(
        self, row: InventoryRow, health: Health, left: Sequence[FieldChange], *, desired: Mapping[str, Any]
    ) -> InventoryRow:
        """Read back after settling, and a written leaf has another value: the second time it is *not kept*.

        ``design/platform-definitions.md`` 7.2: the leaf is named and not written again until git asks for another
        value, which ends the hot loop that writing it for ever would be.
        """
        once = {field.pointer: digest_at(desired, field.pointer) for field in left}
        twice = {pointer: value for pointer, value in once.items() if row.unkept_once.get(pointer) == value}
        return self._keep(
            replace(
                row,
                in_sync=False,
                health=health,
                seen_at=self._clock.now(),
                unkept_once=once,
                not_kept={**row.not_kept, **twice},
                # A repair that did not even land is no round of a dispute.
                flaps={pointer: flap for pointer, flap in row.flaps.items() if pointer not in once},
            )
        )

    def _attempt(self, key: Key) -> str:
        """What tells a create from the one before it: when the object that went was written, or was deleted by us.

        The same until an object is there, so that a create whose answer was lost may be made again under its key.
        """
        row = self.row(key)
        moment = row.written_at if row is not None else self._store.tombstones(key.target).get(key)
        return "" if moment is None else repr(moment)

    def _server_id(self, key: Key) -> str | None:
        row = self.row(key)
        return row.server_id if row is not None else None

    def _keep(self, row: InventoryRow) -> InventoryRow:
        self._rows[row.key] = row
        self._store.put_rows([row])
        return row

    def _intent(
        self,
        op_id: str,
        change: Change,
        action: str,
        prepared: Prepared,
        server_id: str | None,
        body: Mapping[str, Any] | None,
        base: str | None,
        row: InventoryRow,
    ) -> Intent:
        if action == "apply":
            action = "create" if change.action is Action.CREATE else "update"
        return Intent(
            op_id=op_id,
            pass_id=self._pass_id,
            key=change.key,
            action=action,
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

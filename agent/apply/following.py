"""What follows the first write of a change: reading it back, the update after a thin create, leaves with endpoints of
their own. Called by ``writer``; each request is journalled with what is true once it has landed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.apply.goal import Goal, Owed
from agent.apply.readback import Confirmed, Work, confirm
from agent.apply.request import Sent
from agent.definitions.platform import Kind, Operation
from agent.errors import Rejected
from agent.live.requests import Around
from agent.model.canonical import canonical, digest
from agent.model.change import Change, FieldOp
from agent.model.outcome import Outcome, Result
from agent.plan.compare import Comparison
from agent.plan.compose import MISSING, compose_update, mark_text, value_at
from agent.plan.elsewhere import described, wired
from agent.plan.rules import Place, RuleBook, split_pointer


class Following:
    """The later requests of the changes of one pass."""

    def __init__(self, work: Work) -> None:
        self.work = work

    async def finished(self, goal: Goal, sent: Sent, owed: Owed) -> Outcome:
        """Read back what was written, then go on with what is owed."""
        if sent.result is not Result.DONE or sent.row is None:
            return sent.outcome(goal.change)
        seen = await confirm(self.work, goal.change, sent.row, goal.resource, owed.owes)
        if owed.thin and seen.live is not None and any(not _is_via(goal.book, f.pointer) for f in seen.found.fields):
            owed = Owed(owed.vias)
            spec = wired(
                goal.book,
                described(goal.book, goal.resource.read(), goal.resource.files),
                goal.document.get("wires", {}),
            )
            body = compose_update(
                goal.book,
                spec,
                {},
                seen.live,
                mark=self.mark(goal.change, None),
                named=top_level(goal.kind.schema),
                only=changed(goal.kind, {field.pointer for field in seen.found.fields}, None),
            )
            sent = await self.send_body(goal, owed, body, seen.live, seen.row.server_id, seen.etag)
            if sent.result is not Result.DONE or sent.row is None:
                return partly(sent.outcome(goal.change), "made, but its content was not written")
            seen = await confirm(self.work, goal.change, sent.row, goal.resource, owed.owes)
        return await self.owing(goal, owed, seen, sent.reply.status)

    async def owing(self, goal: Goal, owed: Owed, seen: Confirmed, status: int | None = None) -> Outcome:
        """The leaves with endpoints of their own, one call each, where live is not what git says already.

        ``status`` is that of the write before, if there was one.
        """
        left = owed.vias
        sends = False
        for place in owed.vias:
            left = left[1:]
            if seen.live is None or not self._differs(goal, place, seen.found, seen.live):
                continue
            sent = await self._send_leaf(goal, Owed(left), place, seen)
            if sent.result is not Result.DONE or sent.row is None:
                return partly(sent.outcome(goal.change), f"`{'.'.join(place)}` was not written")
            sends, seen, status = True, replace(seen, row=sent.row), sent.reply.status
        if sends:
            seen = await confirm(self.work, goal.change, seen.row, goal.resource)
        elif (owed.vias or owed.thin) and seen.live is not None and seen.found.same:
            self.work.step.remember(replace(seen.row, applied_digest=goal.row.applied_digest), goal.document)
        outcome = Outcome(goal.change, Result.DONE, message=seen.note, status=status, ready=_ready(seen.health))
        return replace(outcome, change=replace(goal.change, server_id=seen.row.server_id))

    def _differs(self, goal: Goal, place: Place, found: Comparison, live: Mapping[str, Any]) -> bool:
        """Whether live is not what such a leaf shall be; what has left git is in no comparison with what git says."""
        if any(split_pointer(field.pointer) == place for field in found.fields):
            return True
        defaults = {split_pointer(field.pointer) for field in goal.change.fields if field.op is FieldOp.DEFAULT}
        shown = value_at(self.work.ground.seen(goal.change.key, live), place)
        return place in defaults and canonical(shown) != canonical(goal.book.at(place).default)

    async def send_body(
        self,
        goal: Goal,
        owed: Owed,
        body: Mapping[str, Any],
        live: Mapping[str, Any],
        server_id: str | None,
        etag: str | None,
    ) -> Sent:
        """The update of a change, or its apply."""
        work = self.work
        return await work.step.send(
            goal.change,
            "update" if goal.kind.update is not None else "apply",
            goal.kind,
            server_id,
            body,
            row=owed.row(replace(goal.row, server_id=server_id or goal.row.server_id)),
            applied=owed.document(goal.document, goal.before),
            base=digest(work.ground.seen(goal.change.key, live)),
            around=Around(live=live, etag=etag),
            rule=_renaming(goal) if goal.change.moved_from is not None else None,
        )

    async def _send_leaf(self, goal: Goal, owed: Owed, place: Place, seen: Confirmed) -> Sent:
        """Raises Rejected for a value that no endpoint sets."""
        value = value_at(goal.resource.read(), place)
        if value is MISSING:
            value = goal.book.at(place).default
        endpoint = (goal.book.vias[place] or {}).get(canonical(value).decode())
        if endpoint is None:
            raise Rejected(f"no endpoint of {goal.kind.name} sets `{'.'.join(place)}` to {value!r}")
        method, request = endpoint
        assert seen.live is not None
        return await self.work.step.send(
            goal.change,
            "update",
            goal.kind,
            seen.row.server_id,
            None,
            row=owed.row(replace(goal.row, server_id=seen.row.server_id)),
            applied=owed.document(goal.document, goal.before),
            base=digest(self.work.ground.seen(goal.change.key, seen.live)),
            around=Around(live=seen.live),
            rule=Operation(method, request),
        )

    def mark(self, change: Change, content: str | None) -> str | None:
        """The text that says *ours*, None for a kind that carries no mark; ``content`` is that of a run."""
        mark = self.work.ground.platform.kinds[change.key.kind].mark
        if mark is None:
            return None
        return mark_text(mark, change.key.target, change.uid, change.key.name, content or "")


def _renaming(goal: Goal) -> Operation:
    """The update that also gives the object its new name."""
    assert goal.kind.update is not None
    return replace(goal.kind.update, adds=goal.kind.rename)


def partly(outcome: Outcome, what: str) -> Outcome:
    """An outcome that says which part of a change it is about; the rest has landed."""
    return replace(outcome, message=f"{what}: {outcome.message}")


def changed(kind: Kind, pointers: set[str], mark: str | None) -> set[str] | None:
    """The pointers whose members go into a body that holds changes only; None where the whole is sent."""
    if kind.update is None or kind.update.sends == "whole":
        return None
    return pointers | ({kind.mark.pointer} if kind.mark is not None and mark is not None else set())


def top_level(schema: Mapping[str, Any] | None) -> frozenset[str] | None:
    """The members that the kind's schema names at the top; None where it is open."""
    if schema is None or schema.get("additionalProperties", True) is not False:
        return None
    return frozenset(schema.get("properties", {}))


def _is_via(book: RuleBook, pointer: str) -> bool:
    return split_pointer(pointer) in book.vias


def _ready(health: str) -> bool | None:
    return {"ready": True, "failed": False, "progressing": False}.get(health)

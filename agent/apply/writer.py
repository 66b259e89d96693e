"""One change -> its requests: the write itself, what the change owes after it, and reading back.

Called by ``executor``. No choice is made here: a change whose live object is no longer what the plan saw is left to the
next pass. Most changes are one request; a create that can only say a name is followed by an update, and a leaf with
endpoints of its own (``via``) by a call of its own. Each is journalled with what is true once it has landed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.apply.following import Following, changed, partly, top_level
from agent.apply.goal import Goal, Owed, row_after
from agent.apply.readback import Confirmed, Work, confirm_gone
from agent.apply.request import LET_GO, RETIRE, Verb
from agent.definitions.marks import owner_of
from agent.definitions.platform import Kind
from agent.live.look import look_at
from agent.live.purpose import Purpose
from agent.live.requests import Around
from agent.live.rows import health_of, id_of
from agent.model.canonical import digest
from agent.model.change import Action, Change, FieldChange, FieldOp
from agent.model.outcome import Outcome, Result
from agent.model.resource import Present, Resource
from agent.plan.compare import Comparison
from agent.plan.compose import MISSING, compose_create, compose_unmarked, compose_update, value_at
from agent.plan.cost import is_thin
from agent.plan.elsewhere import described, wired
from agent.plan.ground import BESIDES, CREATING, PREDECESSOR
from agent.plan.prune import is_ours
from agent.plan.quiet import digest_at, unkept
from agent.plan.rules import RuleBook, split_pointer

# An observation older than this is renewed right before the write (seconds).
LOOK_LASTS = 10.0


class Writer:
    """The writes of one pass."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.following = Following(work)

    async def replace(self, change: Change) -> Outcome:
        """Delete and create, in the order that the platform needs."""
        kind = self.work.ground.platform.kinds[change.key.kind]
        if kind.replace != "createFirst":
            await self._ready_to_create(change)
            gone = await self.delete(change)
            return await self.create(change) if gone.result is Result.DONE else gone
        before = self.work.ground.rows.get(change.key)
        old = self._predecessor(change)
        if old is not None:  # an earlier pass made the new one and came no further
            return await self._retire(change, kind, old)
        if before is None or before.server_id is None:
            return moved_on(change, "the object that it replaces has no id of its own")
        made = await self.create(change, predecessor=before.server_id)
        if made.result is not Result.DONE:
            return made
        retired = await self._retire(change, kind, before.server_id)
        return made if retired.result is Result.DONE else retired

    async def _ready_to_create(self, change: Change) -> None:
        """Everything that a create needs of others is had before what it replaces is taken away. Raises AgentError."""
        kind, resource, book = self._parts(change)
        spec, _ = await self._wired(change, resource, book)
        self.work.secrets.revealed(spec)
        if kind.create is not None:
            await self.work.step.relatives.parents(kind, kind.create, change.key)

    async def _retire(self, change: Change, kind: Kind, old: str) -> Outcome:
        """Take away what was replaced. Until that is proved, the store remembers that it is still there."""
        work, resource = self.work, self.work.desired.resources.get(change.key)
        row = work.step.row(change.key)
        if row is None:
            return moved_on(change, "it is not in the inventory")
        sent = await work.step.send(
            change, "delete", kind, old, None, row=row, applied=None, base=None, intent_action=RETIRE
        )
        if sent.result is not Result.DONE:
            return partly(sent.outcome(change), "made anew, but what it replaces was not deleted")
        reply = (await look_at(work.api, kind, change.key, old, Purpose.CONFIRM, uid=None)).reply
        if reply.answer == "notFound" or (reply.answer == "ok" and health_of(kind, reply.item) == "gone"):
            document = work.step.document(change.key) or work.ground.applied.get(change.key, {})
            rest = {name: value for name, value in document.items() if name != PREDECESSOR}
            # Git may have moved on since the new one was made; then the next pass goes on from what was applied.
            as_git = resource is not None and document.get("spec") == work.ground.written(resource)
            row = replace(row, applied_digest=resource.digest if as_git and resource is not None else None)
            work.step.remember(row, rest, in_sync=row.in_sync)
        return sent.outcome(change)

    async def create(self, change: Change, *, predecessor: str | None = None) -> Outcome:
        work, kind, resource, book = self.work, *self._parts(change)
        content = work.ground.content(resource) if kind.is_run else None
        earlier = self._earlier(change, kind, predecessor)
        if change.action is not Action.REPLACE and self._aged():
            looked = await look_at(
                work.api, kind, change.key, None, Purpose.LOOK, uid=change.uid, content=content, besides=earlier
            )
            reply = looked.reply
            work.step.looked(change.key)
            if reply.answer != "notFound":
                return moved_on(change, "it is there now" if reply.answer == "ok" else reply.message or reply.answer)
        spec, document = await self._wired(change, resource, book)
        if kind.ready is not None:
            document = {**document, CREATING: True}
        if earlier:
            document = {**document, BESIDES: list(earlier)}
        if predecessor is not None:
            document = {**document, PREDECESSOR: predecessor}
        row = row_after(self.work, change, resource, None, proof="created")
        if predecessor is not None:
            row = replace(row, applied_digest=None)  # not all of the change is done before that one is gone
        goal = Goal(change, kind, resource, book, row, document, None)
        written = tuple(place for place in book.vias if value_at(document["spec"], place) is not MISSING)
        owed = Owed(written, is_thin(kind))
        verb: Verb = "create" if kind.create is not None else "apply"
        body = compose_create(book, spec, self.following.mark(change, content))
        sent = await work.step.send(
            change,
            verb,
            kind,
            None,
            body,
            row=owed.row(goal.row),
            applied=owed.document(document, None),
            base=None,
            around=Around(content=content),
        )
        return await self.following.finished(goal, sent, owed)

    def _predecessor(self, change: Change) -> str | None:
        """What an earlier replacement left to be taken away."""
        old: str | None = self.work.ground.applied.get(change.key, {}).get(PREDECESSOR)
        return old

    def _earlier(self, change: Change, kind: Kind, predecessor: str | None) -> tuple[str, ...]:
        """Ids of what must not be taken for the object that is about to be made: it may look just like it."""
        if predecessor is not None:
            return (predecessor,)
        seen = self.work.observed.of(change.key)
        if not kind.is_run or not isinstance(seen, Present):
            return ()
        return tuple(each for each in (seen.id, *seen.others) if each is not None)

    async def update(self, change: Change, *, again: bool = False) -> Outcome:
        """An update, or an adoption: the same write, with another proof. ``again``: it has met a conflict once."""
        work, kind, resource, book = self.work, *self._parts(change)
        was = change.moved_from or change.key
        seen = work.observed.of(was)
        there = seen.live if isinstance(seen, Present) else None
        if not isinstance(seen, Present) or there is None:
            return moved_on(change, "it was not read")
        live, etag = there, None
        operation = kind.update or kind.apply
        if self._aged() or (operation is not None and operation.if_match):
            reply = (await look_at(work.api, kind, was, change.server_id, Purpose.LOOK, uid=change.uid)).reply
            work.step.looked(change.key)
            if reply.answer != "ok":
                return moved_on(change, reply.message or reply.answer)
            if owner_of(kind, reply.item, change.uid) != seen.owner or id_of(kind, reply.item) != seen.id:
                return moved_on(change, "it has another owner or identity now")
            live, etag = reply.item, reply.headers.get("etag")
        row = work.ground.rows.get(was)
        before = work.ground.applied.get(was, {}).get("spec") if row is not None else None
        found = work.ground.compared(resource, before, live, row)
        new = beside(found, {field.pointer for field in change.fields})
        moved = self._moved(change, found, new, reread=live is not there)
        if moved is not None:
            return moved_on(change, f"`{moved.path}` changed meanwhile")
        mark = self.following.mark(change, work.ground.content(resource) if kind.is_run else None)
        proof = row.proof if row is not None else "rebuilt" if seen.owner == change.uid else "adopted"
        after = row_after(self.work, change, resource, row, proof=proof, server_id=seen.id)
        marked = mark is None or seen.owner == change.uid
        if change.action is Action.ADOPT and found.same and marked:
            work.step.remember(after, work.ground.document(resource, work.ground.wires(change.key)))
            told = "recorded; nothing had to be sent"
            return Outcome(change, Result.DONE, message=told, ready=seen.health == "ready")
        written = [split_pointer(field.pointer) for field in change.fields if field.op is not FieldOp.RELEASE]
        owed = Owed(tuple(place for place in book.vias if place in written))
        if marked and written and all(place in book.vias for place in written):
            document = work.ground.document(resource, work.ground.sent(change.key))
            goal = Goal(change, kind, resource, book, after, document, before)
            return await self.following.owing(goal, owed, Confirmed(after, seen.health, "", live, found))
        keep = {field.pointer for field in new} | {*resource.lifecycle.ignore, *resource.lifecycle.create_only}
        if row is not None and (not_kept := unkept(row, work.ground.platform)):
            asked = work.ground.written(resource)
            keep |= {pointer for pointer, told in not_kept.items() if told == digest_at(asked, pointer)}
        spec, document = await self._wired(change, resource, book)
        goal = Goal(change, kind, resource, book, after, document, before)
        body = compose_update(
            book,
            spec,
            None if before is None else wired(book, before, work.ground.sent(change.key)),
            live,
            mark=mark,
            keep=keep,
            named=top_level(kind.schema),
            only=changed(kind, planned_of(change), mark),
            alone=seen.owner not in (None, change.uid),
        )
        sent = await self.following.send_body(goal, owed, body, live, seen.id, etag)
        if etag is not None and sent.result is Result.NOT_DONE and sent.reply.answer == "conflict":
            return contended(sent.outcome(change)) if again else await self.update(change, again=True)
        return await self.following.finished(goal, sent, owed)

    async def release(self, change: Change) -> Outcome:
        """Take our mark off, and nothing else; the inventory forgets the object once that has landed."""
        work, kind, key = self.work, self.work.ground.platform.kinds[change.key.kind], change.key
        row, seen = work.ground.rows.get(key), work.observed.of(key)
        mark = self.following.mark(change, None)
        if row is None or mark is None or not isinstance(seen, Present):
            return moved_on(change, "it is not what was planned any more")
        reply = (await look_at(work.api, kind, key, row.server_id, Purpose.LOOK, uid=row.uid)).reply
        if reply.answer != "ok" or owner_of(kind, reply.item, row.uid) != row.uid:
            return moved_on(change, reply.message or "it no longer carries our mark")
        book = work.ground.books.of(key)
        only = changed(kind, set(), mark)
        body = compose_unmarked(book, reply.item, mark, named=top_level(kind.schema), only=only)
        sent = await work.step.send(
            change,
            "update" if kind.update is not None else "apply",
            kind,
            row.server_id,
            body,
            row=row,
            applied=work.ground.applied.get(key),
            base=digest(work.ground.seen(key, reply.item)),
            around=Around(live=reply.item, etag=reply.headers.get("etag")),
            intent_action=LET_GO,
        )
        if sent.result is Result.DONE:
            work.step.forget(key, tombstone=False)
        return sent.outcome(change, message=change.message)

    async def delete(self, change: Change) -> Outcome:
        work, kind = self.work, self.work.ground.platform.kinds[change.key.kind]
        row = work.ground.rows.get(change.key)
        if row is None:
            return moved_on(change, "it is not in the inventory")
        old = self._predecessor(change) if change.action is Action.DELETE else None
        if old is not None:
            retired = await self._retire(change, kind, old)
            if retired.result is not Result.DONE:
                return retired
        if self._aged():
            reply = (await look_at(work.api, kind, change.key, row.server_id, Purpose.LOOK, uid=row.uid)).reply
            work.step.looked(change.key)
            if reply.answer == "ok":
                there = Present(reply.item, id_of(kind, reply.item), owner_of(kind, reply.item, row.uid))
                if not is_ours(kind, row, there):
                    return moved_on(change, "it no longer carries our mark")
            elif reply.answer != "notFound":
                return moved_on(change, reply.message or reply.answer)
        sent = await work.step.send(change, "delete", kind, row.server_id, None, row=row, applied=None, base=None)
        if sent.result is not Result.DONE:
            outcome = sent.outcome(change)
            if sent.reply.answer == "conflict":
                return replace(outcome, in_use=True, message=sent.reply.message or "another object needs it")
            return outcome
        return await confirm_gone(work, change, sent)

    async def _wired(
        self, change: Change, resource: Resource, book: RuleBook
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The spec as it travels, and the document that the store keeps once it is live."""
        spec = described(book, resource.read(), resource.files)
        wires = await self.work.wiring.wires(change, resource, book, spec) if book.elsewhere else {}
        return wired(book, spec, wires), self.work.ground.document(resource, wires)

    def _parts(self, change: Change) -> tuple[Kind, Resource, RuleBook]:
        return (
            self.work.ground.platform.kinds[change.key.kind],
            self.work.desired.resources[change.key],
            self.work.ground.books.of(change.key),
        )

    def _moved(self, change: Change, found: Comparison, new: list[FieldChange], *, reread: bool) -> FieldChange | None:
        """A leaf that is no longer what the plan, and who approved it, has seen: it is not overwritten."""
        moved = [field for field in new if self._aged() and field.cause.value != "drift"]
        if reread:
            before_of = {field.pointer: field.before for field in change.fields}
            moved += [each for each in found.fields if before_of.get(each.pointer, each.before) != each.before]
        return moved[0] if moved else None

    def _aged(self) -> bool:
        return self.work.clock.monotonic() - self.work.looked_at > LOOK_LASTS


def moved_on(change: Change, why: str) -> Outcome:
    """Not done, because live is not what the plan saw."""
    return Outcome(change, Result.NOT_DONE, code="changed-meanwhile", message=f"{why}; planned again in the next pass")


def beside(found: Comparison, planned: set[str]) -> list[FieldChange]:
    """The differences that the plan does not speak of."""
    return [field for field in found.fields if field.pointer not in planned]


def contended(outcome: Outcome) -> Outcome:
    """Not done, because others changed the object twice between our look and our write; it is never forced."""
    return replace(outcome, code="contention", message="others change it each time that we look and write")


def planned_of(change: Change) -> set[str]:
    """The pointers that a change writes."""
    return {field.pointer for field in change.fields if field.op is not FieldOp.RELEASE}

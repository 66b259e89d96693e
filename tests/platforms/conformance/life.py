"""One manifest's life: made, read back, changed by git and by a person, replaced, removed. All stages in one world."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agent.live.rows import health_of, id_of
from agent.model.change import Action, FieldOp
from agent.plan.normalize import live_spec
from agent.plan.runs import OVER
from agent.reconcile.wish import Wish
from agent.sandbox import Commit, Refusal
from tests.platforms.conformance.derived import (
    again,
    book_of,
    changed,
    foreign_changes,
    immutable_change,
    optional_members,
    reordered,
    via_changes,
    without,
)
from tests.platforms.conformance.emulated import BETWEEN_PASSES, Emulated, Fell, commits_told, told
from tests.platforms.conformance.examples import Document, is_valid
from tests.platforms.conformance.pictures import pictured
from tests.platforms.conformance.wire import READS, Sent

STAGES = ("create", "rest", "update", "sends", "via", "foreign", "reorder", "removed", "replace", "prune")
ENDS_WITH = frozenset({"create", "rest"})
"""Stages without which none of the later ones means anything."""


class Life:
    """The stages of one example, in the order of ``STAGES``."""

    def __init__(self, emulated: Emulated) -> None:
        self.at = emulated
        self.kind = emulated.kind
        self.document: Document = emulated.document
        self.change: Mapping[str, Any] = emulated.example.change
        self.created: Sent | None = None

    async def create(self) -> None:
        """A manifest becomes one object, by one request; beside it there is only what its files become."""
        self.at.commit(self.document)
        await self.at.written(Action.CREATE)
        made = [sent for sent in self.at.wire.sent if sent.makes]
        uploads = {sent.makes for sent in made[:-1]} if self.at.files else set()
        if not made or any(sent.makes == made[-1].makes or sent.makes not in uploads for sent in made[:-1]):
            raise Fell(f"{len(made)} objects were made: {commits_told(self.at.world.commits[self.at.start :])}")
        self.created = made[-1]

    async def rest(self) -> None:
        """Read back, remembered and anew: no difference, no write."""
        await self.at.rest()

    async def update(self) -> None:
        """What git changes changes live, by one update, and then rests; a snapshot would have told the same plan."""
        self.document = changed(self.document, self.change)
        self.at.commit(self.document)
        await pictured(self.at)
        await self.at.written(Action.UPDATE)
        if "changed" not in self.shown():
            raise Fell(f"what was changed is not there: {self.shown()[:300]}")
        await self.at.rest()

    async def sends(self) -> None:
        """An update that says so sends what differs and what the definition adds to every body, nothing else."""
        operation = self.kind.update or self.kind.apply
        assert operation is not None
        request = next(sent for sent in reversed(self.at.wire.sent) if sent.method == operation.method)
        adds = operation.adds.value if operation.adds is not None else {}
        needless = set(json.loads(request.content)) - {*self.change, *adds, *self.at.platform.request_body}
        if needless:
            raise Fell(f"sent although it did not differ: {', '.join(sorted(needless))}")

    async def via(self) -> None:
        """A leaf with endpoints of its own is changed by them, and by nothing else."""
        for change in via_changes(self.at.example, self.document):
            self.document = changed(self.document, change)
            self.at.commit(self.document)
            seen = len(self.at.wire.sent)
            await self.at.written(Action.UPDATE)
            writes = [sent for sent in self.at.wire.sent[seen:] if sent.method not in READS]
            if len(writes) != 1 or writes[0].content:
                raise Fell(f"one call is enough: {[(each.method, each.path) for each in writes]}")
            (name,) = change
            if self.live(self.last()).get(name) != change[name]:
                raise Fell(f"{name} is not {change[name]!r}: {self.shown()[:300]}")
            await self.at.rest()

    async def foreign(self) -> None:
        """What a person adds and git does not write is no drift, and is still there after an update by git."""
        kept = []
        for text, addition in foreign_changes(self.at.example, self.document):
            try:
                self.at.person_edits(addition)
            except Refusal:
                continue  # the platform takes no such member from anybody
            if text in self.shown():
                kept.append(text)
        if not kept:
            raise Fell("the platform keeps nothing that a person adds")
        await self.at.rest()
        self.change = again(self.change)
        self.document = changed(self.document, self.change)
        self.at.commit(self.document)
        await self.at.written(Action.UPDATE)
        lost = [text for text in kept if text not in self.shown()]
        if lost or "changed again" not in self.shown():
            raise Fell(f"gone after an update: {lost}; live is {self.shown()[:300]}")
        await self.at.rest()

    async def reorder(self) -> None:
        """Elements of a set, or of a list with keys, in another order are no difference: neither in git nor live."""
        found = reordered(self.at.example, self.document)
        assert found is not None
        document, place = found
        if document != self.document:
            self.at.commit(document)
            await self.at.written(Action.UPDATE)
            await self.at.rest()
        turned = json.loads(json.dumps(document))
        parent = turned["spec"]
        for step in place[:-1]:
            parent = parent[step]
        parent[place[-1]].reverse()
        self.at.commit(turned)
        await self.at.rest()
        self.document = turned
        live = self.live(self.last())
        for step in place:
            live = live[step]
        addition: Any = list(reversed(live))
        for step in reversed(place):
            addition = {step: addition}
        self.at.person_edits(addition)
        await self.at.rest()

    async def removed(self) -> None:
        """A leaf that leaves git is released: it stays live, through an update too, and the plan says so."""
        names = [name for name in optional_members(self.at.example, self.document) if name not in self.change]
        while not is_valid(self.at.example, without(self.document, *names)):
            names.pop()  # each may go, but not all of them
        if names:
            await self._removed_with_an_update(names)
        for name in self.change:
            if name in optional_members(self.at.example, self.document):
                await self._removed_alone(name)

    async def _removed_with_an_update(self, names: Sequence[str]) -> None:
        before, written = self.live(self.last()), self.document["spec"]
        self.change = again(self.change)
        self.document = changed(without(self.document, *names), self.change)
        self.at.commit(self.document)
        report = await self.at.written(Action.UPDATE)
        planned = [field.pointer for field in report.outcomes[0].change.fields]
        live = self.live(self.last())
        for name in names:
            if not any(pointer.startswith(f"/{name}") for pointer in planned):
                raise Fell(f"the plan does not tell that {name} has left git: {told(report)}")
            rule, expected = book_of(self.at.example).at((name,)), before.get(name)
            if rule.has_default:
                expected = rule.default
            elif rule.list == "set" and rule.own == "listed":
                expected = [value for value in before[name] if value not in written[name]]
            if live.get(name) != expected:
                raise Fell(f"{name} left git and became {live.get(name)!r} instead of {expected!r}")
        await self.at.rest()

    async def _removed_alone(self, name: str) -> None:
        if book_of(self.at.example).at((name,)).has_default:
            return
        before = self.live(self.last())[name]
        self.document = without(self.document, name)
        self.at.commit(self.document)
        seen = len(self.at.wire.sent)
        report = await self.at.one_pass()
        self.at.wrote_nothing_since(seen)
        quiet = [each.path for each in report.plan.suppressed] if report.plan is not None else []
        fields = [field for outcome in report.outcomes for field in outcome.change.fields]
        released = [field.path for field in fields if field.op is FieldOp.RELEASE]
        if not any(path.startswith(name) for path in (*quiet, *released)):
            raise Fell(f"the plan does not tell that {name} has left git: {quiet} {told(report)}")
        if self.live(self.last()).get(name) != before:
            raise Fell(f"{name} left git and is not what it was: {self.shown()[:300]}")
        await self.at.rest()

    async def replace(self) -> None:
        """What cannot change in place is held; only where kind and manifest allow it the object is replaced, once.

        A run that is over is in nobody's way: another one follows it without being allowed to.
        """
        change = immutable_change(self.at.example) or self.change
        self.document = changed(self.document, change)
        self.at.commit({name: value for name, value in self.document.items() if name != "lifecycle"})
        if self._is_over():
            await self.at.written(Action.CREATE)
            await self.at.rest()
            return
        possible = self.kind.replace != "never" and self.kind.delete is not None
        await self.at.held("ReplaceNotAllowed" if possible else "CannotReplace")
        self.at.commit(self.document)
        if not possible:
            await self.at.held("CannotReplace")
            return
        await self.at.written(Action.REPLACE)
        await self.at.rest()

    async def prune(self) -> None:
        """A manifest that leaves git takes its object along, and then is forgotten; without a delete it stays.

        Of a run that is over nothing is left to take along.
        """
        self.at.commit()
        wish = Wish(confirm_deletes=1, careful=True)
        await pictured(self.at)
        if self._is_over():
            seen = len(self.at.wire.sent)
            report = await self.at.one_pass(wish)
            self.at.wrote_nothing_since(seen)
            if [each.change.action for each in report.outcomes] != [Action.RELEASE]:
                raise Fell(f"not let go: {told(report) or 'nothing was planned'}")
            return
        if self.kind.delete is None:
            await self.at.held("CannotDelete", wish)
            return
        seen = len(self.at.world.commits)
        await self.at.written(Action.DELETE, wish)
        commits = self.at.world.commits[seen:]
        assert self.created is not None
        if not any(commit.type == self.created.makes for commit in commits):
            raise Fell(f"something else was deleted: {commits_told(commits)}")
        await self.at.clock.sleep(BETWEEN_PASSES)
        report = await self.at.one_pass(wish)
        if report.outcomes:
            raise Fell(f"not forgotten: {told(report)}")

    # What is there

    def last(self) -> Commit:
        return next(commit for commit in reversed(self.at.world.commits) if commit.after is not None)

    def _is_over(self) -> bool:
        """Whether the emulator shows a run that has ended by now."""
        if self.kind.mark is None or not self.kind.mark.is_run:
            return False
        identity = id_of(self.kind, self.last().after)
        rows = [row for row in self.at.world.resources() if id_of(self.kind, row) == identity]
        return bool(rows) and health_of(self.kind, rows[0]) in OVER

    def shown(self) -> str:
        """The object as reads show it, decoded where the definition says how."""
        return json.dumps([self.last().after, self.live(self.last())], ensure_ascii=False, default=str)

    def live(self, commit: Commit) -> dict[str, Any]:
        return live_spec(book_of(self.at.example), commit.after or {})

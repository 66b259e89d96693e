"""Decisions of a pass as they are collected: each a change or a hold, with what applying it may send. Pure.

The ground of ``decide``, which says what is to happen; this says how a decision is written down.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.model.change import WRITES, Action, Cause, Change, FieldChange, Suppressed
from agent.model.identity import Key, uid_of
from agent.model.resource import Present, Resource
from agent.plan.cost import Elsewhere, calls_of_look, requests_of
from agent.plan.elsewhere import described, files_in, references_in
from agent.plan.ground import PREDECESSOR, Ground
from agent.plan.prune import PROTECTED


@dataclass(slots=True)
class Decisions:
    """``changes``, the keys that ``agreed``, what was ``suppressed``, and keys that are ``settling``, with a path."""

    ground: Ground
    changes: list[Change] = field(default_factory=list)
    suppressed: list[Suppressed] = field(default_factory=list)
    settling: list[tuple[Key, str]] = field(default_factory=list)
    agreed: list[Key] = field(default_factory=list)

    def hold(
        self,
        resource: Resource,
        would: Action | None,
        reason: str,
        message: str,
        fields: tuple[FieldChange, ...] = (),
        *,
        configured: bool = False,
    ) -> None:
        self.changes.append(
            Change(
                resource.key,
                Action.HOLD,
                origin=resource.origin,
                fields=fields,
                would=would,
                reason=reason,
                message=message,
                configured=configured,
            )
        )

    def add(
        self,
        resource: Resource,
        action: Action,
        cause: Cause,
        fields: tuple[FieldChange, ...] = (),
        *,
        seen: Present | None = None,
        configured: bool = False,
        message: str = "",
        proof: str = "",
        moved_from: Key | None = None,
    ) -> None:
        if action is Action.REPLACE and self.is_protected(resource):
            why = "protected; lift `protect` in one commit, make this change in a later one"
            self.hold(resource, action, PROTECTED, f"{message}; {why}", fields)
            return
        kind = self.ground.platform.kinds[resource.key.kind]
        book = self.ground.books.of(resource.key)
        elsewhere = self.elsewhere(resource) if book.elsewhere and action in WRITES else Elsewhere()
        requests = requests_of(action, kind, book, fields, elsewhere, self.ground.pages.get(kind.name, 1))
        self.changes.append(
            Change(
                resource.key,
                action,
                cause,
                resource.origin,
                fields,
                server_id=seen.id if seen is not None else None,
                uid=uid_of(self.ground.platform.name, resource.key),
                calls=requests.calls_max,
                requests=requests,
                configured=configured,
                message=message,
                proof=proof,
                moved_from=moved_from,
            )
        )

    def is_protected(self, resource: Resource) -> bool:
        """Whether its object must stay: by the manifest or by an earlier one. What was replaced already may go."""
        row = self.ground.rows.get(resource.key)
        if PREDECESSOR in self.ground.applied.get(resource.key, {}):
            return False
        return resource.lifecycle.protect or (row is not None and row.protect)

    def elsewhere(self, resource: Resource) -> Elsewhere:
        """What the leaves of a spec that travel in another form may cost."""
        book, kinds, pages = self.ground.books.of(resource.key), self.ground.platform.kinds, self.ground.pages
        spec = described(book, resource.read(), resource.files)
        named = {(ref.kind, name) for _, ref, name in references_in(book, spec)}
        looks = sum(calls_of_look(kinds[kind], pages.get(kind, 1), known=False) for kind, _ in named)
        return Elsewhere(len({(pointer, text) for pointer, _, text in files_in(book, spec)}), looks)

"""What is there and not ours yet, or ours no longer: by the target's rule, a person's word, or another target. Pure.

A part of ``decide``: an adoption writes in place, and never replaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.definitions.platform import Kind
from agent.errors import AgentError
from agent.model.change import Action, Cause
from agent.model.inventory import InventoryRow
from agent.model.ownership import Word
from agent.model.resource import Observation, Present, Resource
from agent.plan.compare import Comparison
from agent.plan.decisions import Decisions
from agent.plan.handover import Handed
from agent.plan.ownership import OUTDATED, RELEASED, consent_digest, letting_go
from agent.plan.rules import split_pointer


class Adoptions(Decisions):
    """Decisions about whose an object is."""

    def foreign(self, resource: Resource, kind: Kind, found: Comparison, seen: Present) -> None:
        """There, unmarked, not in the inventory: the target's ``adopt`` rule decides."""
        word = self.ground.words.get(resource.key)
        if word is not None:
            self.agreed_to(resource, kind, found, seen, word)
            return
        rule = self.ground.policy.adopt
        if rule == "always" or (rule == "ifIdentical" and found.same):
            why_not = self.not_adoptable(resource, kind, found)
            if why_not:
                self.hold(resource, Action.ADOPT, "NotAdoptable", why_not, tuple(found.fields))
                return
            written = "the ownership mark is written" if kind.mark is not None else "the inventory records it"
            message = f"identical to git; only {written}" if found.same else ""
            self.add(resource, Action.ADOPT, Cause.ADOPT, tuple(found.fields), seen=seen, message=message)
            return
        why = {
            "never": "exists and is not managed; `adopt: never`",
            "ifMarked": "exists without our mark; `adopt: ifMarked`",
            "ifIdentical": f"exists, not managed; {_differ(len(found.fields))} from git; `adopt: ifIdentical`",
        }[rule]
        self.hold(resource, Action.ADOPT, "Conflict", f"{why}; {_adopt(resource)}", tuple(found.fields))

    def owned_by_other(self, resource: Resource, kind: Kind, seen: Present, live: Mapping[str, Any]) -> None:
        """Another target's, or another installation's: only a person may take it over."""
        word = self.ground.words.get(resource.key)
        if word is None:
            why = "the live object carries another owner's mark; it is left alone"
            self.hold(resource, Action.ADOPT, "OwnedByOther", f"{why}; {_adopt(resource)}")
            return
        try:
            found = self.ground.compared(resource, None, live, None)
        except AgentError as problem:
            self.hold(resource, Action.ADOPT, "SecretUnavailable", problem.what)
            return
        self.agreed_to(resource, kind, found, seen, word)

    def agreed_to(self, resource: Resource, kind: Kind, found: Comparison, seen: Present, word: Word) -> None:
        """An adoption that a person was shown: this very one, or none."""
        why_not = self.not_adoptable(resource, kind, found, named=word.server_id is not None)
        if why_not:
            self.hold(resource, Action.ADOPT, "NotAdoptable", why_not, tuple(found.fields))
            return
        message = "identical to git" if found.same else ""
        if seen.owner is not None:
            message = f"{message or 'taken over'}; another owner's mark makes way for ours"
        self.add(resource, Action.ADOPT, Cause.ADOPT, tuple(found.fields), seen=seen, message=message)
        change = self.changes[-1]
        if word.digest not in (None, consent_digest(change, seen)):
            why = f"what {word.who} agreed to take over has changed since; {_adopt(resource)}"
            self.changes[-1] = change.held(OUTDATED, why)

    def taken_over(
        self,
        resource: Resource,
        kind: Kind,
        row: InventoryRow,
        seen: Present,
        live: Mapping[str, Any],
        handed: Handed,
    ) -> None:
        """Another target of the same system owned it, and git has moved its manifest here."""
        applied = self.ground.applied.get(resource.key, {}).get("spec")
        try:
            found = self.ground.compared(resource, applied, live, row)
        except AgentError as problem:
            self.hold(resource, Action.ADOPT, "SecretUnavailable", problem.what)
            return
        why_not = self.not_adoptable(resource, kind, found, named=True)
        if why_not:
            self.hold(resource, Action.ADOPT, "NotAdoptable", why_not, tuple(found.fields))
            return
        heals = self.ground.policy.drift_of(resource) == "heal"
        fields = [change for change in found.fields if heals or change.cause is not Cause.DRIFT]
        told = f"handed over by target {handed.key.target}"
        message = told if fields else f"{told}, as it is"
        self.add(resource, Action.ADOPT, Cause.MOVE, (*fields, *found.released), seen=seen, message=message, proof=told)

    def left_elsewhere(self, resource: Resource) -> None:
        """Runs carry their owner in what cannot be changed: a second one must not be started for the same content."""
        former = self.ground.handover.handed[resource.key].key
        why = f"its run is that of target {former.target}, and the mark of a run cannot change"
        way = f"`datakeel release {former.path} --target {former.target}` lets that one be, and one is started here"
        self.hold(resource, Action.CREATE, "HandedOver", f"{why}; {way}")

    def released(self, resource: Resource, kind: Kind, row: InventoryRow | None, seen: Observation, word: Word) -> None:
        """A person let it go, though its manifest is still there: it is not taken over again by itself."""
        if row is not None:
            book = self.ground.books.of(resource.key)
            self.changes.append(letting_go(row, kind, book, seen, word, resource.origin))
            return
        way = f"take its manifest out of git, or `datakeel adopt {resource.key.path}` takes it back"
        self.hold(resource, Action.ADOPT, RELEASED, f"let go by {word.who}; {way}", configured=True)

    def not_adoptable(self, resource: Resource, kind: Kind, found: Comparison, *, named: bool = False) -> str:
        """Why consent is not enough, "" when it is: an adoption writes in place and never replaces.

        ``named``: a person named the object by its id.
        """
        if not kind.unique and kind.mark is None and not named:
            return "its name identifies nothing, so only its id says which is meant"
        if found.immutable:
            return f"`{found.immutable[0].path}` cannot change in place, and an adoption never replaces"
        vias = self.ground.books.of(resource.key).vias
        by_update = kind.mark is not None or not all(split_pointer(each.pointer) in vias for each in found.fields)
        if by_update and kind.update is None and kind.apply is None:
            return f"{kind.name} cannot be updated, and an adoption never replaces"
        return ""


def _adopt(resource: Resource) -> str:
    return f"`datakeel adopt {resource.key.path}` shows what taking it over would change, and allows it once"


def _differ(fields: int) -> str:
    return "1 field differs" if fields == 1 else f"{fields} fields differ"

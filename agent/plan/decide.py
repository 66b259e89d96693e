"""One resource -> one decision: what must happen to it, or why nothing may.

Called by ``planner`` for every resource of a target. Unknown holds, Absent must have been proved, ownership too.
"""

from __future__ import annotations

from agent.definitions.platform import Kind
from agent.errors import AgentError
from agent.model.change import Action, Cause, FieldChange, FieldOp, Suppressed
from agent.model.identity import Key, uid_of
from agent.model.inventory import InventoryRow
from agent.model.resource import Absent, Observation, Present, Resource, Unknown
from agent.plan.adoptions import Adoptions
from agent.plan.compare import Comparison
from agent.plan.flapping import dispute, flapping
from agent.plan.ground import PREDECESSOR
from agent.plan.normalize import public
from agent.plan.prune import is_ours
from agent.plan.rules import split_pointer
from agent.plan.runs import OVER

UNPROVED = "absence-unproved"
"""Code of an Unknown that a person may overrule by applying the plan: nothing shows the object or disproves it."""


class Decider(Adoptions):
    """Decides one resource after the other."""

    def decide(self, resource: Resource, seen: Observation) -> bool:
        """Decide one resource; False when nothing is to be done."""
        key = resource.key
        row = self.ground.rows.get(key)
        if (
            isinstance(seen, Present)
            and not seen.is_read
            and row is not None
            and row.in_sync
            and row.applied_digest == resource.digest
            and key not in self.ground.deciding
        ):
            return False
        before = len(self.changes)
        kind = self.ground.platform.kinds[key.kind]
        word = self.ground.words.get(key)
        if word is not None and word.verb == "release" and key not in self.ground.deciding:
            self.released(resource, kind, row, seen, word)
            return True
        if isinstance(seen, Unknown) and seen.code == UNPROVED and self.ground.policy.careful:
            seen = Absent("never-made", self.ground.now)
        if key in self.ground.deciding:
            self.hold(resource, None, "NeedsDecision", self.ground.deciding[key])
        elif not kind.managed:
            self.require(resource, seen)
        elif kind.is_run and key in self.ground.handover.handed:
            self.left_elsewhere(resource)
        elif isinstance(seen, Unknown):
            self.hold(resource, None, "Unknown", f"live state unknown: {seen.message}")
        elif isinstance(seen, Absent):
            self.absent(resource, kind, row)
        elif kind.is_run:
            self.run(resource, kind, row, seen)
        elif not seen.is_read:
            self.unread(resource, row, seen)
        elif seen.health == "gone":
            self.hold(
                resource, Action.CREATE, "GoneElsewhere", "deleted on the platform, but the name may still be taken"
            )
        else:
            self.present(resource, kind, row, seen)
        return len(self.changes) > before

    def unread(self, resource: Resource, row: InventoryRow | None, seen: Present) -> None:
        """What differs from git, or may, and was not read: only drift that was reported is looked at less often."""
        told = row.reported if row is not None and not row.in_sync else None
        if told is None or told.gone or told.manifest != resource.digest:
            self.hold(resource, None, "Unknown", "its content was not read in this pass")
            return
        self.report(resource, told.fields, seen)

    def report(self, resource: Resource, drift: tuple[FieldChange, ...], seen: Present) -> None:
        told = "reported, not healed (drift: report)"
        self.add(resource, Action.NONE, Cause.DRIFT, drift, seen=seen, configured=True, message=told)

    def require(self, resource: Resource, seen: Present | Absent | Unknown) -> None:
        if not isinstance(seen, Present):
            self.hold(resource, None, "NotThere", "this kind is only observed, and the object is not there")

    def absent(self, resource: Resource, kind: Kind, row: InventoryRow | None) -> None:
        if PREDECESSOR in self.ground.applied.get(resource.key, {}):
            told = "what was made anew is gone, and what it replaced is still there"
            self.add(resource, Action.REPLACE, Cause.DRIFT, message=told)
            return
        operation = kind.create or kind.apply
        unverified = self.ground.policy.unverified(kind, "create" if kind.create else "apply", operation)
        if unverified is not None:
            self.hold(
                resource,
                Action.CREATE,
                "Unverified",
                f"{unverified}; `confirmed: [{kind.name}]` in the target allows it",
            )
            return
        mode = self.ground.policy.drift_of(resource)
        if row is not None and mode != "heal" and row.applied_digest == resource.digest:
            self.add(
                resource,
                Action.NONE,
                Cause.DRIFT,
                configured=True,
                message="deleted live; reported, not healed (drift)",
            )
            return
        try:
            fields = tuple(self.first_fields(resource))
        except AgentError as problem:
            self.hold(resource, Action.CREATE, "SecretUnavailable", problem.what)
            return
        self.add(resource, Action.CREATE, Cause.GIT if row is None else Cause.DRIFT, fields)

    def first_fields(self, resource: Resource) -> list[FieldChange]:
        return [
            FieldChange(name, "/" + name, FieldOp.ADD, Cause.GIT, None, public(value))
            for name, value in self.ground.written(resource).items()
        ]

    def run(self, resource: Resource, kind: Kind, row: InventoryRow | None, seen: Present) -> None:
        """A run of ours is there. The same content is left alone, however it ended; another one follows it."""
        applied = self.ground.applied.get(resource.key, {}).get("spec")
        try:
            found = self.ground.compared(resource, applied, seen.live, row)
        except AgentError as problem:
            self.hold(resource, Action.CREATE, "SecretUnavailable", problem.what)
            return
        fields = tuple(found.fields)
        if found.same and row is not None:
            self.agreed.append(resource.key)
        elif found.same:
            told = "started from what git says and marked as ours; only the inventory records it"
            self.add(resource, Action.ADOPT, Cause.ADOPT, seen=seen, message=told, proof="our mark")
        elif seen.health in OVER:
            self.add(resource, Action.CREATE, Cause.GIT, fields, message=f"the run before it is over ({seen.health})")
        elif not resource.lifecycle.replace and kind.replace != "never":
            why = "the run before it goes on; it waits, or `lifecycle.replace: allow` cancels that one"
            self.hold(resource, Action.REPLACE, "ReplaceNotAllowed", why, fields)
        elif row is None or kind.replace == "never" or kind.delete is None:
            self.hold(resource, Action.REPLACE, "RunGoesOn", "waits for the run before it to end", fields)
        else:
            self.add(resource, Action.REPLACE, Cause.GIT, fields, seen=seen, message="the run before it is cancelled")

    def present(self, resource: Resource, kind: Kind, row: InventoryRow | None, seen: Present) -> None:
        live = seen.live or {}
        uid = uid_of(self.ground.platform.name, resource.key)
        handed = self.ground.handover.handed.get(resource.key)
        if handed is not None and row is not None and (kind.mark is None or seen.owner in (uid, handed.uid)):
            self.taken_over(resource, kind, row, seen, live, handed)
            return
        if seen.owner is not None and seen.owner != uid:
            self.owned_by_other(resource, kind, seen, live)
            return
        ours = row is not None and is_ours(kind, row, seen)
        by_mark = row is None and seen.owner == uid
        applied = self.ground.applied.get(resource.key, {}).get("spec") if ours else None
        try:
            found = self.ground.compared(resource, applied, live, row)
        except AgentError as problem:
            self.hold(resource, Action.UPDATE, "SecretUnavailable", problem.what)
            return
        self.note_quiet(resource.key, found)
        if ours or by_mark:
            self.managed(resource, kind, row, found, seen)
        else:
            self.foreign(resource, kind, found, seen)

    def managed(
        self, resource: Resource, kind: Kind, row: InventoryRow | None, found: Comparison, seen: Present
    ) -> None:
        if row is None:  # the store was lost; the mark proves that the object is ours
            told = "" if found.fields else "identical to git and marked as ours; only the inventory records it"
            fields = tuple(found.fields)
            why_not = self.not_adoptable(resource, kind, found) if fields else ""
            if why_not:
                self.hold(resource, Action.ADOPT, "NotAdoptable", why_not, fields)
                return
            self.add(resource, Action.ADOPT, Cause.ADOPT, fields, seen=seen, message=told, proof="our mark")
            return
        if PREDECESSOR in self.ground.applied.get(resource.key, {}):
            told = "made anew; what it replaces is still there"
            self.add(resource, Action.REPLACE, Cause.GIT, seen=seen, message=told)
            return
        drift = [change for change in found.fields if change.cause is Cause.DRIFT]
        wanted = [change for change in found.fields if change.cause is not Cause.DRIFT]
        mode = self.ground.policy.drift_of(resource)
        if not wanted and drift and row.settle_until is not None and self.ground.now < row.settle_until:
            # Reads may still lag behind our own write: an unexpected value is not drift yet.
            self.settling.append((resource.key, drift[0].path))
            return
        if not wanted and (not drift or mode == "off"):
            self.agreed.append(resource.key)
            for change in found.released:
                self.suppressed.append(
                    Suppressed(resource.key, change.path, "released: gone from git, stays live", "git")
                )
            return
        if not wanted and mode == "report":
            self.report(resource, tuple(drift), seen)
            return
        kept = self.undisputed(resource, row, drift) if mode == "heal" else drift
        if not wanted and not kept:
            self.hold(resource, Action.UPDATE, "Flapping", dispute(drift), tuple(drift))
            return
        drift = kept
        fields = (*wanted, *(drift if mode == "heal" else ()), *found.released)
        cause = _cause(wanted) if wanted else Cause.DRIFT
        immutable = [change for change in found.immutable if change in fields]
        book = self.ground.books.of(resource.key)
        by_update = not all(split_pointer(change.pointer) in book.vias for change in (*wanted, *drift))
        if immutable or (kind.update is None and kind.apply is None and by_update):
            self.replace(resource, kind, fields, immutable, cause, seen)
            return
        operation = kind.update or kind.apply
        unverified = self.ground.policy.unverified(kind, "update" if kind.update else "apply", operation)
        if unverified is not None:
            self.hold(
                resource, Action.UPDATE, "Unverified", f"{unverified}; `confirmed: [{kind.name}]` allows it", fields
            )
            return
        self.add(resource, Action.UPDATE, cause, fields, seen=seen)

    def undisputed(self, resource: Resource, row: InventoryRow, drift: list[FieldChange]) -> list[FieldChange]:
        """The drift without leaves that somebody else writes as well; those are told."""
        disputed = flapping(row, drift, self.ground.now)
        if len(disputed) < len(drift):
            self.suppressed += [Suppressed(resource.key, each.path, "flapping", dispute([each])) for each in disputed]
        return [each for each in drift if each not in disputed]

    def rename(self, resource: Resource, old: Key, seen: Observation) -> None:
        """The object of the old key, given the new name by one update, with whatever else git changes."""
        assert isinstance(seen, Present)
        kind, row = self.ground.platform.kinds[old.kind], self.ground.rows[old]
        try:
            found = self.ground.compared(resource, self.ground.applied.get(old, {}).get("spec"), seen.live, row)
        except AgentError as problem:
            self.hold(resource, Action.UPDATE, "SecretUnavailable", problem.what)
            return
        heals = self.ground.policy.drift_of(resource) == "heal"
        differs = [change for change in found.fields if heals or change.cause is not Cause.DRIFT]
        name = FieldChange("metadata.name", "/metadata/name", FieldOp.CHANGE, Cause.MOVE, old.name, resource.key.name)
        fields = (name, *differs, *found.released)
        unverified = self.ground.policy.unverified(kind, "update", kind.update)
        if found.immutable:
            why = f"`{found.immutable[0].path}` cannot change in place; make that change and the move in two commits"
            self.hold(resource, Action.UPDATE, "MoveHeld", why, fields)
        elif unverified is not None:
            why = f"{unverified}; `confirmed: [{kind.name}]` allows it"
            self.hold(resource, Action.UPDATE, "Unverified", why, fields)
        else:
            told = f"renamed in place: it was {old.name}"
            self.add(resource, Action.UPDATE, Cause.MOVE, fields, seen=seen, message=told, moved_from=old)

    def replace(
        self,
        resource: Resource,
        kind: Kind,
        fields: tuple[FieldChange, ...],
        immutable: list[FieldChange],
        cause: Cause,
        seen: Present,
    ) -> None:
        why = f"`{immutable[0].path}` cannot change in place" if immutable else f"{kind.name} cannot be updated"
        if kind.delete is not None and kind.delete.careful is not None:
            why += f"; careful: {kind.delete.careful}"
        if cause is Cause.DRIFT:
            self.hold(resource, Action.REPLACE, "ReplaceForDrift", f"{why}, and drift never replaces", fields)
        elif kind.replace == "never" or kind.delete is None:
            self.hold(
                resource, Action.REPLACE, "CannotReplace", f"{why}, and the platform offers no replacement", fields
            )
        elif not resource.lifecycle.replace:
            self.hold(
                resource, Action.REPLACE, "ReplaceNotAllowed", f"{why}; `lifecycle.replace: allow` lets it", fields
            )
        else:
            self.add(resource, Action.REPLACE, cause, fields, seen=seen, message=why)

    def note_quiet(self, key: Key, found: Comparison) -> None:
        self.suppressed += [Suppressed(key, path, why, rule) for path, why, rule in found.quiet]


def _cause(fields: list[FieldChange]) -> Cause:
    causes = {change.cause for change in fields}
    return causes.pop() if len(causes) == 1 else Cause.GIT

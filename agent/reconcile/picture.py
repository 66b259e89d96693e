"""A plan without a call: live as it was written down, by a snapshot, or as an older revision of git would have it.

Called by the command line for ``diff --offline`` and ``diff --snapshot``. What is compared is in the written form
already, secrets as fingerprints, so that no credential and no secret is needed. Decisions are those of every plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from agent.definitions.platform import Kind
from agent.live.look import scope_of_list
from agent.model.identity import Key, Revision, uid_of
from agent.model.resource import Absent, Desired, Observation, Observed, Present, Resource, Stray, Unknown
from agent.model.suspension import Suspension
from agent.plan.elsewhere import Wires
from agent.plan.ground import Ground
from agent.plan.handover import Handover
from agent.plan.planner import make_plan
from agent.reconcile.grounding import census_of, ground_of
from agent.reconcile.looking import Look
from agent.reconcile.neighbours import crossed
from agent.reconcile.proposal import Proposal, assume_applied, plan_of
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish

Group = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Picture:
    """``seen`` has the ``live`` of what is present in the written form. ``whole`` are lists that lacked what is not in
    it. ``said`` is a sentence on what it is, ``taken_at`` epoch seconds where it is of a moment.
    """

    seen: Mapping[Key, Observation]
    said: str
    whole: frozenset[Group] = frozenset()
    strays: tuple[Stray, ...] = ()
    complete: bool = True
    taken_at: float | None = None
    suspended: tuple[Suspension, ...] = ()

    def of(self, key: Key, kinds: Mapping[str, Kind]) -> Observation:
        """What it says of a key; one that no list showed is absent where a whole list would have shown it."""
        seen = self.seen.get(key)
        if seen is not None:
            return seen
        if any(stray.key == key for stray in self.strays):
            return Unknown("not-in-snapshot", "there and not ours; the snapshot does not say what it is like")
        kind = kinds.get(key.kind)
        if kind is not None and kind.list is not None and group_of(key, kind) in self.whole:
            return Absent("lists", self.taken_at or 0.0)
        return Unknown("not-in-snapshot", "the snapshot says nothing of it")


@dataclass(frozen=True, slots=True)
class PicturedGround(Ground):
    """The same ground, where live is in the written form already.

    A manifest that is as it was applied last is what was applied: a secret that stands in it in clear has the hash that
    it was given then, for nobody here has the key.
    """

    def written(self, resource: Resource, spec: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        row, applied = self.rows.get(resource.key), self.applied.get(resource.key, {})
        if row is not None and row.applied_digest == resource.digest and "spec" in applied:
            known: Mapping[str, Any] = applied["spec"]
            return known
        return super(PicturedGround, self).written(resource, spec)

    def seen(self, key: Key, live: Mapping[str, Any], wires: Wires | None = None) -> Mapping[str, Any]:
        return live


def group_of(key: Key, kind: Kind) -> Group:
    """Kind, and the scope words that its list names: what one list shows."""
    return key.kind, scope_of_list(kind, key)


def revision_as_live(target: Target, proposal: Proposal) -> Picture:
    """Live as the older revision would have it, all of it applied and nothing changed by hand."""
    store = target.store
    assume_applied(target, proposal, server_id=_ANY)
    applied = store.applied(proposal.keys)
    seen: dict[Key, Observation] = {}
    for key in proposal.keys:
        kind = target.platform.kinds.get(key.kind)
        if key in proposal.base.broken:
            seen[key] = Unknown("not-in-snapshot", f"its manifest is invalid in {proposal.base.revision}")
        elif key not in proposal.base.resources or kind is None:
            seen[key] = Absent("never-made", 0.0)
        else:
            owner = uid_of(target.platform.name, key) if kind.mark is not None else None
            live = None if kind.is_run else applied.get(key, {}).get("spec", {})
            seen[key] = Present(live, _ANY, owner, "ready", target.clock.now())
    return Picture(seen, f"{proposal.base.revision}, as if it were live; nothing was asked of the platform")


_ANY = "(its id)"


def look_at_picture(target: Target, picture: Picture, desired: Desired, wish: Wish, proposal: Proposal | None) -> Look:
    """A look that sends nothing. With a ``proposal`` at what that changes, else at everything."""
    rows = target.store.rows(target.name)
    manifests = len(desired.resources)
    keys = None
    if proposal is not None:
        wish = proposal.wish(wish)
        keys = wish.named
    elif wish.selects is not None:
        selects = wish.selects
        keys = frozenset(key for key, each in desired.resources.items() if selects(key, each.origin.path))
        keys |= {key for key, row in rows.items() if key not in desired.resources and selects(key, row.origin_path)}
    desired = crossed(target, desired)
    if keys is not None:
        resources = {key: each for key, each in desired.resources.items() if key in keys}
        desired = replace(desired, resources=resources, broken=desired.broken & keys, required=frozenset())
        rows = {key: row for key, row in rows.items() if key in keys}
    wanted = dict.fromkeys((*desired.resources, *rows, *desired.broken, *desired.required))
    seen = {key: picture.of(key, target.platform.kinds) for key in wanted}
    unknown = any(isinstance(each, Unknown) for each in seen.values())
    observed = Observed(seen, () if keys is not None else picture.strays, {}, {}, complete=not unknown)
    ground = _ground(target, picture, wish, desired.revision, rows, observed, manifests)
    plan = make_plan(desired, observed, ground)
    look = Look(desired, observed, ground, plan, target.clock.monotonic())
    if proposal is not None:
        plan = plan_of(target, proposal, wish.named, look, assumed=False)
    if picture.taken_at is None:  # nobody has looked: what is ours by the revision is ours by no proof
        plan = replace(plan, changes=tuple(replace(change, proof="") for change in plan.changes))
    return replace(look, plan=replace(plan, ground=picture.said, ground_at=picture.taken_at))


def _ground(
    target: Target,
    picture: Picture,
    wish: Wish,
    revision: Revision,
    rows: Mapping[Key, Any],
    observed: Observed,
    manifests: int,
) -> Ground:
    policy = target.policy(
        revision,
        careful=wish.careful,
        confirm_deletes=wish.confirm_deletes,
        confirm_changes=wish.confirm_changes,
        ignore_windows=wish.ignore_windows,
    )
    ground = ground_of(
        target,
        replace(policy, suspended=(*policy.suspended, *picture.suspended)),
        rows,
        observed,
        undecided={},
        references={},
        counted=census_of(target, manifests),
        words=wish.words,
        moving=Handover(),
        waiting={},
        unclaimed={},
        needed={},
    )
    return PicturedGround(**{each.name: getattr(ground, each.name) for each in fields(ground)})

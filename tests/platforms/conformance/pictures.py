"""A snapshot of what is live, and the plan that somebody without a credential makes with it."""

from __future__ import annotations

import random

from agent.apply.secrets import NamedSecrets
from agent.cli.opening import NOWHERE
from agent.live.nowhere import Nowhere
from agent.model.canonical import from_json, to_json
from agent.model.change import Plan
from agent.reconcile.desired import read_desired
from agent.reconcile.looking import look
from agent.reconcile.picture import look_at_picture
from agent.reconcile.snapshot import picture_in, snapshot_of
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.store.store import Store
from tests.platforms.conformance.emulated import Emulated, Fell


async def pictured(at: Emulated) -> None:
    """What git asks for now is planned by the bytes of a snapshot as it is by looking; nothing is sent for it."""
    seen = await look(at.target, Wish(fresh=True, careful=True))
    part = from_json(to_json(snapshot_of(at.target, seen, at.clock.now())))
    sent = len(at.wire.sent)
    store = Store.open(NOWHERE, clock=at.clock, write=False)
    try:
        told = NamedSecrets({}, store.installation_key, follows=False, known=part["secrets"])
        nobody = Target(
            at.target.config,
            at.platform,
            Nowhere(at.platform, "main"),
            at.source,
            store,
            told,
            at.clock,
            random.Random(0),
            at.target.server,
        )
        desired = read_desired(at.source, at.source.fetch(), nobody.config, at.platform, None, nobody.last)
        plan = look_at_picture(nobody, picture_in(part, nobody), desired, Wish(careful=True), None).plan
    finally:
        store.close()
    if len(at.wire.sent) != sent:
        raise Fell("a plan by a snapshot sent something")
    if _said(plan) != _said(seen.plan) or plan.digest != seen.plan.digest:
        raise Fell(f"by a snapshot it is {_said(plan)}, by looking {_said(seen.plan)}")


def _said(plan: Plan) -> list[tuple[str, ...]]:
    return [
        (change.action.value, str(change.key), change.reason, *(f"{each.op} {each.path}" for each in change.fields))
        for change in plan.changes
    ]

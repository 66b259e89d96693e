"""``lifecycle.protect`` outlives its manifest: it is kept in the inventory, and only another manifest takes it away.

Called by ``once``. Protection is raised before anything is looked at, so that a pass which fails has raised it too; it
is lifted after a pass that saw the manifest without it, so that the same commit can never lift it and delete.
"""

from __future__ import annotations

from dataclasses import replace

from agent.model.change import Plan
from agent.model.resource import Desired
from agent.model.stock import restless
from agent.plan.prune import PROTECTED
from agent.reconcile.target import Target


def raise_protection(target: Target, desired: Desired) -> None:
    """Whatever git protects is protected from now on."""
    wanted = [key for key, resource in desired.special.items() if resource.lifecycle.protect]
    if wanted:
        rows = target.store.rows(target.name)
        raised = [replace(rows[key], protect=True) for key in wanted if key in rows and not rows[key].protect]
        if raised:
            target.store.put_rows(raised)


def lift_protection(target: Target, desired: Desired, plan: Plan) -> None:
    """What has a manifest and is not protected by it is free, unless its protection has just refused something."""
    refused = {change.key for change in plan.held if change.reason == PROTECTED}
    lifted = [
        replace(row, protect=False)
        for key, row in restless(target.store.rows(target.name)).items()
        if row.protect
        and key not in refused
        and (resource := desired.resources.get(key)) is not None
        and not resource.lifecycle.protect
    ]
    if lifted:
        target.store.put_rows(lifted)

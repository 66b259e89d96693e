"""One word for the state of each resource, from the manifests, the inventory and the last pass. Pure.

For metrics, whose words are few and fixed; pages have more, which need the plan that waits (``viewing/states``).
``failed`` and ``held`` go before what is only found to differ, since somebody may have to act.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.outcome import Report, Result
from agent.model.resource import Desired

STATES = ("invalid", "failed", "unknown", "held", "drifted", "pending", "in_sync", "leaving")
"""Worst first: its manifest is wrong; a call failed; the end of a call is not known; a change is held; drift is
reported; not live as git says yet; live as git says; ours, and no longer in git."""


def states_of(desired: Desired | None, rows: Mapping[Key, InventoryRow], report: Report | None) -> dict[Key, str]:
    """The state of what git names and of what is ours; only of the latter where git was not read yet."""
    told: dict[Key, str] = {}
    if report is not None and report.plan is not None:
        told |= {change.key: "drifted" for change in report.plan.drift_reported}
        told |= {change.key: "held" for change in report.plan.held}
    for outcome in report.outcomes if report is not None else ():
        if outcome.result in (Result.NOT_DONE, Result.UNKNOWN):
            told[outcome.change.key] = "failed" if outcome.result is Result.NOT_DONE else "unknown"
    named = desired.resources if desired is not None else {}
    found = {key: told.get(key) or _plain(rows.get(key)) for key in named}
    for key, row in rows.items():
        if key not in found:
            found[key] = told.get(key) or ("leaving" if desired is not None else _plain(row))
    return found | dict.fromkeys(desired.broken if desired is not None else (), "invalid")


def _plain(row: InventoryRow | None) -> str:
    return "in_sync" if row is not None and row.in_sync else "pending"

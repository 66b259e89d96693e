"""Values and a clock for the tests of the store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.model.change import Action, Cause, Change, FieldChange, FieldOp
from agent.model.identity import Key, Revision
from agent.model.inventory import Intent, InventoryRow
from agent.model.outcome import Outcome, Report, Result

DAY = 86_400.0


class HandClock:
    """A clock that a test turns."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def key(name: str = "daily-etl", target: str = "analytics") -> Key:
    return Key(target, "Workflow", (("workspace", "sales"),), name)


def row(name: str = "daily-etl", target: str = "analytics", **fields: Any) -> InventoryRow:
    return InventoryRow(key(name, target), uid="abc123def456", **fields)


def intent(op_id: str = "op-1", name: str = "daily-etl", target: str = "analytics") -> Intent:
    return Intent(
        op_id=op_id,
        pass_id="pass-1",
        key=key(name, target),
        action="create",
        method="POST",
        path="/v1/resources/{type}",
        uid="abc123def456",
        server_id=None,
        request_hash="a" * 32,
        base_hash=None,
        revision="f" * 40,
        opened_at=1_700_000_000.25,
        applied_digest="d" * 32,
        epoch=3,
    )


def outcome(result: Result, name: str = "daily-etl", action: Action = Action.UPDATE) -> Outcome:
    fields = (
        FieldChange(
            "workflow.schedule.cron", "/workflow/schedule/cron", FieldOp.CHANGE, Cause.GIT, "1 * * * *", "2 * * * *"
        ),
        FieldChange("password", "/password", FieldOp.CHANGE, Cause.SECRET, sensitive=True, reference="lake-password"),
    )
    return Outcome(Change(key(name), action, fields=fields), result, calls=2, message="it was so")


def report(pass_id: str, *outcomes: Outcome, **fields: Any) -> Report:
    values: dict[str, Any] = {
        "target": "analytics",
        "revision": Revision("f" * 40, "main", author="ann", subject="daily at two"),
        "plan": None,
        "calls": {"write": 1, "look": 2},
        "started_at": 10.0,
        "finished_at": 12.5,
    } | fields
    return Report(pass_id, outcomes=outcomes, **values)


STATUS: Mapping[str, Any] = {"in_sync": 3, "conditions": [{"type": "Ready", "status": True}]}

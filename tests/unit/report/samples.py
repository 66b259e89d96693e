"""Plans and reports that several tests render."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent.errors import Problem, Where
from agent.model.change import (
    Action,
    Calls,
    Cause,
    Change,
    FieldChange,
    FieldOp,
    Plan,
    Suppressed,
    WindowLeft,
)
from agent.model.condition import Condition
from agent.model.identity import Key, Origin, Revision
from agent.model.outcome import Outcome, Report, Result
from agent.model.resource import Stray
from agent.model.unmerged import Unmerged
from agent.model.verdict import Effect, Verdict

REVISION = Revision("4f2c1ab" + "0" * 33, "main")
SCOPE = (("workspace", "analytics"),)


def key(kind: str, name: str, scope: tuple[tuple[str, str], ...] = SCOPE) -> Key:
    return Key("analytics", kind, scope, name)


def origin(path: str, line: int) -> Origin:
    return Origin(f"manifests/dataos/{path}.yaml", line, 1)


def field(path: str, op: FieldOp = FieldOp.CHANGE, cause: Cause = Cause.GIT, **more: Any) -> FieldChange:
    return FieldChange(path, "/" + path.replace(".", "/"), op, cause, **more)


DELETE = Change(
    key("Workflow", "old-load"),
    Action.DELETE,
    message="removed in 9be01d2 by ann",
    proof="made by us; tag and inventory agree; absent from git, which was read whole",
    calls=3,
)
REPLACE = Change(
    key("Volume", "scratch"),
    Action.REPLACE,
    origin=origin("volumes", 14),
    fields=(field("volume.accessMode", before="ReadWriteOnce", after="ReadWriteMany"),),
    hits=(key("Service", "ingest"),),
    message="`volume.accessMode` cannot change in place",
)
HELD = Change(
    key("Workflow", "tmp-report"),
    Action.HOLD,
    would=Action.DELETE,
    reason="Protected",
    message="protected; lift `protect` in one commit, remove the manifest in a later one",
)
HELD_UNKNOWN = Change(
    key("Depot", "raw-orders"),
    Action.HOLD,
    origin=origin("lake", 31),
    reason="Unknown",
    message="live state unknown: GET answered 503 twice",
)
UPDATE = Change(
    key("Workflow", "daily-etl"),
    Action.UPDATE,
    origin=origin("daily", 7),
    fields=(
        field("workflow.schedule.cron", before="0 2 * * *", after="0 3 * * *"),
        field("workflow.dag[name=load].spec.stack", before="flare:6.0", after="flare:7.0"),
        field("workflow.dag[name=publish]", FieldOp.ADD, after={"stack": "flare:7.0", "dependencies": ["load"]}),
        field("workflow.dag[name=tidy]", FieldOp.REMOVE, before={"stack": "x"}),
        field(
            "workflow.dag[name=load].spec.query",
            before="select *\nfrom orders\nwhere day = current_date\n",
            after="select *\nfrom orders\nwhere day >= current_date - 1\n",
        ),
        field("description", FieldOp.RELEASE, before="Daily ETL pipeline"),
    ),
    calls=4,
)
SECRET = Change(
    key("Depot", "raw-lake"),
    Action.UPDATE,
    Cause.SECRET,
    origin("lake", 3),
    (field("depot.connection.password", cause=Cause.SECRET, sensitive=True, reference="env DATAOS_LAKE_PASSWORD"),),
)
DRIFT = Change(
    key("Service", "ingest"),
    Action.UPDATE,
    Cause.DRIFT,
    origin("ingest", 1),
    (field("service.replicas", cause=Cause.DRIFT, before=9, after=3),),
)
ADOPT = Change(
    key("Workflow", "hourly-sync"),
    Action.ADOPT,
    Cause.ADOPT,
    origin("hourly", 1),
    message="identical to git; only the ownership mark is written",
)
CREATE = Change(
    key("Workflow", "weekly-report"),
    Action.CREATE,
    origin=origin("weekly", 1),
    fields=(
        field("tags", FieldOp.ADD, after=["finance"]),
        field("workflow.schedule.cron", FieldOp.ADD, after="0 6 * * 1"),
        field("workflow.dag[name=a].stack", FieldOp.ADD, after="flare:7.0"),
        field("workflow.dag[name=b].stack", FieldOp.ADD, after="flare:7.0"),
    ),
)
REPORTED = Change(
    key("Policy", "read-only"),
    Action.NONE,
    Cause.DRIFT,
    origin("policy", 20),
    (field("policy.collation", cause=Cause.DRIFT, before="b", after="a"),),
    configured=True,
    message="reported, not healed (drift: report)",
)

PLAN = Plan(
    "analytics",
    "dataos/v1",
    "d" * 32,
    REVISION,
    (CREATE, UPDATE, HELD, DELETE, REPORTED, ADOPT, SECRET, DRIFT, REPLACE, HELD_UNKNOWN),
    unchanged=297,
    calls=Calls(26, 8, 8, 8, 6),
    seconds_needed=60,
    budget=(WindowLeft("analytics", 60, 100, 80, 54), WindowLeft("analytics", 3600, 1000, 800, 611)),
    strays=(Stray(key("Workflow", "by-hand")),),
    suppressed=(
        Suppressed(key("Service", "ingest"), "service.image", "ignored", "lifecycle.ignore"),
        Suppressed(key("Service", "ingest"), "service.x", "server default", "schema"),
        Suppressed(key("Service", "ingest"), "service.y", "ignored", "lifecycle.ignore"),
    ),
)
IN_SYNC = Plan("analytics", "dataos/v1", "d" * 32, REVISION, (), unchanged=304, calls=Calls(26))

PROPOSAL = replace(
    PLAN,
    base=Revision("77aa0e1" + "0" * 33, "main"),
    changes=(
        replace(DELETE, message="", because=Revision("9be01d2" + "0" * 33, None, author="ann", subject="no old load")),
        replace(
            UPDATE, fields=(*UPDATE.fields[:2], replace(UPDATE.fields[5], op=FieldOp.CHANGE, after="x", apart=True))
        ),
    ),
    apart=(replace(DRIFT, fields=tuple(replace(field, apart=True) for field in DRIFT.fields)),),
)
JUDGED = replace(
    PLAN,
    changes=(
        replace(DELETE, proof="").held("Policy", "nobody deletes on a Friday (rule friday)"),
        CREATE,
        UPDATE.held("PolicyHold", "later (rule night)", configured=True),
    ),
    verdicts=(
        Verdict("friday", Effect.DENY, DELETE.key, "nobody deletes on a Friday", "wait until Monday"),
        Verdict("tagged", Effect.WARN, CREATE.key, "it has no tag", failure='no member "tags"'),
        Verdict("night", Effect.HOLD, UPDATE.key, "later"),
    ),
)
UNMERGED = (
    Unmerged(
        "config-changed",
        "datakeel.yaml",
        "the server of target analytics is another",
        ("- server: https://api.dataos.io", "+ server: https://evil.example"),
        6,
    ),
    Unmerged("definition-changed", "platforms/acme/platform.yaml", "the definition acme/v1 is another"),
)

PROBLEM = Problem(
    "unknown-key",
    "`cronn` is not known in `workflow.schedule`",
    Where("manifests/dataos/weekly.yaml", 8, 7),
    "Workflow/weekly-report",
    why="schemas/dataos/workflow.schema.json, /workflow/schedule",
    fix="did you mean `cron`?",
)


def report(*outcomes: Outcome, **more: Any) -> Report:
    return Report(
        "01JXPASS",
        "analytics",
        REVISION,
        PLAN,
        outcomes,
        calls={"write": 4, "confirm": 7},
        started_at=1_772_600_000.0,
        finished_at=1_772_600_041.5,
        conditions=(Condition("Ready", False, "Failed", "one change failed", 1_772_600_000.0),),
        **more,
    )


DONE = Outcome(UPDATE, Result.DONE, 4, ready=True, ready_after_seconds=9.2)
GONE = Outcome(DELETE, Result.DONE, 2)
FAILED = Outcome(CREATE, Result.NOT_DONE, 1, "INVALID_STACK", "unknown stack flare:8", 400, terminal=True)
LOST = Outcome(DRIFT, Result.UNKNOWN, 1, "api-fault", "the connection was lost")
SKIPPED = Outcome(SECRET, Result.SKIPPED, code="DependencyFailed", message="waits for Workflow/weekly-report")
KEPT = Outcome(HELD, Result.HELD, code="Protected", message="protected")

"""Pages over a store that holds as many resources as one likes, in every state, served as an agent serves them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.clock import SystemClock
from agent.model.alert import Alert, Fact, Message
from agent.model.change import Action, Cause, Change, FieldChange, FieldOp, Plan, Suppressed
from agent.model.identity import Key, Origin, Revision
from agent.model.inventory import InventoryRow
from agent.model.outcome import Outcome, Report, Result
from agent.model.resource import Desired
from agent.model.suspension import Suspension
from agent.reconcile.loop import Loop
from agent.report.documents import pass_document
from agent.report.waiting import waiting_document
from agent.server.access import Access
from agent.server.app import create_app
from agent.server.background import Background
from agent.server.listener import Listener
from agent.server.pages.routes import page_routes
from agent.source import Wakeups
from agent.store.store import Store
from agent.viewing.facts import Facts
from agent.viewing.tail import Tail
from agent.viewing.views import views_of

COMMIT = Revision("4f2c1ab" + "0" * 33, "main", author="ann", subject="daily at <three>", committed_at=1_770_000_000.0)
TARGETS = ("analytics", "sales")
OUTCOMES = (Result.NOT_DONE, Result.UNKNOWN, Result.SKIPPED, Result.HELD, Result.HELD, Result.HELD)
SQL = "select *\nfrom orders\nwhere day = current_date\n"


def key_of(number: int) -> Key:
    target = TARGETS[number % len(TARGETS)]
    return Key(target, "Workflow", (("workspace", "analytics"),), f"daily-{number:04}")


def fill(store: Store, count: int, now: float) -> None:
    """``count`` resources on two targets; of each ten, one waits for something, in turn for something else."""
    for place, target in enumerate(TARGETS):
        keys = [key for key in map(key_of, range(count)) if key.target == target]
        if not keys:
            continue
        waits = keys[:: 10 if len(keys) > 10 else 2]
        store.put_rows([_row(key, key not in waits, now) for key in keys])
        outcomes = (*(_outcome(number, key) for number, key in enumerate(waits)), _done(keys[-1]))
        changes = tuple(outcome.change for outcome in outcomes)
        suppressed = (Suppressed(keys[-1], "workflow.image", "ignored", "lifecycle.ignore"),)
        plan = Plan(target, "acme/v1", "d", COMMIT, changes, unchanged=len(keys) - len(waits), suppressed=suppressed)
        report = Report(
            f"pass-{place}", target, COMMIT, plan, outcomes, (), {"read": 3, "write": 1}, now - 2.5, now - 1.0
        )
        windows = [{"window_seconds": 60, "left": 12, "usable": 80, "limit": 100}]
        status = {"target": target, "platform": "acme/v1", "revision": COMMIT.commit, "calls_left": windows}
        desired = Desired(target, COMMIT, {}, broken=frozenset({key_of(place)} if count > 1 else ()))
        waiting = waiting_document(report, desired)
        store.finish(report, pass_document(report), {**status, "next_look_at": now + 40}, waiting=waiting)
    if count > 1:
        trouble(store, now)
        store.suspend(Suspension("sales", "Workflow", "backfill & co", "bo", now, now + 7200))


def trouble(store: Store, now: float) -> None:
    """Alerts that stand, messages that wait for a sink, and a configuration that was refused."""
    facts = (
        Fact("change.failed", "sales", "Workflow/daily-0003", "Rejected", "400 \u201cunknown <stack>\u201d"),
        Fact("delete.held", "analytics", "Workflow/daily-0004", "DeleteLimit", "3 deletes", lasting=False),
    )
    alerts = [Alert(facts[0], now - 9000, now - 1800, 2), Alert(facts[1], now - 60)]
    messages = [Message(0, f"m{number}", "chat", {}, now - 300, now + 40, 2) for number in range(3)]
    store.keep_alerts("sales", alerts, (), messages)
    line = "datakeel.yaml:12:12: error[config-invalid]: `<perhaps>` is not true or false"
    store.refuse_config({"at": now - 600, "message": "1 mistake in datakeel.yaml", "problems": [line]})


def _row(key: Key, in_sync: bool, now: float) -> InventoryRow:
    return InventoryRow(
        key,
        uid="abc123def456",
        in_sync=in_sync,
        health="ready",
        seen_at=now - 90,
        written_at=now - 7200,
        origin_path=f"manifests/{key.name}.yaml",
        origin_line=3,
        revision=COMMIT.commit,
    )


def _change(number: int, key: Key) -> Change:
    fields = (
        FieldChange("schedule.cron", "/schedule/cron", FieldOp.CHANGE, Cause.GIT, "0 2 * * *", "0 3 * * *"),
        FieldChange("query", "/query", FieldOp.CHANGE, Cause.DRIFT, SQL, SQL.replace("=", ">=")),
        FieldChange("password", "/password", FieldOp.CHANGE, Cause.SECRET, sensitive=True, reference="lake"),
    )
    action = (Action.UPDATE, Action.DELETE, Action.CREATE)[number % 3]
    origin = Origin(f"manifests/{key.name}.yaml", 3, 1)
    return Change(key, action, Cause.GIT, origin, fields, calls=4, message="<b>it</b> `was` so")


def _outcome(number: int, key: Key) -> Outcome:
    result, change = OUTCOMES[number % len(OUTCOMES)], _change(number, key)
    if result is not Result.HELD:
        return Outcome(change, result, code="api-rejected", message="400 \u201cunknown stack\u201d", status=400)
    if number % 2:
        return Outcome(change.held("DeleteLimit", "3 deletes; datakeel diff --confirm-deletes 3 allows these"), result)
    return Outcome(change.held("Suspended", "suspended by bo: backfill", configured=True), result)


def _done(key: Key) -> Outcome:
    return Outcome(_change(0, key), Result.DONE, calls=3, ready=True, ready_after_seconds=9.0)


@contextmanager
def served(folder: Path, count: int) -> Iterator[str]:
    """The address of the pages of an agent that has no target of its own, and reads such a store."""
    clock = SystemClock()
    store = Store.open(f"sqlite:///{folder / 'state.db'}", clock=clock)
    fill(store, count, clock.now())
    tail = Tail()
    for number in range(min(count, 300)):
        line = {"ts": "2026-03-04T10:01:00.5Z", "level": ("info", "warning", "error")[number % 3]}
        tail.take({**line, "event": "change.applied", "target": "sales", "message": f"<i>{number}</i>"})
    ready, done = threading.Event(), threading.Event()
    address: list[str] = []

    async def serve() -> None:
        background = Background()
        loop = Loop([], Wakeups(clock=clock), 60.0)
        loop.tally.notifications.update({("chat", "sent"): 12, ("chat", "failed"): 2})
        facts = Facts(store, loop, clock, tail, "sqlite:///state.db", clock.now())
        routes = page_routes(views_of(facts, background.run), tail.beyond, scrub=str, stopping=done.is_set)
        listener = Listener(create_app((), routes, access=Access(everybody=True)))
        await listener.open("127.0.0.1", 0)
        address.append(listener.address)
        ready.set()
        await asyncio.to_thread(done.wait)
        await listener.close()
        background.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(20), "the pages are served"
        yield address[0]
    finally:
        done.set()
        thread.join(20)
        store.close()

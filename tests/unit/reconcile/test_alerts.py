"""What people are told of an agent at work, and how often: once, again after a while, and once that it is over."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.cli.notifications import _without_secrets
from agent.model.alert import TYPES
from agent.model.identity import Revision
from agent.model.outcome import Report
from agent.reconcile.alerts import Alerts, Wants
from agent.reconcile.facts import facts_of
from tests.unit.reconcile.at_work import AtWork, play_at_work
from tests.unit.reconcile.scene import Scene, document, workflow

FILES = {f"{name}.yaml": workflow(name, 1) for name in ("alpha", "beta")}
HOUR, DAY = 3600.0, 86_400.0
EVERYTHING = Wants("pager", frozenset(TYPES))
TROUBLE = Wants("pager", frozenset(TYPES) - {"revision.applied"})


class Ear:
    """Hears what is said; ``anew`` is the next process over the same store."""

    def __init__(self, at: AtWork, *wants: Wants) -> None:
        self.at = at
        self.wants = wants or (TROUBLE,)
        self.anew()

    def anew(self) -> None:
        store = self.at.scene.target.store
        self.alerts = Alerts(store, lambda: self.wants, lambda: 300.0, _without_secrets)
        self.at.loop.after = self.alerts.after

    def said(self) -> list[str]:
        """Since the last call: type, state and subject of each message."""
        store = self.at.scene.target.store
        found = []
        for message in store.due_messages(1000):
            data = message.event["data"]
            found.append(f"{message.event['type'].removeprefix('datakeel.')} {data['state']} {data.get('resource')}")
            store.end_message(message.number)
        return found


def play(folder: Path, story: Callable[[Ear], Coroutine[Any, Any, None]], *wants: Wants, **words: Any) -> None:
    async def whole(at: AtWork) -> None:
        await story(Ear(at, *wants))

    play_at_work(folder, FILES, whole, **words)


def reporting(scene: Scene) -> None:
    """Drift is told, not healed; what is live is looked at with each list."""
    scene.target.config = replace(scene.target.config, drift="report", verify_seconds=1200.0)


def test_drift_is_told_once_again_after_a_while_and_once_that_it_is_over(tmp_path: Path) -> None:
    async def story(ear: Ear) -> None:
        await ear.at.pass_time(120.0)
        assert ear.said() == []
        edit = lambda hour: ear.at.scene.sandbox.person_edit(  # noqa: E731
            "workflow", "alpha", {"workflow": document("alpha", hour)["workflow"]}, workspace="public"
        )
        edit(7)
        await ear.at.pass_time(1.2 * HOUR)
        assert ear.said() == ["drift.found found Workflow/public/alpha"]
        ear.anew()
        await ear.at.pass_time(2.0 * HOUR)
        assert ear.said() == ["drift.found reminder Workflow/public/alpha"]
        await ear.at.pass_time(3.0 * HOUR)
        assert ear.said() == ["drift.found reminder Workflow/public/alpha"]
        await ear.at.pass_time(1.0 * DAY)
        assert ear.said() == ["drift.found reminder Workflow/public/alpha"]
        edit(1)
        await ear.at.pass_time(1.2 * HOUR)
        assert ear.said() == ["resolved resolved Workflow/public/alpha"]
        await ear.at.pass_time(1.2 * HOUR)
        assert ear.said() == []

    play(tmp_path, story, interval=1800.0, prepare=reporting)


def test_a_refused_change_is_told_once_however_often_it_is_looked_at_and_anew_for_another_manifest(
    tmp_path: Path,
) -> None:
    async def story(ear: Ear) -> None:
        await ear.at.pass_time(120.0)
        faults = ear.at.scene.sandbox.faults
        faults.add({"do": "answer", "status": 400, "method": ["PUT"], "path": "*/alpha"})
        ear.at.commit(alpha=workflow("alpha", 2), beta=workflow("beta", 2))
        await ear.at.pass_time(900.0)
        assert ear.said() == ["change.failed found Workflow/public/alpha"]
        ear.at.commit(alpha=workflow("alpha", 3))
        await ear.at.pass_time(300.0)
        assert ear.said() == ["change.failed found Workflow/public/alpha"]
        faults.clear()
        ear.at.commit(alpha=workflow("alpha", 4))
        await ear.at.pass_time(300.0)
        assert ear.said() == ["resolved resolved Workflow/public/alpha"]

    play(tmp_path, story)


def test_what_ends_by_itself_is_told_only_when_it_lasts(tmp_path: Path) -> None:
    async def story(ear: Ear) -> None:
        await ear.at.pass_time(120.0)
        faults = ear.at.scene.sandbox.faults
        fault = {"do": "answer", "status": 503, "method": ["GET"]}
        faults.add(fault)
        ear.at.commit(alpha=workflow("alpha", 2))
        await ear.at.pass_time(150.0)
        faults.clear()
        await ear.at.pass_time(600.0)
        assert ear.said() == []
        faults.add({"do": "answer", "status": 500, "method": ["PUT"], "path": "*/alpha"})
        ear.at.commit(alpha=workflow("alpha", 3))
        await ear.at.pass_time(1200.0)
        assert ear.said() == ["change.failed found Workflow/public/alpha"]
        faults.clear()
        await ear.at.pass_time(1200.0)
        assert ear.said() == ["resolved resolved Workflow/public/alpha"]

    play(tmp_path, story)


def test_held_deletes_and_invalid_manifests_are_told_at_once(tmp_path: Path) -> None:
    async def story(ear: Ear) -> None:
        await ear.at.pass_time(120.0)
        ear.at.commit(broken=b"name: broken\nversion: v1\ntype: workflow\nnonsense: 1\n")
        await ear.at.pass_time(120.0)
        assert ear.said() == ["target.stalled found None"]
        ear.at.commit(broken=None)
        await ear.at.pass_time(120.0)
        assert ear.said() == ["resolved resolved None"]
        ear.at.commit(alpha=None, beta=None)
        await ear.at.pass_time(120.0)
        assert sorted(ear.said()) == [
            "delete.held found Workflow/public/alpha",
            "delete.held found Workflow/public/beta",
        ]

    play(tmp_path, story)


def test_a_token_is_told_a_week_before_its_end() -> None:
    report = Report("p", "main", Revision("4f2c1ab"), None)
    ends = {"token": 30 * DAY, "old": 2 * DAY - 1}
    facts = facts_of(report, None, ends, now=2 * DAY)
    assert [(fact.type, fact.subject, fact.message) for fact in facts] == [
        ("token.expiring", "credential/old", "credential old has ended")
    ]
    facts = facts_of(report, None, ends, now=25 * DAY)
    assert facts[0].message == "credential token ends in 5.0 days"
    assert facts[0].digest != facts_of(report, None, {"token": 31 * DAY}, now=25 * DAY)[0].digest, "another token"


def test_each_sink_is_told_what_it_asked_for_and_a_deployment_is_marked(tmp_path: Path) -> None:
    marks = Wants("marks", frozenset({"revision.applied"}))
    elsewhere = Wants("elsewhere", frozenset(TYPES), frozenset({"sales"}))

    async def story(ear: Ear) -> None:
        await ear.at.pass_time(120.0)
        ear.said()  # of the very first pass
        ear.at.commit(alpha=workflow("alpha", 2))
        await ear.at.pass_time(120.0)
        messages = ear.at.scene.target.store.due_messages(10)
        assert [one.sink for one in messages] == ["marks"]
        data = messages[0].event["data"]
        assert (data["applied"], data["failed"], data["changes"]) == (1, 0, ["update Workflow/alpha"])
        assert data["revision"] == ear.at.scene.source.fetch().commit
        json.dumps(messages[0].event)

    play(tmp_path, story, TROUBLE, marks, elsewhere)


def test_who_wants_to_hear_nothing_costs_nothing(tmp_path: Path) -> None:
    async def story(ear: Ear) -> None:
        ear.wants = ()
        ear.at.scene.sandbox.faults.add({"do": "answer", "status": 400, "method": ["PUT"]})
        ear.at.commit(alpha=workflow("alpha", 2))
        await ear.at.pass_time(300.0)
        assert ear.at.scene.target.store.alerts("main") == ()
        assert ear.said() == []

    play(tmp_path, story)

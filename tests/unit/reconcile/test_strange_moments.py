"""The walk at moments that nobody planned: a full disk, a damaged row, a late turn, poison, a slow creation."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from agent.apply.secrets import SecretValues
from agent.definitions.platform import Window
from agent.model.change import Action
from agent.model.outcome import Report, Result
from agent.reconcile.looking import look
from agent.reconcile.once import reconcile_once
from agent.reconcile.wish import Wish
from tests.simulation.source import MemorySource, blob_id
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.at_work import INTERVAL, AtWork, play_at_work
from tests.unit.reconcile.scene import Scene, workflow

FILES = {f"{name}.yaml": workflow(name, 1) for name in ("alpha", "beta", "gamma")}
Play = Callable[[Scene], Coroutine[Any, Any, None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Play], None]:
    """A story at a scene where three workflows are live and agree with git."""

    def played(story: Play) -> None:
        loop = VirtualLoop()
        scene = Scene(tmp_path, loop, dict(FILES))

        async def whole() -> None:
            await scene.look(woken_by_git=False)
            await scene.clock.sleep(60.0)
            await story(scene)

        try:
            run(whole(), loop)
        finally:
            scene.close()

    return played


def held(report: Report) -> dict[str, str]:
    return {each.change.key.name: each.change.reason for each in report.outcomes if each.result is Result.HELD}


def cron(scene: Scene, name: str) -> str:
    (found,) = [each for each in scene.sandbox.resources() if each["name"] == name]
    return str(found["spec"]["workflow"]["schedule"]["cron"])


def writes(scene: Scene, mark: int) -> list[str]:
    return [word for word in scene.sent_since(mark) if not word.startswith("GET")]


@pytest.mark.row("S2")
def test_with_a_full_disk_nothing_is_sent_and_the_agent_goes_on_by_itself(tmp_path: Path) -> None:
    """A store that takes no write stands for it; ``unit/store/test_database`` has SQLite's words for a full disk."""

    async def story(at: AtWork) -> None:
        await at.pass_time(3 * INTERVAL)
        full = True

        def refuse(connection: Any, *rest: Any) -> None:
            connection.execute(f"PRAGMA query_only={int(full)}")

        event.listen(at.scene.target.store._engine, "checkout", refuse)
        at.sent()
        at.commit(**{f"new-{number}": workflow(f"new-{number}", 2) for number in range(30)})
        await at.pass_time(10 * INTERVAL)
        sent = at.sent()
        assert sent and all(word.startswith("GET") for word in sent), "reads live on, and nothing else"
        assert {each.error_code for each in at.reports[-2:]} == {"store-failed"}
        full = False
        await at.pass_time(16 * INTERVAL)
        assert at.writes() == ["POST resources"] * 30
        assert at.reports[-1].error == ""

    play_at_work(tmp_path, FILES, story)


@pytest.mark.row("S4")
def test_a_row_that_fails_its_checksum_is_looked_at_and_not_acted_on(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        with closing(sqlite3.connect(scene._path)) as connection, connection:
            connection.execute("UPDATE inventory SET checksum = checksum + 1 WHERE name IN ('alpha', 'beta')")
        scene.restart()
        scene.commit(alpha=workflow("alpha", 2))
        mark = scene.mark
        report = await scene.look(woken_by_git=False)
        assert held(report) == {"alpha": "RowDamaged"}
        assert writes(scene, mark) == []
        rows = {key.name for key in scene.target.store.rows("main")}
        assert rows == {"beta", "gamma"}, "one that is as git says was written down anew"
        seen = await look(scene.target, Wish(scene.source.fetch(), careful=True))
        await reconcile_once(scene.target, Wish(scene.source.fetch(), careful=True), seen)
        assert cron(scene, "alpha") == "0 2 * * *", "a person who approves the plan takes it over"

    play(story)


@pytest.mark.row("T2")
def test_a_write_whose_turn_comes_late_looks_again_first(play: Callable[[Play], None]) -> None:
    """A full window here; a machine that was frozen is the same: the look before the write is an hour old."""

    async def story(scene: Scene) -> None:
        scene.commit(alpha=workflow("alpha", 2))
        usable = scene.mark + 2  # a list and a read; a fifth of the window is people's
        scene.target.api.budget.tighten([Window(-(-usable * 5 // 4), 3600.0)], 0.0)
        mark = scene.mark
        walking = asyncio.ensure_future(scene.look())
        await scene.clock.sleep(600.0)
        assert scene.sent_since(mark) == ["GET resources", "GET alpha"]
        change = {"workflow": {"schedule": {"cron": "0 9 * * *"}}}
        scene.sandbox.person_edit("workflow", "alpha", change, workspace="public")
        report = await walking
        assert writes(scene, mark) == [], "it looked again, and found what the plan had not seen"
        assert [each.code for each in report.outcomes] == ["changed-meanwhile"]
        report = await scene.look()
        assert [each.result for each in report.outcomes] == [Result.DONE]
        assert cron(scene, "alpha") == "0 2 * * *"

    play(story)


@pytest.mark.row("T2")
def test_a_machine_that_stands_still_between_intent_and_send_sends_nothing_of_before(
    play: Callable[[Play], None],
) -> None:
    async def story(scene: Scene) -> None:
        def freeze(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            if statement.startswith("INSERT INTO journal") and freezes:
                loop.jump(freezes.pop())

        loop, freezes = asyncio.get_running_loop(), [600.0]
        assert isinstance(loop, VirtualLoop)
        scene.commit(alpha=workflow("alpha", 2))
        event.listen(scene.target.store._engine, "before_cursor_execute", freeze)
        mark = scene.mark
        report = await scene.look()
        assert [each.result for each in report.outcomes] == [Result.DONE], "it looked again, and nothing had changed"
        assert writes(scene, mark) == ["PUT alpha"]
        assert scene.sent_since(mark)[-4:] == ["GET alpha", "GET alpha", "PUT alpha", "GET alpha"]
        closed = "SELECT result, note FROM journal WHERE closed_at IS NOT NULL ORDER BY number"
        assert scene.target.store.query(closed, {})[-2:] == [("not_done", "not sent"), ("done", None)]

    play(story)


@pytest.mark.row("H4", "A9")
def test_what_a_person_changes_between_plan_and_write_is_not_overwritten_in_that_pass(
    play: Callable[[Play], None],
) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(alpha=workflow("alpha", 2), beta=workflow("beta", 2))
        wish = Wish(scene.source.fetch())
        seen = await look(scene.target, wish)
        await scene.clock.sleep(30.0)  # a person reads the plan, and another one edits
        change = {"workflow": {"schedule": {"cron": "0 9 * * *"}}}
        scene.sandbox.person_edit("workflow", "alpha", change, workspace="public")
        note = {"description": "mine"}
        scene.sandbox.person_edit("workflow", "beta", note, workspace="public")
        report = await reconcile_once(scene.target, wish, seen)
        assert {each.change.key.name: each.code for each in report.outcomes} == {
            "alpha": "changed-meanwhile",
            "beta": "",
        }
        assert (cron(scene, "alpha"), cron(scene, "beta")) == ("0 9 * * *", "0 2 * * *")
        (beta,) = [each for each in scene.sandbox.resources() if each["name"] == "beta"]
        assert beta["description"] == "mine"

    play(story)


class PoisonSource(MemorySource):
    """Git, but one blob is more than the agent can take."""

    def __init__(self, source: MemorySource, poison: str) -> None:
        super().__init__()
        self.revisions, self.blobs, self.poison = source.revisions, source.blobs, poison

    def read(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        for blob, content in super().read(blobs):
            if blob == self.poison:
                raise RecursionError("poison")
            yield blob, content


class PoisonSecrets(SecretValues):
    """Secrets as ever, but what is sent of one object is more than the agent can take."""

    def revealed(self, body: Any) -> Any:
        if "flare:6.6" in repr(body):
            raise ZeroDivisionError("poison")
        return super().revealed(body)


@pytest.mark.row("L5")
def test_a_mistake_of_ours_over_one_manifest_holds_that_one(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(**{name: workflow(name, 2) for name in ("alpha", "beta", "gamma")})
        await look(scene.target, Wish(scene.source.fetch()))  # the files are known from now on, and not their specs
        scene.restart()
        scene.target.source = PoisonSource(scene.source, blob_id(scene.files["alpha.yaml"]))
        for _ in range(4):
            report = await scene.look()
            assert held(report) == {"alpha": "Internal"}
        assert [cron(scene, name) for name in ("alpha", "beta", "gamma")] == ["0 1 * * *", "0 2 * * *", "0 2 * * *"]

    play(story)


@pytest.mark.row("L5")
def test_a_mistake_of_ours_in_one_write_ends_that_one(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        scene.target.secrets = PoisonSecrets({}, scene.target.store.installation_key)
        scene.commit(**{name: workflow(name, 2) for name in ("alpha", "gamma")})
        scene.commit(beta=workflow("beta", 2).replace(b"flare:7.0", b"flare:6.6"))
        report = await scene.look()
        results = {each.change.key.name: each.result for each in report.outcomes}
        assert results == {"alpha": Result.DONE, "beta": Result.UNKNOWN, "gamma": Result.DONE}
        assert "ZeroDivisionError" in next(each.message for each in report.outcomes if each.change.key.name == "beta")

    play(story)


@pytest.mark.row("A29")
def test_what_is_still_being_made_is_neither_made_again_nor_changed(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.switches.ready_after = 25.0
        scene.target.config = replace(scene.target.config, ready_timeout_seconds=300.0)
        scene.commit(delta=workflow("delta", 1))
        mark = scene.mark
        await scene.look()
        scene.commit(delta=workflow("delta", 2))
        report = await scene.look(woken_by_git=False)
        assert held(report) == {"delta": "StillCreating"}
        assert writes(scene, mark) == ["POST resources"]
        await scene.clock.sleep(30.0)
        await scene.look(woken_by_git=False)
        assert writes(scene, mark) == ["POST resources", "PUT delta"]

    play(story)


@pytest.mark.row("A29")
def test_what_never_gets_ready_may_be_changed_after_a_while_and_what_failed_at_once(
    play: Callable[[Play], None],
) -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.switches.ready_after = 100_000.0
        scene.sandbox.switches.fail_names = ("epsilon",)
        scene.commit(delta=workflow("delta", 1), epsilon=workflow("epsilon", 1))
        await scene.look()
        await scene.clock.sleep(31.0)
        mark = scene.mark
        scene.commit(delta=workflow("delta", 2))
        await scene.look(woken_by_git=False)
        assert writes(scene, mark) == ["PUT delta"]
        scene.sandbox.switches.ready_after = 0.0
        for _ in range(5):
            await scene.clock.sleep(60.0)
            await scene.look(woken_by_git=False)
        assert writes(scene, mark) == ["PUT delta"], "a failure is no reason to make it anew"

    play(story)


@pytest.mark.row("A34")
def test_a_kind_whose_answers_are_not_understood_is_only_looked_at(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        rule = {"do": "answer", "status": 200, "body": [1, 2], "content_type": "application/json", "method": "GET"}
        scene.sandbox.faults.add({**rule, "path": "/v1/resources/workflow/*", "body": "no json", "label": "A34"})
        depot = {
            "name": "lake",
            "version": "v1",
            "type": "depot",
            "depot": {"type": "POSTGRESQL", "external": True, "spec": {"host": "db", "port": 5432, "database": "x"}},
        }
        scene.files["lake.json"] = json.dumps(depot).encode()
        scene.commit(alpha=workflow("alpha", 2))
        mark = scene.mark
        report = await scene.look(woken_by_git=False)
        assert held(report)["alpha"] in ("Unknown", "KindUnreadable")
        assert writes(scene, mark) == ["POST resources"], "another kind goes on"
        scene.sandbox.faults.clear()
        await scene.look(woken_by_git=False)
        assert cron(scene, "alpha") == "0 2 * * *"

    play(story)


@pytest.mark.row("G9")
def test_a_renamed_resource_is_a_delete_and_a_create_that_look_alike(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(alpha=None, omega=workflow("omega", 1))
        seen = await look(scene.target, Wish(scene.source.fetch()))
        actions = {change.key.name: change.action for change in seen.plan.changes}
        assert actions == {"alpha": Action.DELETE, "omega": Action.CREATE}
        (made,) = [change for change in seen.plan.changes if change.action is Action.CREATE]
        assert "alpha" in made.message and "movedFrom: alpha" in made.message

    play(story)


@pytest.mark.row("A7")
def test_a_404_counts_only_where_something_known_is_found(play: Callable[[Play], None]) -> None:
    """The base path, the workspace or the permission is wrong: nothing of ours is found by its key any more."""

    async def story(scene: Scene) -> None:
        await scene.look(woken_by_git=False)  # the lists are known, and not asked for again for a single commit
        scene.sandbox.faults.add({"fault": "not-found", "method": "GET", "path": "/v1/resources/workflow/*"})
        scene.commit(delta=workflow("delta", 1))
        mark = scene.mark
        report = await scene.look()
        assert held(report) == {"delta": "Unknown"}
        assert "nothing that is known to be there was found" in report.outcomes[0].message
        assert scene.sent_since(mark) == ["GET delta", "GET gamma", "GET beta", "GET alpha"]
        scene.sandbox.faults.clear()
        scene.sandbox.person_delete("workflow", "gamma", workspace="public")
        report = await scene.look()
        assert [each.result for each in report.outcomes] == [Result.DONE], "one of the known ones may have gone"

    play(story)

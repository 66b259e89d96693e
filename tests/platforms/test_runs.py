"""Runs, uploads and required objects, on the one bundled platform that has them: what the general suite cannot say."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.model.change import Action
from agent.model.outcome import Report, Result
from agent.reconcile.once import reconcile_once
from agent.reconcile.wish import Wish
from agent.store.store import Store
from tests.platforms.conformance.emulated import BETWEEN_PASSES, Emulated
from tests.platforms.conformance.examples import examples_of_kinds
from tests.simulation.places import make_template, memory_folder
from tests.simulation.virtual_time import VirtualLoop, run

(EXAMPLE,) = [each for each in examples_of_kinds() if each.kind.is_run and each.name == "job-with-files"]
PATH = "jobs/prepare.py"
TEAM = EXAMPLE.known["settings"]["team"]
Story = Callable[[Emulated], Coroutine[Any, Any, None]]
Play = Callable[[Story], None]


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        yield make_template(Path(name))


@pytest.fixture
def play(template: Path, tmp_path: Path) -> Play:
    def played(story: Story) -> None:
        loop = VirtualLoop()
        at = Emulated(EXAMPLE, tmp_path, template, loop)
        try:
            run(story(at), loop)
        finally:
            at.close()

    return played


def job(name: str = "prepare", *, lifecycle: Any = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": EXAMPLE.platform.api_version,
        "kind": "Job",
        "metadata": {"name": name},
        "lifecycle": lifecycle or {},
        "spec": {"query": "python prepare.py", "query_type": "SHELL", **spec},
    }


def jobs(at: Emulated) -> list[Any]:
    return [each for each in at.world.resources() if "query_type" in each]


def uploads(at: Emulated) -> list[str]:
    return [each.path for each in at.wire.sent if each.path.endswith("/upload-file")]


def said(report: Report) -> list[tuple[Action, Result]]:
    return [(each.change.action, each.result) for each in report.outcomes]


def test_another_content_of_a_file_is_another_run_and_the_same_content_is_uploaded_once(play: Play) -> None:
    async def story(at: Emulated) -> None:
        document = job(files=[PATH])
        at.commit(document)
        await at.written(Action.CREATE)
        await at.clock.sleep(BETWEEN_PASSES)
        at.commit(document, job("second", files=[PATH]))
        await at.written(Action.CREATE)
        assert len(uploads(at)) == 1
        await at.clock.sleep(BETWEEN_PASSES)
        at.source.commit({**manifests(document, job("second", files=[PATH])), PATH: b"print('new')\n"})
        report = await at.one_pass()
        assert said(report) == [(Action.CREATE, Result.DONE)] * 2
        (field, *_) = report.outcomes[0].change.fields
        assert field.path == "files[0]" and field.after.startswith(f"{PATH}@")
        assert len(uploads(at)) == 2
        assert len(jobs(at)) == 4
        await at.rest()

    play(story)


def manifests(*documents: dict[str, Any]) -> dict[str, bytes]:
    return {f"example-{place}.json": json.dumps(each).encode() for place, each in enumerate(documents)}


def test_a_file_that_the_revision_lacks_is_told_at_its_place_and_found_once_it_is_committed(play: Play) -> None:
    async def story(at: Emulated) -> None:
        document = job(files=[PATH])
        at.source.commit(manifests(document))
        looked = await at_once(at)
        (problem,) = looked.problems
        assert (problem.code, problem.where.path) == ("file-missing", "example-0.json")
        assert said(looked) == []
        at.source.commit({**manifests(document), PATH: b"print()\n"})
        assert said(await at.one_pass()) == [(Action.CREATE, Result.DONE)]

    play(story)


async def at_once(at: Emulated) -> Report:
    return await reconcile_once(at.target, Wish())


@pytest.mark.row("K17")
def test_an_upload_whose_answer_is_lost_is_made_again_and_leaves_nothing_in_doubt(play: Play) -> None:
    async def story(at: Emulated) -> None:
        at.world.faults.add(
            {"fault": "answer-lost", "method": "POST", "path": "/api/datachain/upload-file", "times": 1}
        )
        at.commit(job(files=[PATH]))
        report = await at.one_pass()
        assert said(report) == [(Action.CREATE, Result.NOT_DONE)]
        assert "upload of jobs/prepare.py" in report.outcomes[0].message
        assert jobs(at) == []
        await at.clock.sleep(BETWEEN_PASSES)
        assert said(await at.one_pass()) == [(Action.CREATE, Result.DONE)]
        assert len(jobs(at)) == 1 and len(uploads(at)) == 2
        await at.rest()

    play(story)


def test_a_run_that_a_person_cancelled_is_not_started_again_until_its_content_changes(play: Play) -> None:
    async def story(at: Emulated) -> None:
        document = job(cron_expression="0 2 * * *")
        at.commit(document)
        await at.written(Action.CREATE)
        at.world.person_delete("job", jobs(at)[0]["id"], workspace=TEAM)
        await at.rest()
        assert len(jobs(at)) == 1
        at.commit(job(cron_expression="0 3 * * *"))
        await at.one_pass()
        assert len(jobs(at)) == 2
        await at.rest()

    play(story)


def test_a_run_that_goes_on_is_cancelled_for_another_content_only_where_the_manifest_allows_it(play: Play) -> None:
    async def story(at: Emulated) -> None:
        at.commit(job(cron_expression="0 2 * * *"))
        await at.written(Action.CREATE)
        await at.clock.sleep(BETWEEN_PASSES)
        at.commit(job(cron_expression="0 3 * * *"))
        await at.held("ReplaceNotAllowed")
        at.commit(job(cron_expression="0 3 * * *", lifecycle={"replace": "allow"}))
        report = await at.one_pass()
        assert said(report) == [(Action.REPLACE, Result.DONE)]
        await at.clock.sleep(BETWEEN_PASSES)
        assert sorted(each["status"] for each in jobs(at)) == ["CANCELED", "TASK"]
        await at.rest()

    play(story)


@pytest.mark.row("S5")
def test_a_lost_store_finds_its_runs_by_their_marks_and_asks_about_the_others(play: Play, template: Path) -> None:
    async def story(at: Emulated) -> None:
        at.commit(job(cron_expression="0 2 * * *"))
        await at.written(Action.CREATE)
        await at.clock.sleep(BETWEEN_PASSES)
        folder = at.store
        with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
            path = Path(name) / "state.db"
            path.write_bytes(template.read_bytes())
            at.store = Store.open(f"sqlite:///{path}", clock=at.clock, random_bytes=bytes)
            folder.close()
            at.reborn()
            report = await at.one_pass()
            assert said(report) == [(Action.ADOPT, Result.DONE)]
            assert len(jobs(at)) == 1
            await at.rest()
            # Lists of runs are cut: whether this one was ever started, nobody can tell after the store was lost.
            at.commit(job(cron_expression="0 2 * * *"), job("other", cron_expression="0 4 * * *"))
            report = await at.one_pass()
            assert said(report) == [(Action.HOLD, Result.HELD)]
            assert "apply the plan by its digest" in report.outcomes[0].message
            assert said(await at.one_pass(Wish(careful=True))) == [(Action.CREATE, Result.DONE)]

    play(story)


def test_a_run_older_than_the_end_of_the_list_is_neither_started_again_nor_held(play: Play) -> None:
    async def story(at: Emulated) -> None:
        at.commit(job(cron_expression="0 2 * * *"))
        await at.written(Action.CREATE)
        for number in range(101):
            at.world.person_create(
                {
                    "kind": "job",
                    "workspace": TEAM,
                    "query": "print()",
                    "query_type": "PYTHON",
                    "query_name": f"{number}",
                }
            )
        await at.rest()
        assert len(jobs(at)) == 102
        at.commit(job(cron_expression="0 3 * * *"))
        await at.held("ReplaceNotAllowed")
        at.commit(job(cron_expression="0 3 * * *", lifecycle={"replace": "allow"}))
        await at.one_pass()
        await at.clock.sleep(BETWEEN_PASSES)
        planned = [each["status"] for each in jobs(at) if each["cron_expression"]]
        assert sorted(planned) == ["CANCELED", "TASK"]
        await at.rest()

    play(story)


def test_an_observed_object_that_a_manifest_depends_on_must_be_there_and_ready(play: Play) -> None:
    async def story(at: Emulated) -> None:
        wants = {"dependsOn": ["ComputeCluster/gpu"]}
        at.commit(job(lifecycle=wants), job("free"))
        report = await at.one_pass()
        assert sorted(said(report)) == [(Action.CREATE, Result.DONE), (Action.HOLD, Result.HELD)]
        (held,) = [each for each in report.outcomes if each.result is Result.HELD]
        assert held.message == "waits for ComputeCluster/gpu, which is not on the platform"
        at.world.person_create({"kind": "cluster", "workspace": TEAM, "name": "gpu", "status": "STARTING"})
        report = await at.one_pass()
        assert [each.message for each in report.outcomes] == [
            "waits for ComputeCluster/gpu, which is not ready (progressing)"
        ]
        at.world.person_edit("cluster", "gpu", {"status": "ACTIVE"}, workspace=TEAM)
        await at.written(Action.CREATE)
        await at.rest()

    play(story)


def test_a_run_that_leaves_git_is_cancelled_while_it_goes_on_and_let_go_once_it_is_over(play: Play) -> None:
    async def story(at: Emulated) -> None:
        at.target.config = replace(at.target.config, prune=True)
        at.commit(job(cron_expression="0 2 * * *"), job("short"), job("stays"))
        await at.one_pass()
        await at.clock.sleep(BETWEEN_PASSES)
        at.commit(job("stays"))
        report = await at.one_pass(Wish(confirm_deletes=1))
        assert sorted(said(report)) == [(Action.DELETE, Result.DONE), (Action.RELEASE, Result.DONE)]
        await at.clock.sleep(BETWEEN_PASSES)
        assert sorted(each["status"] for each in jobs(at)) == ["CANCELED", "COMPLETE", "COMPLETE"]
        await at.rest()

    play(story)


def test_a_content_that_was_run_before_is_run_again_after_another_one_and_its_lost_answer_is_told_apart(
    play: Play,
) -> None:
    async def story(at: Emulated) -> None:
        for query in ("python a.py", "python b.py"):
            at.commit(job(query=query))
            await at.written(Action.CREATE)
            await at.clock.sleep(BETWEEN_PASSES)
        at.world.faults.add({"fault": "answer-lost", "method": "POST", "path": "/api/datachain/job", "times": 1})
        at.commit(job(query="python a.py"))
        report = await at.one_pass()
        assert said(report) == [(Action.CREATE, Result.UNKNOWN)]
        await at.clock.sleep(BETWEEN_PASSES)
        await at.one_pass()
        assert [each["query"] for each in jobs(at)].count("python a.py") == 2
        (row,) = at.store.rows("main").values()
        assert row.server_id == max((each for each in jobs(at)), key=lambda each: each["created_at"])["id"]
        await at.rest()

    play(story)


def test_a_run_that_was_lost_before_it_began_is_not_taken_for_an_earlier_one_of_the_same_content(play: Play) -> None:
    async def story(at: Emulated) -> None:
        for query in ("python a.py", "python b.py"):
            at.commit(job(query=query))
            await at.written(Action.CREATE)
            await at.clock.sleep(BETWEEN_PASSES)
        at.world.faults.add({"fault": "reset", "method": "POST", "path": "/api/datachain/job", "times": 1})
        at.commit(job(query="python a.py"))
        await at.one_pass()
        await at.clock.sleep(BETWEEN_PASSES)
        report = await at.one_pass()
        assert said(report) == [(Action.HOLD, Result.HELD)]  # lists of runs are cut: a person is asked
        assert [each["query"] for each in jobs(at)].count("python a.py") == 1

    play(story)


def test_a_leaf_that_is_ignored_or_for_creating_only_starts_no_run_again(play: Play) -> None:
    async def story(at: Emulated) -> None:
        lifecycle = {"ignore": ["/workers"], "createOnly": ["/priority"]}
        at.commit(job(lifecycle=lifecycle, workers=1, priority=1))
        await at.written(Action.CREATE)
        for workers, priority in ((2, 1), (2, 2), (3, 2)):
            at.commit(job(lifecycle=lifecycle, workers=workers, priority=priority))
            await at.rest()
        assert len(jobs(at)) == 1
        at.commit(job(lifecycle=lifecycle, workers=3, priority=2, query="python other.py"))
        await at.written(Action.CREATE)
        await at.rest()

    play(story)

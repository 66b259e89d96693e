"""A pull request against live: its own calls, its own changes, its own digest; with the agent's state and without."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from agent.model.change import Action, Plan
from agent.reconcile.once import reconcile_once
from agent.reconcile.proposal import look_at_proposal, parted_at, proposal_of
from agent.reconcile.wish import Wish
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import Scene, workflow, wrapped

FILES = {f"{name}.yaml": workflow(name, 1) for name in ("alpha", "beta", "gamma", "delta")}


def play(folder: Path, story: Callable[[Scene], Awaitable[None]], files: dict[str, bytes] = FILES) -> None:
    loop = VirtualLoop()
    scene = Scene(folder, loop, files)
    try:
        run(story(scene), loop)
    finally:
        scene.close()


async def proposed(scene: Scene) -> Plan:
    """The plan of the newest commit against the first one."""
    first = scene.source.revisions[0][0]
    proposal = proposal_of(scene.target, first, scene.source.fetch())
    plan = (await look_at_proposal(scene.target, proposal, Wish())).plan
    assert parted_at(_Line(), first, scene.source.fetch()) == plan.base
    return plan


class _Line:
    """A history without branches."""

    def merge_base(self, one: Any, other: Any) -> Any:
        return one


def told(plan: Plan) -> list[tuple[str, str]]:
    return [(change.action.value, change.key.name) for change in plan.changes]


def click(scene: Scene, name: str) -> None:
    """Somebody changes the steps of a workflow by hand."""
    change = {"workflow": {"dag": [{"name": "other"}]}}
    scene.sandbox.person_edit(type="workflow", name=name, workspace="public", change=change)


def test_a_proposal_reads_what_it_changes_and_nothing_else(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.commit(alpha=workflow("alpha", 2), beta=None, new=workflow("new", 1))
        mark = scene.mark
        plan = await proposed(scene)
        assert sorted(scene.sent_since(mark)) == ["GET alpha", "GET beta", "GET new"]
        assert sorted(told(plan)) == [("create", "new"), ("delete", "beta"), ("update", "alpha")]
        assert plan.unchanged == 2
        assert plan.complete

    play(tmp_path, story)


def test_a_check_without_state_comes_to_the_same_digest(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.commit(alpha=workflow("alpha", 2), beta=None, new=workflow("new", 1))
        plan = await proposed(scene)
        whole = scene.target.store
        with tempfile.TemporaryDirectory() as folder:
            scene.target.store = type(whole).open(f"sqlite:///{folder}/none.db", clock=scene.clock, write=False)
            try:
                assert (await proposed(scene)).digest == plan.digest
            finally:
                scene.target.store.close()
                scene.target.store = whole

    play(tmp_path, story)


def test_what_others_changed_stands_apart_and_outside_of_the_digest(tmp_path: Path) -> None:
    files = FILES | {"alpha.yaml": wrapped("alpha", 1)}

    async def story(scene: Scene) -> None:
        await scene.look()
        scene.commit(alpha=wrapped("alpha", 2, protect=True), beta=wrapped("beta", 1, protect=True))
        before = await proposed(scene)
        assert told(before) == [("update", "alpha")]
        await asyncio.sleep(3600.0)  # until a difference is drift, and no lag of our own write
        click(scene, "alpha")
        click(scene, "beta")
        after = await proposed(scene)
        assert told(after) == [("update", "alpha")]
        assert {field.path: field.apart for field in after.changes[0].fields}["workflow.schedule.cron"] is False
        assert any(field.apart for field in after.changes[0].fields)
        assert [change.key.name for change in after.apart] == ["beta"]
        assert after.digest == before.digest
        assert after.calls.apply_max == before.calls.apply_max

    play(tmp_path, story, files)


def test_applying_a_proposal_sends_nothing_on_account_of_others(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.commit(alpha=workflow("alpha", 2), gamma=workflow("gamma", 3))
        scene.commit(beta=wrapped("beta", 1, protect=True))
        click(scene, "beta")
        first, last = scene.source.revisions[0][0], scene.source.fetch()
        proposal = proposal_of(scene.target, first, last)
        seen = await look_at_proposal(scene.target, proposal, Wish())
        mark = scene.mark
        report = await reconcile_once(scene.target, proposal.wish(Wish(last)), seen)
        assert [each.change.key.name for each in report.outcomes if each.result == "done"] == ["alpha", "gamma"]
        assert [each for each in scene.sent_since(mark) if not each.startswith("GET")] == ["PUT alpha", "PUT gamma"]

    play(tmp_path, story)


def test_what_is_removed_and_gone_already_leaves_nothing_to_do(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.commit(beta=None)
        await asyncio.sleep(3600.0)  # out of the settle window of its create
        scene.sandbox.person_delete(type="workflow", name="beta", workspace="public")
        plan = await proposed(scene)
        assert told(plan) == []
        assert plan.complete

    play(tmp_path, story)


def test_an_older_commit_that_is_not_applied_yet_is_none_of_the_proposals_doing(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        tagged = workflow("alpha", 1).replace(b"version: v1\n", b"version: v1\ndescription: of an older commit\n")
        scene.commit(alpha=tagged)
        older = scene.source.fetch()
        scene.commit(alpha=tagged.replace(b'"0 1 ', b'"0 2 '))
        proposal = proposal_of(scene.target, older, scene.source.fetch())
        plan = (await look_at_proposal(scene.target, proposal, Wish())).plan
        assert {field.path: field.apart for field in plan.changes[0].fields} == {
            "description": True,
            "workflow.schedule.cron": False,
        }

    play(tmp_path, story)


def test_an_invalid_manifest_is_no_change_and_holds_deletes(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.commit(alpha=b"name: alpha\ntype: workflow\nversion: v1\nworkspace: public\nwrong: 1\n", beta=None)
        plan = await proposed(scene)
        assert told(plan) == [("hold", "beta")]
        assert plan.changes[0].would is Action.DELETE
        assert plan.changes[0].reason == "IncompleteRevision"
        assert not plan.complete

    play(tmp_path, story)


def test_only_narrows_a_proposal(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.commit(alpha=workflow("alpha", 2), gamma=workflow("gamma", 3))
        proposal = proposal_of(scene.target, scene.source.revisions[0][0], scene.source.fetch())
        seen = await look_at_proposal(scene.target, proposal, Wish(selects=lambda key, path: key.name == "gamma"))
        assert told(seen.plan) == [("update", "gamma")]

    play(tmp_path, story)

"""A pass over hundreds of objects under a platform's limits takes hours; a commit in between waits for none of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.definitions.platform import Window
from agent.model.outcome import Result
from tests.unit.reconcile.at_work import AtWork, play_at_work
from tests.unit.reconcile.scene import Scene, workflow

QUICK_SECONDS = 10.0
OLD = {f"old-{number}.yaml": workflow(f"old-{number}", 1) for number in range(3)}


def new(count: int) -> dict[str, bytes]:
    return {f"new-{number:03}": workflow(f"new-{number:03}", 1) for number in range(count)}


def hours(at: AtWork) -> Mapping[str, str]:
    live = at.scene.sandbox.resources()
    return {each["name"]: each["spec"]["workflow"]["schedule"]["cron"].split()[1] for each in live}


def refused(at: AtWork) -> int:
    return sum(each.status == 429 for each in at.scene.sandbox.requests)


@pytest.mark.row("G16")
@pytest.mark.parametrize("minutes", [2.0, 5.0])
def test_an_edit_of_a_live_object_goes_before_the_rest_of_a_long_pass(tmp_path: Path, minutes: float) -> None:
    """After two minutes it still reads, after five it writes: under 100 calls a minute, of which people keep twenty."""

    async def story(at: AtWork) -> None:
        await at.pass_time(120.0)
        at.commit(**new(250))
        await at.pass_time(minutes * 60.0)
        made = set(hours(at))
        assert (len(made) > len(OLD)) is (minutes > 4)
        at.commit(**{"old-1": workflow("old-1", 7)})
        at.sent()
        await at.pass_time(QUICK_SECONDS)
        assert hours(at)["old-1"] == "7"
        assert at.writes()[0] == "PUT old-1"
        assert not any(each.count(Result.UNKNOWN) or each.count(Result.NOT_DONE) for each in at.reports)
        assert made <= set(hours(at)) and refused(at) == 0

    play_at_work(tmp_path, OLD, story)


def tight(scene: Scene) -> None:
    """A fifth is people's: ten calls a minute."""
    scene.target.api.budget.tighten([Window(13, 60.0)], 0.2)


def test_what_was_learnt_and_done_is_kept_however_often_git_moves(tmp_path: Path) -> None:
    """Each minute a commit: the long pass comes to its end all the same, and nothing is made twice."""

    async def story(at: AtWork) -> None:
        await at.pass_time(120.0)
        at.commit(**new(24))
        await at.pass_time(60.0)
        for minute in range(40):
            if minute < 12:
                at.commit(**{"old-0": workflow("old-0", 2 + minute)})
            await at.pass_time(QUICK_SECONDS)
            assert hours(at)["old-0"] == str(min(2 + minute, 13))
            await at.pass_time(60.0 - QUICK_SECONDS)
        assert len(hours(at)) == 24 + len(OLD)
        posts = Counter(each.name for each in at.scene.sandbox.commits if each.method == "POST")
        assert set(posts.values()) == {1}
        ready = next(each for each in at.status()["conditions"] if each["type"] == "Ready")
        assert ready["status"] is True and refused(at) == 0

    play_at_work(tmp_path, OLD, story, prepare=tight)


def test_a_pass_that_was_cut_short_says_so(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(120.0)
        at.commit(**new(24))
        await at.pass_time(60.0)
        reports = len(at.reports)
        at.commit(**{"old-0": workflow("old-0", 5)})
        await at.pass_time(QUICK_SECONDS)
        cut, hurried = at.reports[reports : reports + 2]
        assert cut.plan is not None and cut.plan.later > 10
        assert [each.change.key.name for each in hurried.outcomes] == ["old-0"]
        assert hurried.plan is not None and (hurried.plan.later, hurried.plan.unchanged) == (24, 2)
        for report in (cut, hurried):
            (ready,) = [each for each in report.conditions if each.type == "Ready"]
            assert not ready.status and ready.reason == "Unfinished"
        assert at.status()["total"] == 24 + len(OLD)

    play_at_work(tmp_path, OLD, story, prepare=tight)


def test_what_a_commit_adds_goes_first_too_unless_what_it_needs_is_not_there(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(120.0)
        at.commit(**new(24))
        await at.pass_time(60.0)
        at.commit(added=workflow("added", 5), early=needing("early", "new-020"), fine=needing("fine", "old-2"))
        await at.pass_time(60.0)
        assert {"added", "fine"} <= set(hours(at)) and "early" not in hours(at)
        await at.pass_time(1800.0)
        created = [each.name for each in at.scene.sandbox.commits if each.method == "POST"]
        assert created.index("early") > created.index("new-020")

    play_at_work(tmp_path, OLD, story, prepare=tight)


def needing(name: str, needs: str) -> bytes:
    content = {"schedule": {"cron": "0 1 * * *"}, "dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}]}
    manifest = {
        "apiVersion": "dataos/v1",
        "kind": "Workflow",
        "metadata": {"name": name, "workspace": "public"},
        "lifecycle": {"dependsOn": [f"Workflow/{needs}"]},
        "spec": {"version": "v1", "workflow": content},
    }
    return json.dumps(manifest).encode()

"""A refusal in the platform's own words is not asked for again before one of its inputs changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.model.change import Action
from agent.model.outcome import Result
from tests.unit.reconcile.at_work import INTERVAL, AtWork, play_at_work
from tests.unit.reconcile.scene import workflow

FILES = {"alpha.yaml": workflow("alpha", 1)}
REFUSED = {
    "do": "answer",
    "status": 422,
    "body": {"error": {"code": "VALIDATION_ERROR", "message": "stack flare:7.0 is not installed"}},
    "content_type": "application/json",
    "method": ["PUT", "POST"],
}
DENIED = {**REFUSED, "status": 403, "body": {"error": {"code": "FORBIDDEN", "message": "not for you"}}}


async def refused(at: AtWork, rule: dict[str, Any] = REFUSED) -> None:
    """alpha is live; its next change is refused."""
    await at.pass_time(5 * INTERVAL)
    at.scene.sandbox.faults.add(rule)
    at.sent()
    at.commit(alpha=workflow("alpha", 2))
    await at.pass_time(2.0)
    assert at.writes() == ["PUT alpha"]


def test_it_stands_and_says_why_until_git_changes(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await refused(at)
        await at.pass_time(4 * 3600.0)
        assert at.writes() == []
        (held,) = at.reports[-1].outcomes
        assert (held.change.action, held.change.would, held.change.reason) == (Action.HOLD, Action.UPDATE, "Rejected")
        assert "refused: stack flare:7.0 is not installed; not tried again until its manifest" in held.message
        assert [each.type for each in at.reports[-1].conditions if each.status] == ["Stalled"]
        at.commit(beta=workflow("beta", 1))
        await at.pass_time(2.0)
        assert at.writes() == ["POST resources"], "another manifest is another matter"
        at.commit(alpha=workflow("alpha", 3))
        await at.pass_time(2.0)
        assert at.writes() == ["PUT alpha"], "another content is another question"

    play_at_work(tmp_path, FILES, story)


def test_it_stands_across_a_restart(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await refused(at)
        at.scene.restart()
        at.loop.targets = [at.scene.target]
        await at.pass_time(4 * INTERVAL)
        assert at.writes() == []

    play_at_work(tmp_path, FILES, story)


def test_it_falls_with_the_live_object(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await refused(at)
        at.scene.sandbox.person_edit("workflow", "alpha", {"description": "looked into it"}, workspace="public")
        await at.pass_time(2 * INTERVAL)
        assert at.writes() == ["PUT alpha"]
        await at.pass_time(10 * INTERVAL)
        assert at.writes() == []

    play_at_work(tmp_path, FILES, story)


@pytest.mark.parametrize("what", ["definition", "configuration"])
def test_it_falls_with_the_definition_and_the_configuration(tmp_path: Path, what: str) -> None:
    async def story(at: AtWork) -> None:
        await refused(at)
        target = at.scene.target
        if what == "definition":
            target.platform = target.api.platform = replace(target.platform, digest="another")
        else:
            target.config = replace(target.config, confirmed=("Workflow",))
        await at.pass_time(2 * INTERVAL)
        assert at.writes() == ["PUT alpha"]

    play_at_work(tmp_path, FILES, story)


def test_what_is_denied_is_tried_again_once_an_hour(tmp_path: Path) -> None:
    """A permission is an input that the platform does not show."""

    async def story(at: AtWork) -> None:
        await refused(at, DENIED)
        await at.pass_time(3 * 3600.0)
        assert at.writes() == ["PUT alpha"] * 2 or at.writes() == ["PUT alpha"] * 3
        at.scene.sandbox.faults.clear()
        await at.pass_time(3700.0)
        assert at.writes() == ["PUT alpha"]
        await at.pass_time(2 * INTERVAL)
        assert at.reports[-1].outcomes == ()

    play_at_work(tmp_path, FILES, story)


def test_a_person_who_asks_is_answered_by_the_platform(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await refused(at)
        await at.pass_time(4 * INTERVAL)
        at.sent()
        report = await at.scene.look(woken_by_git=False)
        assert at.writes() == ["PUT alpha"]
        assert [each.result for each in report.outcomes] == [Result.NOT_DONE]

    play_at_work(tmp_path, FILES, story)

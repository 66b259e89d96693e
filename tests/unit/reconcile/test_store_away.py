"""A store that is away for a while, between any two steps: the agent goes on by itself when it is back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.reconcile.at_work import INTERVAL, AtWork, play_at_work
from tests.unit.reconcile.scene import Scene, workflow


@pytest.mark.row("S7", "S2")
def test_an_agent_outlives_its_store(tmp_path: Path) -> None:
    def sweep(scene: Scene) -> None:
        scene.target.config = replace(scene.target.config, verify_seconds=20.0)

    async def story(at: AtWork) -> None:
        await at.pass_time(2 * INTERVAL)
        at.sent()
        store, place = at.scene.target.store, tmp_path / "state.db"
        store._engine.dispose()
        store._rows.clear()  # what a write that failed leaves behind, and what an agent among several begins with
        place.rename(place.with_name("away.db"))
        at.commit(alpha=workflow("alpha", 2))
        await at.pass_time(10 * INTERVAL)
        assert at.writes() == [], "no intent, no call"
        place.with_name("away.db").rename(place)
        await at.pass_time(20 * INTERVAL)
        assert at.writes() == ["PUT alpha"]

    play_at_work(tmp_path, {"alpha.yaml": workflow("alpha", 1)}, story, prepare=sweep)

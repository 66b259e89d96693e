"""Alive is who still looks; ready is who can write down what it does, and has read a revision."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.errors import StoreError
from agent.reconcile.health import Readiness, alive
from tests.unit.reconcile.at_work import INTERVAL, AtWork, play_at_work
from tests.unit.reconcile.scene import workflow

FILES = {"alpha.yaml": workflow("alpha", 1)}


def is_alive(at: AtWork) -> bool:
    return all(check.holds for check in alive(at.loop, at.scene.clock))


def test_a_dead_platform_is_not_a_dead_agent(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(2 * INTERVAL)
        at.scene.sandbox.faults.add({"fault": "server-error"})
        for _ in range(4):
            await at.pass_time(600.0)
            assert is_alive(at)
        at.scene.sandbox.faults.clear()

    play_at_work(tmp_path, FILES, story)


@pytest.mark.parametrize("interval", [INTERVAL, 1000.0])
def test_a_loop_that_hangs_is_dead_after_three_intervals_or_five_minutes(tmp_path: Path, interval: float) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(2 * interval)
        assert is_alive(at)
        gate, blocking = asyncio.Event(), at.scene.target.blocking

        async def hangs(step: Any) -> Any:
            await gate.wait()
            return await blocking(step)

        at.scene.target.blocking = hangs
        await at.pass_time(1.2 * interval)  # until it looks at git next, and hangs
        await at.pass_time(max(3 * interval, 300.0) - 1.2 * interval)
        assert is_alive(at)
        await at.pass_time(2.5 * interval)
        assert not is_alive(at)
        assert alive(at.loop, at.scene.clock)[0].says.endswith(f"allowed are {max(3 * interval, 300):.0f} s")
        gate.set()
        await at.pass_time(1.0)
        assert is_alive(at)

    play_at_work(tmp_path, FILES, story, interval=interval)


def test_ready_is_who_has_read_a_revision_and_can_write(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        store = at.scene.target.store
        readiness = Readiness(at.loop, store, at.scene.clock)
        assert [check.holds for check in readiness.checks()] == [True, False, True]
        await at.pass_time(INTERVAL)
        assert [tuple(check) for check in readiness.checks()] == [
            ("store", True, "writable"),
            ("revision", True, "read by 1 of 1 targets"),
            ("configuration", True, "read"),
        ]
        line = "datakeel.yaml:12:12: error[config-invalid]: `perhaps` is not true or false"
        store.refuse_config({"at": 1.0, "message": "1 mistake in the configuration datakeel.yaml", "problems": [line]})
        assert [check.holds for check in readiness.checks()] == [True, True, True], "it works on by the one before"
        assert readiness.checks()[2].says == f"refused, the one before is in force: {line}"

    play_at_work(tmp_path, FILES, story)


def test_who_cannot_write_is_not_ready_and_is_told_so_in_a_word(tmp_path: Path) -> None:
    class Full:
        def probe(self) -> None:
            raise StoreError("the state store cannot be written", got="SQLITE_FULL")

        def refused_config(self) -> Any:
            raise StoreError("the state store cannot be read")

    async def story(at: AtWork) -> None:
        await at.pass_time(INTERVAL)
        store, _, _ = Readiness(at.loop, Full(), at.scene.clock).checks()  # type: ignore[arg-type]
        assert tuple(store) == ("store", False, "SQLITE_FULL")
        assert is_alive(at)

    play_at_work(tmp_path, FILES, story)

"""The shortest story of two replicas; `python -m tests.replicas` plays the others."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests import postgresql
from tests.replicas.judge import judge, taken_over
from tests.replicas.stage import Replicas
from tests.system.stage import until


@pytest.mark.slow
@pytest.mark.row("H1", "K5")
@pytest.mark.skipif(bool(postgresql.why_not()), reason=postgresql.why_not() or "there is one")
def test_an_agent_that_is_killed_in_a_write_is_followed_by_another_and_nothing_is_made_twice(tmp_path: Path) -> None:
    with Replicas(tmp_path / "stage", targets=1, each=2) as stage:
        stage.front.delay = 1.5
        victim = stage.start()[0]
        stage.record()
        until(lambda: any(call.writes and not call.answered for call in stage.front.calls), "a write is under way")
        since = time.time()
        victim.send(signal.SIGKILL)
        stage.front.delay = 0.0
        stage.start()
        stage.settle(120.0)
        until(lambda: not stage.query("SELECT 1 FROM journal WHERE closed_at IS NULL"), "no call is open")
        verdict = judge("kill", stage, taken_over(stage, victim.pid, stage.names, since))
        assert verdict.holds, verdict
        assert len(verdict.takeovers) == 1

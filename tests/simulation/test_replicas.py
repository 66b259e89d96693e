"""A few stories of several agents; `python -m tests.simulation.replicas` tells thousands."""

from __future__ import annotations

import logging

import pytest
import structlog

from tests.simulation import replicas


@pytest.fixture(autouse=True)
def short_and_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def test_one_agent_at_a_time_writes_and_commits_whatever_happens_to_them() -> None:
    told = replicas.tell(1, seconds=150.0)
    assert told.violations == []
    assert told.reached["taken over"] > 0


@pytest.mark.parametrize("guard", sorted(replicas.SABOTAGED))
def test_without_one_guard_the_judge_notices(guard: str) -> None:
    wrong, seed = replicas.SABOTAGED[guard]
    assert replicas.tell(seed, wrong, seconds=150.0).violations

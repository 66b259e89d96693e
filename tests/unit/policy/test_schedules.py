"""How soon a schedule may start again."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from agent import cron
from agent.policy.schedules import cron_interval


@pytest.mark.parametrize(
    ("text", "shortest"),
    [
        ("* * * * *", timedelta(minutes=1)),
        ("0 * * * *", timedelta(hours=1)),
        ("0 0 * * *", timedelta(days=1)),
        ("0 3 * * 1", timedelta(days=7)),
        ("*/7 3-5 * * *", timedelta(minutes=4)),
        ("0 0,23 * * *", timedelta(hours=1)),
        ("0 0,23 1,15,16 * *", timedelta(hours=1)),
        ("0 0,23 1,15 * *", timedelta(hours=23)),
        ("0 0 29 2 *", timedelta(days=1461)),
        ("@hourly", timedelta(hours=1)),
    ],
)
def test_the_shortest_time_between_two_starts(text: str, shortest: timedelta) -> None:
    assert cron_interval(text) == shortest


def test_a_day_that_never_comes_is_far_away() -> None:
    assert cron_interval("0 0 31 2 *") > timedelta(days=1000)


def test_what_is_no_cron_expression_is_refused() -> None:
    with pytest.raises(ValueError, match="no cron expression"):
        cron_interval("every day")


def test_it_agrees_with_looking_at_every_start() -> None:
    chance = random.Random(7)
    for _ in range(25):
        minutes = ",".join(map(str, sorted(chance.sample(range(60), chance.randint(1, 3)))))
        hours = ",".join(map(str, sorted(chance.sample(range(24), chance.randint(1, 3)))))
        text = f"{minutes} {hours} * * {chance.choice(['*', '1', '1-5', '0,6'])}"
        schedule = cron.moments(text, datetime(2024, 1, 1, tzinfo=UTC))
        starts = [schedule.get_next(datetime) for _ in range(60)]
        assert cron_interval(text) == min(after - before for before, after in pairwise(starts)), text

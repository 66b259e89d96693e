"""``cronInterval(text)`` of an expression: how soon a schedule may start again. Called by ``language``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from agent import cron

_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)  # a leap year, so that 29 February comes; the same for everybody
_END = datetime(2029, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_STARTS_MAX = 400  # days of a year, and some: two that are neighbours come within one


@lru_cache(maxsize=1024)
def cron_interval(text: str) -> timedelta:
    """The shortest time between two starts, told in UTC. Raises ValueError for what is no cron expression.

    The hours of a day are the same on each day that is meant: the shortest is between two of them, or from the last
    to the first of the next such day. Looking at each start would take a tenth of a second for a busy schedule.
    """
    if not cron.is_valid(text):
        raise ValueError(f"{text[:60]!r} is no cron expression")
    fields = text.split()
    if len(fields) != 5:  # a word such as @hourly, or seconds
        return _shortest(text, timedelta(seconds=1))
    minutes, hours = (_numbers(field, count) for field, count in zip(_expanded(text), (60, 24), strict=False))
    starts = sorted(timedelta(hours=hour, minutes=minute) for hour in hours for minute in minutes)
    within = min((after - before for before, after in pairwise(starts)), default=_END - _BEGIN)
    over_night = starts[0] - starts[-1]
    if within <= _DAY + over_night:
        return within
    return min(within, _shortest(" ".join(("0", "0", *fields[2:])), _DAY) + over_night)


def _shortest(text: str, least: timedelta) -> timedelta:
    """By looking at starts one after another, until two are as near as they can be."""
    schedule, shortest = cron.moments(text, _BEGIN), _END - _BEGIN
    before: datetime | None = None
    for _ in range(_STARTS_MAX):
        try:
            start: datetime = schedule.get_next(datetime)
        except ValueError:  # a day that never comes, 31 February
            break
        if before is not None:
            shortest = min(shortest, start - before)
        if shortest <= least or start >= _END:
            break
        before = start
    return shortest


def _expanded(text: str) -> Sequence[Sequence[Any]]:
    expanded: Sequence[Sequence[Any]] = cron.moments(text, _BEGIN).expanded
    return expanded


def _numbers(field: Sequence[Any], count: int) -> list[int]:
    return list(range(count)) if "*" in field else [number for number in field if isinstance(number, int)]

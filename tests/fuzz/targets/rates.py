"""What headers and bodies tell about the rate limit, and how long the budget then waits."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable

import structlog

from agent.definitions.expressions import Expression
from agent.definitions.platform import BudgetRule, Window
from agent.live.budget import Budget
from agent.live.purpose import Purpose
from agent.live.rate_headers import read_limits, read_wait
from agent.live.strict_json import loads
from tests.fuzz.target import Draw, Target

RULE = BudgetRule(
    (Window(100, 60.0), Window(1000, 3600.0)),
    header_limit="x-limit",
    header_remaining="x-remaining",
    header_reset="x-reset",
    retry_after=Expression("error.retry_after"),
)
NOW = 1_700_000_000.0
LONGEST = 3600.0 + 60.0


class StoppedClock:
    """Time stands still: what is asked is how long one would wait."""

    def now(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return 1000.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def run(data: bytes) -> None:
    structlog.configure(processors=[_nothing])
    draw = Draw(data)
    budget = Budget(RULE.windows, 0.2, StoppedClock(), None, "token", rule=RULE)
    for _ in range(1 + draw.integer(3)):
        status = draw.pick((429, 200, 404, 503))
        names = ("retry-after", "x-limit", "x-remaining", "x-reset", "date")
        headers = {name: text for name in names if (text := draw.bytes().decode("latin-1"))}
        try:
            body = loads(draw.bytes())
        except ValueError:
            body = None
        told = read_limits(RULE, headers, NOW)
        for number in (told.limit, told.remaining, told.reset_seconds):
            assert number is None or (number >= 0 and math.isfinite(number)), told
        assert set(told.nonsense) <= headers.keys()
        wait, nonsense = read_wait(RULE, headers, body, NOW)
        assert wait is None or (wait >= 0 and math.isfinite(wait)), wait
        assert nonsense in ("", "retry-after")
        budget.note(headers, body, status)
    for purpose in (Purpose.WRITE, Purpose.SWEEP):
        assert 0 <= budget.wait_needed(purpose) <= LONGEST, budget.wait_needed(purpose)
    assert 0 <= budget.seconds_for(3) < math.inf
    assert all(0 <= window.left <= 1000 for window in budget.left())


def _nothing(_logger: object, _name: str, event: object) -> str:
    raise structlog.DropEvent


def seeds() -> Iterable[bytes]:
    for head in (b"\0\0", b"\1\0", b"\2\1"):
        yield (
            head
            + b"30\x00100\x005\x001700000060\x00Tue, 14 Nov 2023 22:13:20 GMT\x00"
            + b'{"error": {"retry_after": 5}}\0'
        )
        yield head + b"Tue, 14 Nov 2099 22:13:20 GMT\x001000\x000\x001700000060000\x00\x00{}\0"
        yield (
            head + b"soon\x00nan\x00-1\x002023-11-14T22:13:20Z\x00garbage\x00" + b'{"error": {"retry_after": "1e9"}}\0'
        )
    yield b"\0\0\xd9\xa3\x00100, 100;w=60\x00" + b"0\x009999999999999999\x00\x00null"


WORDS = (
    b"1e400",
    b"nan",
    b"-5",
    b"1700000000",
    b"1700000000000",
    b"Tue, 14 Nov 2023 22:13:20 ",
    b"GMT",
    b"+9999",
    b"inf",
)
WORDS += (
    b"0001-01-01T00:00:00",
    b"9999-12-31T23:59:59-23:59",
    b'"retry_after": ',
    b"\xa0",
    b"1 Jan 0 0:0:0",
    b"99999999999",
)
TARGETS = (Target("rates", run, seeds, WORDS),)

"""One token and all who call with it: the agent, and a person who takes a tenth. Every call is counted and judged.

The judge knows windows and moments, nothing of the agent's budget: no trailing window may hold more calls than its
limit, which is stricter than any window that opens and closes by a clock.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Any

import httpx

from tests.simulation.in_process import InProcess
from tests.simulation.virtual_time import VirtualClock

WINDOWS = ((100, 60.0), (1000, 3600.0))
"""What the DataOS page prints, for each token."""


class Meter:
    """Moments of all calls as the server counts them. ``full`` is the fullest that each window has ever been."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._recent = [deque[float]() for _ in WINDOWS]
        self.full = [0 for _ in WINDOWS]
        self.calls = {"agent": 0, "person": 0}
        self.throttled = {"agent": 0, "person": 0}

    def count(self, who: str) -> None:
        now = self._clock.monotonic()
        self.calls[who] += 1
        for place, (recent, (_, seconds)) in enumerate(zip(self._recent, WINDOWS, strict=True)):
            recent.append(now)
            while recent[0] <= now - seconds:
                recent.popleft()
            self.full[place] = max(self.full[place], len(recent))

    @property
    def exceeded(self) -> list[str]:
        """One sentence for each window that ever held too much."""
        return [
            f"{most} calls in {seconds:.0f} s, {limit} are allowed"
            for most, (limit, seconds) in zip(self.full, WINDOWS, strict=True)
            if most > limit
        ]


class Line(httpx.AsyncBaseTransport):
    """The way of one caller to the sandbox: each call takes its time there and back, and is counted in between."""

    def __init__(self, app: Any, clock: VirtualClock, meter: Meter, who: str, chance: random.Random) -> None:
        self._inner = InProcess(app)
        self._clock = clock
        self._meter = meter
        self._who = who
        self._chance = chance

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._clock.sleep(self._chance.uniform(0.02, 0.2))
        self._meter.count(self._who)
        response = await self._inner.handle_async_request(request)
        self._meter.throttled[self._who] += response.status_code == 429
        await self._clock.sleep(self._chance.uniform(0.02, 0.2))
        return response


async def person(line: Line, clock: VirtualClock, chance: random.Random, token: str) -> None:
    """Looks around by hand for as long as it is let: a tenth of each window at the most, in bursts and pauses."""
    spent: deque[float] = deque()
    while True:
        await clock.sleep(chance.expovariate(1 / 400.0))
        for _ in range(chance.randint(1, 10)):
            now = clock.monotonic()
            while spent and spent[0] <= now - 3600.0:
                spent.popleft()
            lately = sum(1 for moment in spent if moment > now - 60.0)
            if len(spent) >= 100 or lately >= 10:
                break
            spent.append(now)
            url = "http://sandbox.example/v1/resources?type=workflow&workspace=public&limit=1"
            request = httpx.Request("GET", url, headers={"authorization": f"Bearer {token}"})
            response = await line.handle_async_request(request)
            await response.aread()
            await clock.sleep(chance.uniform(0.3, 4.0))


def person_beside(app: Any, clock: VirtualClock, meter: Meter, seed: int, token: str) -> asyncio.Future[None]:
    chance = random.Random(f"person/{seed}")
    return asyncio.ensure_future(person(Line(app, clock, meter, "person", chance), clock, chance, token))

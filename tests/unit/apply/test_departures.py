"""Deletes that wait for one another end: with another one gone, or with nobody left to wait for."""

from __future__ import annotations

import asyncio

from agent.apply.departures import Departures


async def test_one_that_waits_goes_on_when_another_is_gone() -> None:
    departures = Departures(2)
    waiting = asyncio.ensure_future(departures.after_another(0))
    await asyncio.sleep(0)
    assert not waiting.done()
    await departures.ended(True)
    assert await waiting is True


async def test_one_that_waits_gives_up_when_the_others_ended_without_success() -> None:
    departures = Departures(3)
    waiting = asyncio.ensure_future(departures.after_another(0))
    await departures.ended(False)
    await asyncio.sleep(0)
    assert not waiting.done()
    await departures.ended(False)
    assert await waiting is False


async def test_those_that_wait_for_each_other_all_give_up() -> None:
    departures = Departures(3)
    async with departures.aside():  # the third waits for one of the two
        first, second = departures.after_another(0), departures.after_another(0)
        assert await asyncio.gather(first, second) == [False, False]


async def test_what_went_before_the_wait_began_counts() -> None:
    departures = Departures(2)
    await departures.ended(True)
    assert await departures.after_another(0) is True

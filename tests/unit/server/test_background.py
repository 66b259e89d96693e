"""Steps that block run beside the loop, a few at a time."""

from __future__ import annotations

import asyncio
import threading

import pytest
from starlette.exceptions import HTTPException

from agent.server.background import Background


async def test_the_loop_goes_on_while_a_step_blocks() -> None:
    background, gate = Background(), threading.Event()
    waiting = asyncio.ensure_future(background.run(lambda: gate.wait(10) and "read"))
    await asyncio.sleep(0)
    assert not waiting.done()
    gate.set()
    assert await waiting == "read"
    background.close()


async def test_what_a_step_raises_is_raised() -> None:
    background = Background()

    def step() -> None:
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        await background.run(step)
    background.close()


async def test_too_many_are_told_to_come_later_and_room_comes_back() -> None:
    background, gate = Background(threads=1, waiting_max=3), threading.Event()
    waiting = [asyncio.ensure_future(background.run(lambda: gate.wait(10))) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(HTTPException) as caught:
        await background.run(lambda: None)
    assert caught.value.status_code == 503
    waiting[0].cancel()  # its thread works on, so there is no room for another yet
    await asyncio.sleep(0)
    with pytest.raises(HTTPException):
        await background.run(lambda: None)
    gate.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await background.run(lambda: "room") == "room"
    background.close()

"""The outbox in virtual time: order, attempts and their pauses, sinks that fail beside sinks that do not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from agent.model.alert import Message
from agent.notify.sending import NotSent, Sender, Sink
from agent.store.store import Store
from tests.simulation.virtual_time import VirtualClock, VirtualLoop, run


class Play:
    """A store, its sender and sinks that do as they are told."""

    def __init__(self, folder: Path, loop: VirtualLoop) -> None:
        self.clock = VirtualClock(loop)
        self.store = Store.open(f"sqlite:///{folder / 'state.db'}", clock=self.clock)
        self.arrived: list[tuple[str, str, float]] = []
        self.attempts: list[tuple[str, float]] = []
        self.faults: dict[str, list[NotSent]] = {}
        self.sinks: dict[str, Sink] = {name: self.sink(name) for name in ("pager", "chat")}
        self.began = self.clock.now()

    def sink(self, name: str) -> Sink:
        async def sent(message: Message) -> None:
            self.attempts.append((name, round(self.clock.now() - self.began)))
            if self.faults.get(name):
                raise self.faults[name].pop(0)
            self.arrived.append((name, message.id, round(self.clock.now() - self.began)))

        return sent

    def sender(self) -> Sender:
        return Sender(self.store, lambda: self.sinks, self.clock, random.Random(1))

    def put(self, *messages: tuple[str, str]) -> None:
        now = self.clock.now()
        self.store.keep_alerts(
            "main", [], [], [Message(0, id_, sink, {"type": "t"}, now, now) for sink, id_ in messages]
        )

    def waiting(self) -> int:
        rows = self.store.query("SELECT count(*) FROM outbox", {})
        return int(rows[0][0])


def play(folder: Path, story: Callable[[Play], Coroutine[Any, Any, None]]) -> None:
    loop = VirtualLoop()
    at = Play(folder, loop)

    async def whole() -> None:
        running = asyncio.ensure_future(at.sender().run())
        try:
            await story(at)
        finally:
            running.cancel()

    try:
        run(whole(), loop)
    finally:
        at.store.close()


def test_each_message_arrives_once_and_in_its_order(tmp_path: Path) -> None:
    async def story(at: Play) -> None:
        at.put(("pager", "a"), ("chat", "a"), ("pager", "b"))
        await asyncio.sleep(130)
        assert [(sink, id_) for sink, id_, _ in at.arrived] == [("pager", "a"), ("chat", "a"), ("pager", "b")]
        assert at.waiting() == 0

    play(tmp_path, story)


def test_a_sink_that_fails_rests_longer_and_longer_and_keeps_its_order(tmp_path: Path) -> None:
    async def story(at: Play) -> None:
        at.faults["pager"] = [NotSent("down") for _ in range(6)]
        at.put(("pager", "a"), ("pager", "b"), ("chat", "c"))
        await asyncio.sleep(3600)
        tried = [moment for sink, moment in at.attempts if sink == "pager"]
        pauses = [later - earlier for earlier, later in pairwise(tried[:7])]
        assert all(5 * 2**turn * 0.7 <= pause <= 5 * 2**turn * 1.3 + 2 for turn, pause in enumerate(pauses)), pauses
        assert [id_ for sink, id_, _ in at.arrived if sink == "pager"] == ["a", "b"]
        assert ("chat", "c") in [(sink, id_) for sink, id_, moment in at.arrived if moment < 70]
        assert len(tried) == 8, "six in vain, and two"

    play(tmp_path, story)


def test_what_a_sink_asks_for_is_waited_for_and_what_it_refuses_is_dropped(tmp_path: Path) -> None:
    async def story(at: Play) -> None:
        at.faults["pager"] = [NotSent("slowly", wait_seconds=300.0), NotSent("no", never=True)]
        at.put(("pager", "a"), ("pager", "b"))
        await asyncio.sleep(600)
        assert [(id_, moment >= 300) for _, id_, moment in at.arrived] == [("b", True)]
        assert at.waiting() == 0

    play(tmp_path, story)


def test_what_one_process_left_the_next_one_sends_and_what_has_no_sink_goes(tmp_path: Path) -> None:
    async def story(at: Play) -> None:
        hung: Mapping[str, Sink] = {"pager": lambda message: asyncio.sleep(10**6)}
        at.sinks = dict(hung)
        at.put(("pager", "a"), ("gone", "b"))
        await asyncio.sleep(70)
        assert at.arrived == []
        at.sinks = {"pager": at.sink("pager")}
        other = asyncio.ensure_future(at.sender().run())
        await asyncio.sleep(200)
        other.cancel()
        assert [id_ for _, id_, _ in at.arrived] == ["a"]
        assert at.waiting() == 0

    play(tmp_path, story)

"""An event that comes to one agent and is about another one's target: two real loops on one store, in virtual time."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

from agent.reconcile.inbox import Inbox
from agent.reconcile.relay import Relay
from tests.platforms.folders import loaded
from tests.simulation.replicas import Replica, SharedStore, World
from tests.simulation.virtual_time import VirtualLoop, run

DEFAULTS = {"workspace": "public"}


def _told(replica: Replica) -> Relay:
    """What ``run`` puts beside a loop that shares its targets."""
    loop, platform = replica.loop, loaded("dataos/v1")
    assert loop is not None and loop.tenure is not None
    relay = Relay(replica.store, loop.tenure, lambda: loop.inboxes, replica.clock, loop.targets[0].blocking)

    def wake() -> None:
        replica.wakeups.poke("event")
        relay.stir()

    loop.inboxes = {each.name: Inbox(platform, DEFAULTS, replica.clock, wake) for each in loop.targets}
    loop.tenure.beside = relay.take
    return relay


def _mine(replica: Replica) -> set[str]:
    assert replica.loop is not None and replica.loop.tenure is not None
    return replica.loop.tenure.mine


def test_an_event_reaches_the_home_of_its_target_about_a_second_later(tmp_path: Path) -> None:
    loop = VirtualLoop(random.Random("relay"))
    asyncio.set_event_loop(loop)
    world = World(1, tmp_path, loop, SharedStore)
    world.is_over = True  # nobody is killed

    async def story() -> None:
        world._begin()
        world._begin()
        await asyncio.sleep(60.0)
        relays = [_told(replica) for replica in world.replicas]
        running = [asyncio.ensure_future(relay.run()) for relay in relays]
        home, other = sorted(world.replicas, key=lambda each: "t0" not in _mine(each))
        assert home.loop is not None and other.loop is not None
        by_hand = {"workflow": {"schedule": {"cron": "0 9 * * *"}}}
        world.sandbox.person_edit("workflow", "t0-w0", by_hand, workspace="public")
        event = {"event": "resource.updated", "resource": {"type": "workflow", "name": "t0-w0"}}
        for _ in range(50):
            assert other.loop.inboxes["t0"].receive(json.dumps(event).encode()) == "accepted"
        await asyncio.sleep(1.3)
        assert home.loop.inboxes["t0"].counts["heard"] == 1, "fifty of one are one"
        assert other.loop.inboxes["t0"].counts["passed on"] == 1 and not other.loop.inboxes["t0"].waiting(1)
        await asyncio.sleep(3.0)
        world._as_git_says()  # its home has looked, and put back what git says
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for replica in world.replicas:
            await replica.end()

    run(story(), loop)
    world.sandbox.close()
    assert world.violations == []

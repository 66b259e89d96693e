"""What happens in a story, word by word: each method is one of its words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from tests.simulation.full.agent import Agent
from tests.simulation.full.at_work import Working
from tests.simulation.full.referee import label_of
from tests.simulation.full.store import Trouble
from tests.simulation.full.tale import Happening
from tests.simulation.full.world import TOKEN, World


class Happenings:
    """``agents[0]`` is the one that things happen to; ``later`` is what goes on beside the story."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.agents: list[Agent] = []
        self.later: list[asyncio.Future[None]] = []
        self.working: Working | None = None
        """The first agent's loop, where it has one."""
        self.slow_from = self.slow_until = -1.0
        """An outage: in it agents look more and more seldom."""
        self.put_off = 0.0
        """Seconds by which outages have moved what comes after them."""

    async def happen(self, happening: Happening) -> None:
        world, details = self.world, happening.details
        world.say(f"{happening.what} {details.get('rule', details) if happening.what != 'commit' else ''}")
        act: Callable[..., Any] = getattr(self, f"_{happening.what}")
        acted = act(**details)
        if isinstance(acted, Coroutine):
            await acted

    # What happens

    def _commit(self, files: dict[str, str]) -> None:
        source = self.world.source
        before = dict(source.revisions[-1][1]) if source.revisions else {}
        source.commit({path: text.encode() for path, text in files.items()})
        self._mark_commit(before, dict(source.revisions[-1][1]))
        if self.working is not None and self.world.chance.random() < 0.7:
            self.working.stir()  # else the next look finds it

    def _mark_commit(self, before: dict[str, str], after: dict[str, str]) -> None:
        """Which rows of section 6 this commit is."""
        world = self.world
        reached = world.reached
        told = [json.loads(world.source.blobs[blob]) for path, blob in after.items() if path.endswith(".json")]
        names = [each["metadata"]["name"] for each in told]
        reached["G3"] += bool(before) and not after
        reached["G8"] += any(path not in before and blob in before.values() for path, blob in after.items())
        reached["G10"] += len(names) != len(set(names))
        reached["G11"] += any(not isinstance(each["spec"], dict) for each in told)
        lives = [each.get("lifecycle") or {} for each in told]
        reached["G9"] += any("movedFrom" in life for life in lives)
        needs = {
            name: [needed.rpartition("/")[2] for needed in life.get("dependsOn", ())]
            for name, life in zip(names, lives, strict=True)
        }
        edges = [(name, other) for name, others in needs.items() for other in others]
        reached["G15"] += any(other not in needs or name in needs[other] for name, other in edges)
        reached["G16"] += bool(edges) and bool(world.sandbox.faults.rules or world.story.cell.fail_share)

    def _fault(self, rule: dict[str, Any]) -> None:
        self.world.sandbox.faults.add({**rule, "label": f"row {rule['label']}"})

    def _lie(self, rule: dict[str, Any]) -> None:
        self.world.lies.append({**rule})

    async def _person(self, does: str, pick: int) -> None:
        people = self.world.people
        place = people.picked(pick)
        if does == "make":
            await people.make_another(pick)
        elif place is None:
            return
        elif does == "edit":
            people.edit(place)
        elif does == "delete":
            self.world.reached["H5"] += people.delete(place)
        else:
            await people.make_again(place)

    def _race(self, **race: Any) -> None:
        self.world.races.append(race)

    def _disk(self, code: str, commits: int, skip: int) -> None:
        main = self.agents[0]
        main.trouble = Trouble(code, commits, skip)
        main.target.store.trouble = main.trouble  # type: ignore[attr-defined]

    def _restart(self, store: str, pick: float) -> None:
        self.agents[0].restart, self.agents[0].pick = store, pick

    def _clock(self, ahead: float) -> None:
        self.world.clock.wrong_by += ahead
        self.world.reached["T1"] += 1

    def _doom(self, point: str, after: str) -> None:
        self.agents[0].life.doom = (point, after)

    def _freeze(self, seconds: float, skip: int = 0, point: str = "") -> None:
        def freeze() -> None:
            self.world.loop.jump(seconds)
            self.world.reached["T2"] += 1

        if point:
            self.agents[0].life.at[point] = freeze
        else:
            self.agents[0].life.next.append((skip, freeze))

    def _stop(self, skip: int, grace: float) -> None:
        main = self.agents[0]
        main.life.next.append((skip, lambda: main.stop(grace)))

    def _source(self, how: str, fetches: int) -> None:
        self.world.source.how, self.world.source.fetches = how, fetches

    async def _token(self, how: str, seconds: float) -> None:
        """Revoked and given back, replaced by another whose file comes later, or a login that ends early."""
        sandbox, world = self.world.sandbox, self.world
        if how == "expired":
            for token in [*sandbox.tokens.values()]:
                if token.value != world.secret and token.expires is not None:
                    sandbox.revoke_token(token.value)
                    world.reached["A36"] += 1
            return
        new = world.secret if how == "revoked" else f"{TOKEN}-{len(sandbox.tokens)}"
        sandbox.revoke_token(world.secret)
        if how == "rotated":
            sandbox.create_token(None, value=new)
        await asyncio.sleep(seconds)
        if how == "revoked":
            sandbox.create_token(None, value=new)
        world.secret = new
        world.reached["C3" if how == "rotated" else "C1"] += 1

    async def _outage(self, seconds: float) -> None:
        world, faults = self.world, self.world.sandbox.faults
        self.slow_from, self.slow_until = world.loop.time(), world.loop.time() + seconds
        faults.add({"fault": "unavailable", "label": "outage"})
        await asyncio.sleep(seconds)
        self.put_off += seconds
        faults.rules = [rule for rule in faults.rules if rule.label != "outage"]

    def _backup(self, later: float, **_: Any) -> None:
        world = self.world
        kept = dict(world.alive)

        async def restore() -> None:
            await asyncio.sleep(later)
            for place in sorted({*world.alive} - {*kept}, key=str):
                if world.sample_of(label_of(world.alive[place])) is not None:
                    world.people.delete(place)
            for place, commit in sorted(kept.items(), key=str):
                if place in world.alive and world.alive[place] is not commit:
                    world.people.edit(place)
            world.reached["A28"] += 1
            world.say("the platform is restored from a backup")

        self.later.append(asyncio.ensure_future(restore()))

    def _quota(self, calls: int, **_: Any) -> None:
        world = self.world
        world.others_spend = True
        for _number in range(calls):
            world.sandbox.limiter.spend(world.secret, world.true.now())

    def _nowhere(self, passes: int) -> None:
        self.agents[0].nowhere = passes

    def _second(self, **_: Any) -> None:
        self.agents[0].second_start()

    def _check(self, **_: Any) -> None:
        self.world.reached["H6"] += 1
        self.later += [asyncio.ensure_future(self.agents[0].check()) for _ in range(2)]

"""The short form of ``python -m tests.simulation.fleet``, and what it plays held against the agent's own code."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.reconcile.schedule import oldest
from tests.simulation.fleet.__main__ import SHORT
from tests.simulation.fleet.alarms import Alarms
from tests.simulation.fleet.beside import Story, apart, played, really
from tests.simulation.fleet.costs import read_costs
from tests.simulation.fleet.play import Fleet
from tests.simulation.fleet.table import lines_of, store_bytes
from tests.simulation.fleet.turns import chunks_of
from tests.simulation.fleet.world import Plan, make_world, platform_of
from tests.simulation.week import quiet


class Watched(Fleet):
    """Every call is counted once more, without the agent's own windows: (moment, calls) by credential."""

    def spend(self, target: int, purpose: object, number: int, until: float) -> None:
        super().spend(target, purpose, number, until)  # type: ignore[arg-type]
        if number:
            self.__dict__.setdefault("sent", {}).setdefault(self.world.credentials[target], []).append((until, number))

    def fullest(self) -> float:
        """The fullest that any window of a platform ever was, as a share of what is ours of it."""
        most = 0.0
        for credential, sent in self.__dict__["sent"].items():
            sent.sort()
            for window in platform_of(self.world.platforms[credential]).budget.windows:
                first = held = 0
                for moment, number in sent:
                    held += number
                    while sent[first][0] <= moment - window.seconds:
                        held -= sent[first][1]
                        first += 1
                    most = max(most, held / int(window.requests * (1 - self.plan.reserve)))
        return most


@pytest.mark.parametrize("ahead", [False, True], ids=["as it is", "with the next steps"])
def test_every_target_has_one_holder_and_no_budget_is_exceeded(ahead: bool) -> None:
    plan = replace(SHORT, ahead=ahead, seed=4)
    fleet = Watched(make_world(plan), 3, read_costs())
    told = fleet.play()
    shown = "\n".join(lines_of([told], read_costs()))
    assert told.violations == [], shown
    assert fleet.fullest() <= 1.0, shown
    assert told.stretched == 0 and told.ages.most <= plan.goal, f"budgets allow all goals\n{shown}"
    assert told.waiting == 0 and told.live.number > 0 and told.mass.number == plan.mass, f"nobody starves\n{shown}"
    assert told.victims > 0 == told.homeless, shown
    assert told.takeover.most <= plan.lease + plan.patience + 2.0, f"within a lease, a patience and a tick\n{shown}"
    assert {"list", "sweep", "look", "write", "confirm"} == set(told.calls), shown
    assert 0 < store_bytes(told, read_costs(), "sqlite") < 10e6, shown


def test_one_replica_that_is_too_slow_is_told() -> None:
    """Two hundred targets in a minute's interval are more than one walk a second can look at."""
    plan = Plan(resources=2000, targets=200, days=0.1, interval=60.0, goal=3600.0, changed=0.0, mass=0, kill=9.0)
    few, more = (Fleet(make_world(plan), count, read_costs()).play() for count in (1, 8))
    assert few.busy > 0.95 > more.busy
    assert few.late.at(0.5) > 30.0 > more.late.at(0.95)


def test_a_ring_is_what_the_sweep_would_choose() -> None:
    """The oldest first: where all are read in turn, that is one after the other."""
    fleet = Fleet(make_world(replace(SHORT, seed=4)), 1, read_costs())
    target = max(range(fleet.count), key=fleet.world.swept.__getitem__)
    platform, goal = platform_of(fleet.world.platforms[target]), fleet.plan.goal
    kind = next(name for name in fleet.world.objects[target] if name in platform.kinds)
    count, first = fleet.world.swept[target], fleet.first[target]
    keys = [Key("t", kind, (), f"{place:04}") for place in range(count)]
    for now in (10.0, 20.0, 30.0):
        seen = fleet.seen_at[first : first + count]
        rows = {key: InventoryRow(key, "u", seen_at=at) for key, at in zip(keys, seen, strict=True)}
        wanted = oldest(rows, platform.kinds, lambda kind: goal, now, 3, {})
        fleet.sweep_due[target], fleet.listed_at[target] = now, now
        fleet.clock.time = now
        budget = fleet.budgets[fleet.world.credentials[target]]
        assert fleet._slice(target, now, budget, replace(fleet.rhythms[target], reads_per_second=0.1)) == 3
        assert {key for key, at in zip(keys, fleet.seen_at[first : first + count], strict=True) if at == now} == {
            *wanted
        }


def test_the_play_does_what_real_agents_do() -> None:
    """The short form of ``python -m tests.simulation.fleet.beside``."""
    quiet()
    story = Story(targets=16, seconds=60.0, pause=3.0, lease=6.0)
    real, told = really(story), played(story)
    assert apart(real, told, 0.25) == set(), f"really {real}, played {told}"
    assert real["turns"] > 50 < real["passed on"] and real["hastened"] > 10, "there was something to compare"


def test_an_alarm_rings_once_at_the_earliest_moment_it_was_set_to() -> None:
    alarms = Alarms(3)
    alarms.fill([(5.0, 0), (7.0, 1)])
    for which, at in ((0, 9.0), (1, 6.0), (2, 8.0), (1, 7.0)):
        alarms.set(which, at)
    assert alarms.first() == 5.0
    assert [*alarms.ringing(4.0)] == []
    assert [*alarms.ringing(6.5)] == [0, 1]
    alarms.set(0, 9.0)
    assert [*alarms.ringing(9.0)] == [2, 0]
    assert alarms.first() == math.inf


def test_calls_in_a_row_are_few_rows_of_the_ledger() -> None:
    assert [chunks_of(calls) for calls in (1, 2, 3)] == [1, 3, 2]
    assert chunks_of(100) < 20

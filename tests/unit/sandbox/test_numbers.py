"""Ids are never used twice."""

from __future__ import annotations

from agent.sandbox import World
from agent.sandbox.numbers import Numbers
from agent.sandbox.shelf import Shelf


def test_numbers_go_on_after_a_restart(tmp_path):
    world = World(state=tmp_path / "state.db")
    numbers = Numbers(Shelf(world, "here"))
    assert [numbers.next(), numbers.next()] == [101, 102]
    world.close()
    again = World(state=tmp_path / "state.db")
    assert Numbers(Shelf(again, "here")).next() == 103
    again.close()


def test_each_platform_counts_for_itself():
    world = World()
    first, second = Numbers(Shelf(world, "a")), Numbers(Shelf(world, "b"), before_first=0)
    assert [first.next(), second.next(), first.next()] == [101, 1, 102]
    assert not world.commits

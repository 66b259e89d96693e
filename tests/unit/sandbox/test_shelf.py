"""Records by kind and scope, now and as they were, and ids that are never given twice."""

from __future__ import annotations

import pytest

from agent.sandbox import World
from agent.sandbox.shelf import REMEMBERED_SECONDS, Shelf
from agent.sandbox.world import Author
from tests.unit.sandbox.support import VirtualClock

PERSON = Author("ana", person=True)


@pytest.fixture
def world() -> World:
    return World(clock=VirtualClock())


def put(shelf: Shelf, name: str, value: int | None) -> None:
    before = shelf.get("job", "t", name)
    after = None if value is None else {"value": value}
    shelf.commit("job", "t", name, after, PERSON, before=before, after=after)


def test_a_stale_read_shows_what_was_there(world):
    shelf = Shelf(world, "p")
    put(shelf, "a", 1)
    world.clock.at += 10
    put(shelf, "a", 2)
    put(shelf, "b", 1)
    world.clock.at += 10
    put(shelf, "a", None)
    assert shelf.all("job", "t") == {"b": {"value": 1}}
    assert shelf.all("job", "t", lag=5) == {"a": {"value": 2}, "b": {"value": 1}}
    assert shelf.all("job", "t", lag=15) == {"a": {"value": 1}}
    assert shelf.all("job", "t", lag=25) == {}
    assert shelf.get("job", "t", "a", lag=15) == {"value": 1}


def test_what_is_kept_was_there_for_a_stale_read_too(world):
    shelf = Shelf(world, "p")
    shelf.keep("team", "", "t", {"name": "t"})
    assert shelf.get("team", "", "t", lag=60) == {"name": "t"}
    assert world.commits == []


def test_changes_are_forgotten_after_an_hour(world):
    shelf = Shelf(world, "p")
    put(shelf, "a", 1)
    world.clock.at += REMEMBERED_SECONDS + 1
    put(shelf, "b", 1)
    assert shelf.all("job", "t", lag=REMEMBERED_SECONDS + 1) == {"a": {"value": 1}}


def test_records_and_ids_survive_a_restart(tmp_path):
    numbers = []
    for _ in range(2):
        world = World(clock=VirtualClock(), state=tmp_path / "state.db")
        shelf = Shelf(world, "p")
        numbers.append((shelf.number(), shelf.unique()))
        put(shelf, f"n{numbers[-1][0]}", 1)
        assert next(iter(shelf.all("job", "t"))) == "n1"
        assert shelf.scopes("job") == ["t"]
        world.close()
    assert len(set(numbers)) == 2 and numbers[1][0] > numbers[0][0]


def test_each_platform_has_a_shelf_of_its_own(world):
    put(Shelf(world, "p"), "a", 1)
    assert Shelf(world, "q").all("job", "t") == {}
    assert Shelf(world, "p").all("job", "t") == {"a": {"value": 1}}

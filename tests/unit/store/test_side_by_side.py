"""What agents and people write into one store at the same moment, over both databases: nobody is refused for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from agent.clock import AgreedClock
from agent.model.alert import Message
from agent.store.holding import Sharing
from agent.store.store import Store
from tests.unit.store.builders import HandClock

MANY, TIMES = 6, 12


@pytest.fixture
def many(url: str, store: Store, clock: HandClock) -> Iterator[list[Store]]:
    """Other processes on the same store."""
    found = [Store.open(url, clock=clock) for _ in range(MANY)]
    yield found
    for each in found:
        each.close()


def at_once(many: list[Store], act: Callable[[Store, int], object]) -> None:
    """Each does it again and again, beside the others; what one of them raises is raised here."""
    begin, failed = threading.Barrier(len(many)), list[BaseException]()

    def play(each: Store) -> None:
        begin.wait()
        try:
            for turn in range(TIMES):
                act(each, turn)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=play, args=(each,)) for each in many]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def test_requests_of_many_people_have_numbers_of_their_own(store: Store, many: list[Store]) -> None:
    numbers: list[int] = []
    at_once(many, lambda each, turn: numbers.extend(each.ask(["analytics", "lake"], None, "ann")))
    assert sorted(numbers) == list(range(1, 2 * MANY * TIMES + 1))
    assert {one.number for one in store.asked()} == set(numbers)


def test_messages_of_many_agents_are_all_sent(store: Store, many: list[Store]) -> None:
    def send(each: Store, turn: int) -> None:
        name = f"{many.index(each)}-{turn}"
        each.keep_alerts(f"t{many.index(each)}", [], [], [Message(0, name, "chat", {"id": name}, 1.0, 1.0, 0)])

    at_once(many, send)
    due = store.due_messages(1000)
    assert len({one.id for one in due}) == len({one.number for one in due}) == MANY * TIMES


def test_many_agents_refuse_a_configuration_and_take_the_next_one(store: Store, many: list[Store]) -> None:
    at_once(many, lambda each, turn: each.refuse_config({"message": "1 mistake"} if turn % 2 == 0 else None))
    store.refuse_config({"message": "2 mistakes"})
    store.refuse_config(None)


def test_a_person_whose_clock_is_wrong_speaks_in_the_time_of_the_server(server_url: str, clock: HandClock) -> None:
    """A request that seems to be of yesterday would be nobody's, and a suspension of an hour be over, or last a day."""
    agent, own = Store.open(server_url, clock=AgreedClock(HandClock())), AgreedClock(clock)
    agent.share(Sharing("one", 30.0, 10.0), ["analytics"])
    person = Store.open(server_url, clock=own)
    clock.time -= 86_400.0
    person.agree_time()
    person.ask(["analytics"], None, "ann")
    assert [one.target for one in agent.asked()] == ["analytics"]
    assert own.now() > clock.time + 86_000.0
    for each in (agent, person):
        each.close()

"""One agent at a time works at a target, over both databases. Two stores stand for two processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from agent.errors import LeaseLost
from agent.store.holding import MARGIN_SECONDS, Lease, Sharing
from agent.store.leases import EPOCH_JUMP, Standing, may_wait
from agent.store.store import Store
from tests.unit.store.builders import STATUS, HandClock, intent, key, report, row, url_of

TARGET = "analytics"
SECONDS, PATIENCE, CALL = 30.0, 10.0, 9.0


@pytest.fixture
def other(url: str, store: Store, clock: HandClock) -> Iterator[Store]:
    """Another process on the same store; both share it."""
    other = Store.open(url, clock=clock)
    store.share(Sharing("one", SECONDS, PATIENCE), [TARGET])
    other.share(Sharing("two", SECONDS, PATIENCE), [TARGET])
    yield other
    other.close()


@pytest.fixture
def later(store: Store, clock: HandClock) -> Callable[[float], None]:
    """Lets time pass: on the clocks of this machine, and on that of the leases, which a server keeps for itself."""

    def pass_by(seconds: float) -> None:
        clock.time += seconds
        if store._path is None:
            with store._write() as connection:
                connection.execute(
                    text("UPDATE lease SET lease_until = lease_until - :s, due_at = due_at - :s"), {"s": seconds}
                )

    return pass_by


def claimed(store: Store, *, anyhow: bool = False) -> Lease:
    lease = store.claim(TARGET, CALL, anyhow=anyhow)
    assert isinstance(lease, Lease), lease
    return lease


def refused(store: Store, *, anyhow: bool = False) -> float:
    wait = store.claim(TARGET, CALL, anyhow=anyhow)
    assert not isinstance(wait, Lease)
    return wait


@pytest.mark.parametrize(
    ("holder", "home", "lasts", "due_in", "anyhow", "wait"),
    [
        (None, None, 0.0, -1.0, False, 0.0),  # nobody's, and due
        (None, None, 0.0, 5.0, False, 5.0),
        (None, "me", 0.0, 50.0, False, 0.0),  # its home takes it when it likes
        (None, "you", 0.0, -9.0, False, 1.0),  # the others are patient
        (None, "you", 0.0, -10.0, False, 0.0),
        ("you", "you", 7.0, -99.0, False, 7.0),
        ("you", "me", 7.0, -99.0, True, 7.0),  # a person waits for the end of a lease too
        ("you", "you", 0.0, -10.0, False, 0.0),  # a lease that is over
        ("you", "you", 0.0, -1.0, True, 0.0),
        ("me", "me", 7.0, 50.0, False, 0.0),  # a claim of ours whose answer was lost
    ],
)
def test_who_may_take_a_target_and_when(
    holder: str | None, home: str | None, lasts: float, due_in: float, anyhow: bool, wait: float
) -> None:
    standing = Standing(TARGET, holder, home, 3, lasts, due_in, 0.0, None)
    assert may_wait(standing, "me", PATIENCE, anyhow=anyhow) == wait


@pytest.mark.row("H1")
def test_a_lease_keeps_the_others_away_until_it_ends(
    store: Store, other: Store, later: Callable[[float], None]
) -> None:
    first = claimed(store)
    assert (first.epoch, first.foreign, first.inherited) == (1, False, False)
    assert SECONDS - 5 < refused(other) <= SECONDS
    assert SECONDS - 5 < refused(other, anyhow=True) <= SECONDS
    later(SECONDS + 1)
    second = claimed(other)
    assert (second.epoch, second.foreign, second.inherited) == (2, True, True)
    assert refused(store) > 0


def test_a_lease_that_is_given_back_is_taken_by_its_home_at_once_and_by_others_when_it_is_overdue(
    store: Store, other: Store, later: Callable[[float], None]
) -> None:
    assert store.give_back(claimed(store), 60.0, "f" * 40)
    assert 60 < refused(other) <= 60.0 + PATIENCE
    again = claimed(store)
    assert (again.foreign, again.inherited) == (False, False)
    store.give_back(again, 60.0, None)
    later(60.0 + PATIENCE + 1)
    assert other.may_take(()) == {TARGET}
    assert claimed(other).inherited is False
    assert claimed(other).foreign is False, "nobody was there in between"


@pytest.mark.row("T3")
def test_a_heartbeat_prolongs_a_lease_and_one_that_comes_too_late_is_told(
    store: Store, other: Store, clock: HandClock, later: Callable[[float], None]
) -> None:
    lease = claimed(store)
    later(SECONDS - 1)
    store.extend(lease)
    assert lease.ends_at == clock.monotonic() + SECONDS
    later(SECONDS - 1)
    assert refused(other) > 0
    later(2)
    claimed(other)
    with pytest.raises(LeaseLost):
        store.extend(lease)
    assert store.give_back(lease, 1.0, None) is False


@pytest.mark.row("H1", "T2")
@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.put_rows([row("new")]),
        lambda store: store.forget(key(), True),
        lambda store: store.open_intent(intent("op-2"), row(), None),
        lambda store: store.close_intent("op-1", "done", row=row("new")),
        lambda store: store.finish(report("pass-1"), {}, STATUS),
        lambda store: store.remember_target(TARGET, {"admitted": "x"}),
    ],
    ids=["put_rows", "forget", "open_intent", "close_intent", "finish", "remember_target"],
)
def test_what_a_former_holder_still_writes_is_refused_and_leaves_nothing(
    store: Store, other: Store, later: Callable[[float], None], write: Callable[[Store], object]
) -> None:
    claimed(store)
    store.put_rows([row()])
    store.open_intent(intent("op-1"), row(), None)
    later(SECONDS + 1)
    claimed(other)
    store._held.leases[TARGET].ends_at += 1000  # as if the process had been frozen, its clock with it
    with pytest.raises(LeaseLost):
        write(store)
    assert list(other.rows(TARGET)) == [key()]
    assert [each.intent.op_id for each in other.open_intents(TARGET)] == ["op-1"]
    assert other.target_memory(TARGET) == {}
    assert other.passes() == []


def test_without_a_lease_nothing_is_written_for_a_target(store: Store, other: Store) -> None:
    with pytest.raises(LeaseLost):
        store.put_rows([row()])
    store.give_back(claimed(store), 0.0, None)
    with pytest.raises(LeaseLost):
        store.put_rows([row()])


@pytest.mark.row("H3")
def test_a_call_begins_only_if_it_ends_before_the_lease_does(
    store: Store, other: Store, later: Callable[[float], None]
) -> None:
    claimed(store)
    later(SECONDS - CALL - MARGIN_SECONDS - 0.5)
    store.open_intent(intent("op-1"), row(), None)
    later(0.5)
    with pytest.raises(LeaseLost, match="ends before"):
        store.open_intent(intent("op-2"), row(), None)
    assert [each.intent.op_id for each in store.open_intents(TARGET)] == ["op-1"]


@pytest.mark.row("H3", "S7")
def test_a_commit_that_took_too_long_ends_in_no_call(store: Store, other: Store, clock: HandClock) -> None:
    claimed(store)
    fence = store._fence

    def slowly(connection: object, target: str) -> None:
        fence(connection, target)  # type: ignore[arg-type]
        clock.time += SECONDS - CALL

    store._fence = slowly  # type: ignore[method-assign]
    with pytest.raises(LeaseLost, match="ends before"):
        store.open_intent(intent("op-1"), row(), None)
    assert [each.intent.op_id for each in store.open_intents(TARGET)] == ["op-1"], "looked at by who comes next"


def test_an_intent_carries_the_epoch_of_its_lease(store: Store, other: Store) -> None:
    store.give_back(claimed(store), 0.0, None)
    claimed(store)
    store.open_intent(intent("op-1"), row(), None)
    assert [each.intent.epoch for each in store.open_intents(TARGET)] == [2]


@pytest.mark.row("K14")
def test_an_agent_that_ends_leaves_its_targets_to_the_others_at_once(store: Store, other: Store) -> None:
    claimed(store)
    store.leave()
    assert other.may_take(()) == {TARGET}
    assert claimed(other).inherited is False


def test_a_store_that_was_set_back_believes_no_lease_and_no_look(store: Store, other: Store, clock: HandClock) -> None:
    lease = claimed(store)
    store.put_rows([row(seen_at=clock.time)])
    other.set_back([TARGET], {"set_back": {"at": clock.time}})
    with pytest.raises(LeaseLost):
        store.put_rows([row("late")])
    with pytest.raises(LeaseLost):
        store.extend(lease)
    again = claimed(other)
    assert (again.epoch, again.foreign) == (lease.epoch + EPOCH_JUMP + 1, True)
    assert [each.seen_at for each in other.rows(TARGET).values()] == [None]
    assert other.target_memory(TARGET) == {"set_back": {"at": clock.time}}


def test_news_reach_the_home_unless_it_knows_them(store: Store, other: Store) -> None:
    store.give_back(claimed(store), 60.0, "a" * 40)
    assert store.may_take({TARGET}) == frozenset()
    assert other.hasten(TARGET, "a" * 40) is False
    assert store.may_take({TARGET}) == frozenset()
    assert other.hasten(TARGET, "b" * 40) is True
    assert store.may_take({TARGET}) == {TARGET}
    assert other.may_take(()) == frozenset(), "its home comes first"


def test_a_turn_that_began_before_it_was_due_does_not_make_another_one_due(store: Store, other: Store) -> None:
    store.give_back(claimed(store), 60.0, "a" * 40)
    lease = claimed(store)
    assert store.may_take({TARGET}) == frozenset()
    store.give_back(lease, 60.0, "b" * 40)
    assert store.may_take({TARGET}) == frozenset()


def test_a_hint_is_heard_when_an_agent_leaves_or_passes_news_on(server_url: str, clock: HandClock) -> None:
    one, two = Store.open(server_url, clock=clock), Store.open(server_url, clock=clock)
    for store, name in ((one, "one"), (two, "two")):
        store.share(Sharing(name, SECONDS, PATIENCE), [TARGET])
    heard = threading.Semaphore(0)
    listener = two.listen(heard.release)
    assert listener is not None
    for _ in range(100):  # until the session listens
        one.leave()
        if heard.acquire(timeout=0.2):
            break
    else:
        raise AssertionError("nothing was heard")
    listener.close()
    assert not listener._thread.is_alive()
    one.close()
    two.close()


def test_on_a_file_nobody_tells(path: Path, clock: HandClock) -> None:
    store = Store.open(url_of(path), clock=clock)
    assert store.listen(lambda: None) is None
    store.close()


def test_a_person_takes_a_target_between_two_turns_and_its_home_stays(store: Store, other: Store) -> None:
    store.give_back(claimed(store), 60.0, None)
    theirs = claimed(other, anyhow=True)
    other.put_rows([row()])
    other.give_back(theirs, 0.0, None)
    assert store.may_take(()) == {TARGET}, "its home was refused meanwhile, and no longer takes it for its own"
    again = claimed(store)
    assert again.foreign is True
    assert list(store.rows(TARGET)) == [key()]


def test_rows_that_another_wrote_in_between_are_seen(
    store: Store, other: Store, later: Callable[[float], None]
) -> None:
    first = claimed(store)
    store.put_rows([row()])
    assert list(store.rows(TARGET)) == [key()]
    store.give_back(first, 0.0, None)
    theirs = claimed(other, anyhow=True)
    other.forget(key(), True)
    other.give_back(theirs, 0.0, None)
    claimed(store)
    assert store.rows(TARGET) == {}


def test_of_many_that_ask_at_once_one_gets_it(store: Store, other: Store, url: str, clock: HandClock) -> None:
    many = [Store.open(url, clock=clock) for _ in range(6)]
    for number, each in enumerate(many):
        each.share(Sharing(f"p{number}", SECONDS, PATIENCE), [TARGET])
    begin = threading.Barrier(len(many))
    got: list[str] = []

    def ask(each: Store, name: str) -> None:
        begin.wait()
        if isinstance(each.claim(TARGET, CALL), Lease):
            got.append(name)

    threads = [threading.Thread(target=ask, args=(each, f"p{number}")) for number, each in enumerate(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
    assert [each.holder for each in store.standings()] == got
    for each in many:
        each.close()

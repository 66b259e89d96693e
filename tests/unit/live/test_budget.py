"""No window is ever exceeded, whatever the order, the delays, the crashes and the headers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import pytest

from agent.definitions.platform import Window
from agent.errors import StoreError
from agent.live.account import CHUNK_FREE_MAX, CHUNK_MAX
from agent.live.budget import Budget
from agent.live.budget_registry import BudgetRegistry
from agent.live.bulk import in_bulk
from agent.live.haste import OVERTAKEN
from agent.live.purpose import Purpose
from agent.live.windows import MARGIN_SECONDS
from agent.model.spending import Spent
from agent.secrets import Secret
from tests.unit.live.made_up import PLATFORM, VirtualClock, connection

MINUTE = Window(10, 60.0)
HOUR = Window(30, 3600.0)


class MemoryLedger:
    def __init__(self) -> None:
        self.rows: list[tuple[str, float, int]] = []
        self.full = False

    def spent(self, credential: str, since: float) -> Spent:
        rows = [(at, calls) for name, at, calls in self.rows if name == credential and at >= since]
        return Spent(rows, len(self.rows))

    def spend(self, credential: str, at: float, calls: int, after: int) -> Spent:
        if self.full:
            raise StoreError("the disk is full")
        others = [(each, count) for name, each, count in self.rows[after:] if name == credential]
        self.rows.append((credential, at, calls))
        return Spent(others, len(self.rows))

    @property
    def total(self) -> int:
        return sum(calls for _, _, calls in self.rows)


def budget(clock: VirtualClock, *windows: Window, reserve: float = 0.0, ledger: MemoryLedger | None = None) -> Budget:
    return Budget(windows, reserve, clock, ledger, "bucket", rule=PLATFORM.budget, random=random.Random(3))


async def spend(bucket: Budget, calls: int, purpose: Purpose = Purpose.READ) -> None:
    for _ in range(calls):
        await bucket.admit(purpose)
        bucket.finish()


def most_in_any_window(stamps: Sequence[float], seconds: float) -> int:
    ordered = sorted(stamps)
    most = start = 0
    for end, stamp in enumerate(ordered):
        while ordered[start] <= stamp - seconds:
            start += 1
        most = max(most, end - start + 1)
    return most


@pytest.mark.parametrize("seed", range(12))
async def test_no_trailing_window_is_exceeded_wherever_the_server_stamps_a_call(seed: int) -> None:
    chance = random.Random(seed)
    stamps: list[float] = []
    async with VirtualClock().running() as clock:
        bucket = budget(clock, MINUTE, HOUR)

        async def call() -> None:
            await clock.sleep(chance.uniform(0, 300))
            await bucket.admit(chance.choice(list(Purpose)))
            before, after = chance.uniform(0, 15), chance.uniform(0, 15)
            await clock.sleep(before)
            stamps.append(clock.monotonic())
            await clock.sleep(after)
            bucket.finish()

        await asyncio.gather(*(call() for _ in range(70)))
    assert len(stamps) == 70
    assert most_in_any_window(stamps, 60.0) <= 10
    assert most_in_any_window(stamps, 3600.0) <= 30


async def test_the_limit_itself_may_be_used_and_the_next_call_waits_for_the_window() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, MINUTE)
        await spend(bucket, 10)
        assert clock.elapsed == 0
        assert bucket.wait_needed(Purpose.WRITE) == pytest.approx(60 + MARGIN_SECONDS)
        await spend(bucket, 1)
        assert clock.elapsed == pytest.approx(60 + MARGIN_SECONDS)


async def test_the_reserve_is_left_for_people_and_one_call_is_always_usable() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, MINUTE, reserve=0.2)
        assert [(w.limit, w.usable, w.left) for w in bucket.left()] == [(10, 8, 8)]
        await spend(bucket, 8)
        assert bucket.wait_needed(Purpose.WRITE) > 0
        assert budget(clock, Window(1, 60.0), reserve=0.9).wait_needed(Purpose.READ) == 0


async def test_a_burst_is_spaced_as_the_rate_refills_it() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(60, 60.0, burst=10))
        await spend(bucket, 10)
        assert clock.elapsed == 0
        await spend(bucket, 1)
        assert clock.elapsed == pytest.approx(10 + MARGIN_SECONDS)
        assert len(bucket.left()) == 1


async def test_the_sweep_stops_before_the_end_and_leaves_calls_to_writes() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(20, 60.0))
        await spend(bucket, 18, Purpose.SWEEP)
        assert bucket.wait_needed(Purpose.SWEEP) > 0
        assert bucket.wait_needed(Purpose.WRITE) == 0
        await spend(bucket, 2, Purpose.WRITE)
        assert bucket.wait_needed(Purpose.WRITE) > 0


async def test_waiters_are_served_by_purpose_and_in_order_within_one() -> None:
    served: list[str] = []
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(1, 10.0))
        await spend(bucket, 1)

        async def wait(name: str, purpose: Purpose) -> None:
            await bucket.admit(purpose)
            bucket.finish()
            served.append(name)

        names = [("s1", Purpose.SWEEP), ("r1", Purpose.READ), ("w1", Purpose.WRITE), ("r2", Purpose.READ)]
        tasks = [asyncio.ensure_future(wait(*pair)) for pair in names]
        await asyncio.sleep(0)
        tasks.append(asyncio.ensure_future(wait("w2", Purpose.CONFIRM)))
        await asyncio.gather(*tasks)
    assert served == ["w1", "w2", "r1", "r2", "s1"]


async def test_classes_are_served_from_writes_down_to_an_import_and_none_starves_within() -> None:
    order = ("confirm", "ready", "read", "named", "list", "sweep", "logs", "import")
    served: list[str] = []
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(2, 10.0))
        await spend(bucket, 2)

        async def wait(name: str, purpose: Purpose) -> None:
            await bucket.admit(purpose)
            bucket.finish()
            served.append(name)

        waiting = [
            asyncio.ensure_future(wait(f"{word} {turn}", Purpose(word)))
            for turn in range(3)
            for word in reversed(order)
        ]
        await asyncio.gather(*waiting)
    assert served == [f"{word} {turn}" for word in order for turn in range(3)]


async def test_a_cancelled_waiter_leaves_the_queue_to_the_others() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(1, 10.0))
        await spend(bucket, 1)
        first = asyncio.ensure_future(bucket.admit(Purpose.WRITE))
        second = asyncio.ensure_future(bucket.admit(Purpose.READ))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait_for(second, 5)
        assert first.cancelled()


async def test_a_call_that_was_never_sent_costs_nothing() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(1, 60.0))
        await bucket.admit(Purpose.READ)
        assert bucket.wait_needed(Purpose.READ) > 0
        bucket.finish(sent=False)
        assert bucket.wait_needed(Purpose.READ) == 0


# --- headers


def headers(limit: object, remaining: object, reset: object = 60) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(reset),
    }


async def test_headers_win_when_they_know_of_calls_that_are_not_ours() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(100, 60.0), Window(1000, 3600.0))
        await spend(bucket, 10)
        bucket.note(headers(100, 50), None, 200)
        assert [window.left for window in bucket.left()] == [50, 990]
        bucket.note(headers(1000, 5, 1800), None, 200)
        assert [window.left for window in bucket.left()] == [50, 5]


async def test_headers_are_not_believed_when_they_promise_more() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(100, 60.0))
        await spend(bucket, 90)
        bucket.note(headers(100, 99), None, 200)
        assert bucket.left()[0].left == 10


async def test_headers_of_an_unknown_limit_correct_the_shortest_window() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(100, 60.0), Window(1000, 3600.0))
        bucket.note(headers(30, 12), None, 200)
        assert [(window.limit, window.left) for window in bucket.left()] == [(30, 12), (1000, 1000)]
        bucket.note(headers(5000, 4999), None, 200)
        assert [(window.limit, window.left) for window in bucket.left()] == [(100, 100), (1000, 1000)]


async def test_what_people_spend_is_taken_from_their_reserve_first() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(100, 60.0), reserve=0.2)
        bucket.note(headers(100, 90), None, 200)
        assert bucket.left()[0].left == 80
        bucket.note(headers(100, 70), None, 200)
        assert bucket.left()[0].left == 70


async def test_others_calls_are_forgotten_when_the_window_is_whole_again() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(100, 60.0))
        bucket.note(headers(100, 0, int(clock.now()) + 20), None, 200)
        assert bucket.wait_needed(Purpose.READ) == pytest.approx(20 + MARGIN_SECONDS)
        await bucket.admit(Purpose.READ)
        assert clock.elapsed == pytest.approx(20 + MARGIN_SECONDS)


async def test_a_reset_beyond_the_window_is_capped_and_nonsense_changes_nothing() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(100, 60.0))
        bucket.note(headers(100, 0, 10**9), None, 200)
        assert bucket.wait_needed(Purpose.READ) <= 60 + MARGIN_SECONDS
        other = budget(clock, Window(100, 60.0))
        other.note(headers("many", "٣", "nan"), None, 200)
        assert other.left()[0].left == 100
        other.note(headers(0, 0, 1), None, 200)
        assert other.left()[0].limit == 100


# --- 429


async def paused(clock: VirtualClock, told: dict[str, str], body: object = None) -> float:
    bucket = budget(clock, Window(1000, 60.0))
    bucket.note(told, body, 429)
    return bucket.wait_needed(Purpose.WRITE)


@pytest.mark.row("A10")
async def test_a_429_pauses_everybody_for_as_long_as_it_says() -> None:
    async with VirtualClock().running() as clock:
        assert 30 <= await paused(clock, {"retry-after": "30"}) <= 35
        assert 60 <= await paused(clock, {}, {"error": {"retry_after": 60}}) <= 66
        assert 900 <= await paused(clock, {"retry-after": "999999"}) <= 905
        assert 1 <= await paused(clock, {}) <= 5


async def test_calls_in_flight_together_meet_one_refusal_and_a_useless_wait_doubles() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, Window(1000, 60.0))
        for _ in range(8):
            bucket.note({"retry-after": "10"}, None, 429)
        assert 10 <= bucket.wait_needed(Purpose.READ) <= 12
        await spend(bucket, 1)
        bucket.note({"retry-after": "10"}, None, 429)
        assert 20 <= bucket.wait_needed(Purpose.READ) <= 23
        await spend(bucket, 1)
        bucket.note({}, None, 200)
        bucket.note({"retry-after": "10"}, None, 429)
        assert 10 <= bucket.wait_needed(Purpose.READ) <= 12


async def test_without_windows_only_a_429_makes_anybody_wait() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock)
        await spend(bucket, 500)
        assert (clock.elapsed, bucket.left(), bucket.seconds_for(10_000)) == (0, (), 0.0)
        bucket.note({"retry-after": "10"}, None, 429)
        await spend(bucket, 1)
        assert clock.elapsed >= 10


# --- time that a plan needs


@pytest.mark.parametrize("calls", [0, 1, 10, 11, 25, 31, 75])
async def test_the_seconds_for_a_plan_are_those_that_it_takes(calls: int) -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, MINUTE)
        await spend(bucket, 3)
        await clock.sleep(20)
        foreseen, began = bucket.seconds_for(calls), clock.elapsed
        await spend(bucket, calls)
        assert clock.elapsed - began == pytest.approx(foreseen, abs=1.0)


# --- ledger


async def restarted(clock: VirtualClock, ledger: MemoryLedger) -> Budget:
    return budget(clock, MINUTE, HOUR, ledger=ledger)


@pytest.mark.parametrize("calls", [1, 2, 5, 9, 10])
async def test_a_killed_process_leaves_every_call_in_the_ledger(calls: int) -> None:
    ledger = MemoryLedger()
    async with VirtualClock().running() as clock:
        await spend(await restarted(clock, ledger), calls)
        assert calls <= ledger.total < calls + CHUNK_MAX
        after = await restarted(clock, ledger)
        assert after.left()[0].left == max(0, 10 - ledger.total)


@pytest.mark.parametrize("calls", [1, 10, 100, 1000])
async def test_a_process_without_windows_writes_seldom_and_whoever_has_some_counts_all_of_it(calls: int) -> None:
    ledger, wide = MemoryLedger(), Window(10_000, 60.0)
    async with VirtualClock().running() as clock:
        beside = budget(clock, wide, ledger=ledger)
        bucket = budget(clock, ledger=ledger)
        await spend(bucket, calls)
        assert calls <= ledger.total < calls + CHUNK_FREE_MAX and len(ledger.rows) <= 8 + calls // CHUNK_FREE_MAX
        bucket.close()
        await spend(beside, 1)
        assert ledger.total == calls + 1 and beside.left()[0].left == wide.requests - calls - 1


async def test_closing_gives_unused_calls_back() -> None:
    ledger = MemoryLedger()
    async with VirtualClock().running() as clock:
        bucket = await restarted(clock, ledger)
        await spend(bucket, 4)
        bucket.close()
        assert ledger.total == 4
        assert (await restarted(clock, ledger)).left()[0].left == 6


async def test_slow_calls_are_written_down_one_by_one() -> None:
    ledger = MemoryLedger()
    async with VirtualClock().running() as clock:
        bucket = await restarted(clock, ledger)
        for _ in range(5):
            await spend(bucket, 1)
            await clock.sleep(30)
        assert [calls for _, _, calls in ledger.rows] == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("seed", range(8))
async def test_restarts_at_any_moment_never_exceed_a_window(seed: int) -> None:
    chance, ledger, stamps = random.Random(seed), MemoryLedger(), []
    async with VirtualClock().running() as clock:
        for _ in range(25):
            bucket = budget(clock, MINUTE, ledger=ledger)
            for _ in range(chance.randint(1, 15)):
                await bucket.admit(Purpose.READ)
                await clock.sleep(chance.uniform(0, 3))
                stamps.append(clock.monotonic())
                bucket.finish()
            await clock.sleep(chance.uniform(0, 40))
    assert most_in_any_window(stamps, 60.0) <= 10


@pytest.mark.row("T1")
async def test_a_wall_clock_that_was_set_back_makes_old_calls_count_as_new() -> None:
    ledger = MemoryLedger()
    async with VirtualClock().running() as clock:
        await spend(await restarted(clock, ledger), 10)
        clock.epoch -= 3600 * 5
        assert (await restarted(clock, ledger)).left()[0].left == 0


async def test_a_full_disk_does_not_stop_reads() -> None:
    ledger = MemoryLedger()
    ledger.full = True
    async with VirtualClock().running() as clock:
        bucket = await restarted(clock, ledger)
        await spend(bucket, 10)
        assert bucket.left()[0].left == 0


# --- processes beside one another


@pytest.mark.parametrize("seed", range(8))
async def test_processes_that_run_at_once_never_exceed_a_window_together(seed: int) -> None:
    chance, ledger, stamps = random.Random(seed), MemoryLedger(), []
    async with VirtualClock().running() as clock:

        async def process() -> None:
            for _ in range(3):
                bucket = budget(clock, MINUTE, HOUR, ledger=ledger)
                await clock.sleep(chance.uniform(0, 30))
                for _ in range(chance.randint(1, 6)):
                    await bucket.admit(chance.choice((Purpose.READ, Purpose.WRITE, Purpose.SWEEP)))
                    await clock.sleep(chance.uniform(0, 3))
                    stamps.append(clock.monotonic())
                    bucket.finish()
                    await clock.sleep(chance.choice((0.0, 0.0, 20.0)))
                if chance.random() < 0.5:
                    bucket.close()

        await asyncio.gather(*(process() for _ in range(4)))
    assert len(stamps) >= 12
    assert most_in_any_window(stamps, 60.0) <= 10
    assert most_in_any_window(stamps, 3600.0) <= 30


async def test_what_another_process_spends_is_seen_while_both_run() -> None:
    ledger = MemoryLedger()
    async with VirtualClock().running() as clock:
        agent, command = await restarted(clock, ledger), await restarted(clock, ledger)
        await spend(command, 9)
        command.close()
        assert agent.left()[0].left == 10, "it asks the ledger when it spends, not before"
        await spend(agent, 1)
        assert agent.left()[0].left == 0
        assert agent.wait_needed(Purpose.READ) >= 60


async def test_calls_that_another_process_gives_back_are_free_again() -> None:
    ledger = MemoryLedger()
    async with VirtualClock().running() as clock:
        agent, command = await restarted(clock, ledger), await restarted(clock, ledger)
        await spend(command, 4)  # three chunks: one, two, four
        assert ledger.total == 7
        await spend(agent, 1)
        assert agent.left()[0].left == 10 - 7 - 1
        command.close()
        await clock.sleep(3)
        await spend(agent, 1)
        assert agent.left()[0].left == 10 - 4 - 2


async def test_of_two_that_want_the_last_call_one_gets_it() -> None:
    ledger = MemoryLedger()
    async with VirtualClock().running() as clock:
        first, second = await restarted(clock, ledger), await restarted(clock, ledger)
        await spend(first, 9)
        first.close()
        began = clock.elapsed
        done: list[float] = []

        async def one(bucket: Budget) -> None:
            await spend(bucket, 1)
            done.append(clock.elapsed - began)

        await asyncio.gather(one(first), one(second))
    assert done[0] == 0 and done[1] > 60


async def test_a_call_that_waited_for_a_connection_counts_from_its_first_byte() -> None:
    ledger = MemoryLedger()
    async with VirtualClock().running() as clock:
        bucket = await restarted(clock, ledger)
        bucket.sending(await bucket.admit(Purpose.READ))
        assert ledger.total == 1
        admitted = await bucket.admit(Purpose.READ)
        await clock.sleep(100)
        bucket.sending(admitted)
        assert ledger.rows[-1][1] == pytest.approx(clock.now())
        assert ledger.total == 4, "two, the unused one of their chunk, and one that is told again"


# --- shared buckets


async def test_targets_of_one_credential_share_what_looking_may_spend_and_never_exceed_it() -> None:
    async with VirtualClock().running() as clock:
        whole = budget(clock, HOUR).share("alone", 1.0)
        assert whole == pytest.approx(27 / (3600 + MARGIN_SECONDS)), "a tenth is left to others"
        for wants in ((0.1, 0.2), (5.0, 0.1), (5.0, 7.0), (1.0, 1.0, 0.1), (0.4, 0.5, 9.0)):
            bucket = budget(clock, HOUR)
            for _ in range(2):
                shares = [bucket.share(f"t{place}", want * whole) for place, want in enumerate(wants)]
            used = [min(share, want * whole) for share, want in zip(shares, wants, strict=True)]
            assert sum(used) <= whole * 1.000001
            assert all(share >= min(want * whole, whole / len(wants)) for share, want in zip(used, wants, strict=True))
        assert budget(clock).share("alone", 1.0) == float("inf"), "no window, no limit"


async def test_two_targets_with_one_token_share_a_budget_and_the_stricter_reserve() -> None:
    async with VirtualClock().running() as clock:
        registry = BudgetRegistry(clock, None, random.Random(1), b"installation")
        first = registry.budget_for(PLATFORM, connection(), 0.1)
        assert registry.budget_for(PLATFORM, connection(), 0.3) is first
        assert first.left()[0].usable == 70
        other: Callable[[], Secret] = lambda: Secret("another")  # noqa: E731
        assert registry.budget_for(PLATFORM, connection(credentials={"token": other}), 0.1) is not first
        assert registry.budget_for(PLATFORM, connection(server="https://other.example"), 0.1) is not first
        assert "another" not in "".join(registry._budgets) and first.credential.startswith("madeup-")


async def test_h6_a_check_of_a_pull_request_leaves_a_tenth_of_each_window_to_the_agent_beside_it() -> None:
    async with VirtualClock().running() as clock:
        ledger, chance = MemoryLedger(), random.Random(1)
        checks = [BudgetRegistry(clock, ledger, chance, gives_way=True) for _ in range(2)]
        agent = BudgetRegistry(clock, ledger, chance).budget_for(PLATFORM, connection(), 0.0)
        for check in checks:
            room = check.budget_for(PLATFORM, connection(), 0.0).room(Purpose.READ, 100)
            await spend(check.budget_for(PLATFORM, connection(), 0.0), room // 2)
        looking = BudgetRegistry(clock, ledger, chance, gives_way=True).budget_for(PLATFORM, connection(), 0.0)
        await spend(looking, looking.room(Purpose.READ, 100))
        began = clock.monotonic()
        assert looking.wait_needed(Purpose.READ) > 0
        await spend(agent, 1)
        assert clock.monotonic() == began


async def test_a_stricter_window_that_joins_counts_the_calls_before_it() -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, HOUR)
        await spend(bucket, 5)
        bucket.tighten((Window(6, 60.0),), 0.0)
        assert [window.left for window in bucket.left()] == [25, 1]


@pytest.mark.parametrize(("objects", "rivals", "at_once"), [(21, True, 9), (20, True, 10), (21, False, 10)])
async def test_a_long_pass_leaves_a_tenth_to_a_commit_that_comes_in_between(
    objects: int, rivals: bool, at_once: int
) -> None:
    async with VirtualClock().running() as clock:
        bucket = budget(clock, MINUTE)
        token = OVERTAKEN.set(asyncio.Event() if rivals else None)
        began = clock.monotonic()
        with in_bulk(objects):
            await spend(bucket, at_once)
            assert clock.monotonic() == began
            assert bucket.wait_needed(Purpose.WRITE) > 0
        await spend(bucket, 10 - at_once)
        assert clock.monotonic() == began
        OVERTAKEN.reset(token)

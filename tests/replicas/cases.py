"""What is done to replicas, one function a case. Each leaves a stage of its own behind, and a verdict."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.replicas import network, together
from tests.replicas.judge import Verdict, judge, taken_over
from tests.replicas.stage import DEADLINE, LEASE, Replica, Replicas, pooler
from tests.system.stage import ROOT, until

FAKETIME = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
)
POOLER = ("/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer")
PATIENCE = 240.0
_SLEEPS = "import select\nimport time\n\ntime.sleep = lambda seconds: select.select((), (), (), seconds)\n"


def why_not(case: str) -> str:
    """Why a case cannot be played on this machine; empty when it can."""
    needs = {"pooler": ("PgBouncer", POOLER), "clocks": ("libfaketime", FAKETIME)}
    if case == "cable":
        return network.Wires.why_not()
    name, places = needs.get(case, ("", ()))
    return "" if not name or any(Path(place).exists() for place in places) else f"no {name} on this machine"


def _begun(stage: Replicas, count: int, environments: tuple[dict[str, str], ...] = ()) -> list[Replica]:
    """Replicas at rest over the first commit, with the judge's record."""
    first = stage.start(environment=environments[0] if environments else None)
    stage.record()
    rest = [
        each
        for number in range(1, count)
        for each in stage.start(environment=environments[number] if environments else None)
    ]
    stage.settle(PATIENCE)
    return first + rest


def _in_flight(stage: Replicas, victim: Replica, seconds: float = 30.0) -> bool:
    """Edits until a write of this replica is under way."""
    end = time.monotonic() + seconds
    number = stage.committed
    while time.monotonic() < end:
        stage.edit(number)
        number += 1
        moment = time.monotonic() + 1.0
        while time.monotonic() < moment:
            if any(
                call.replica == victim.name and call.writes and not call.answered for call in stage.front.calls[-20:]
            ):
                return True
            time.sleep(0.005)
    return False


def kill(folder: Path, rounds: int) -> Verdict:
    """SIGKILL while a write is under way; another agent takes over, and a fresh one joins."""
    with Replicas(folder) as stage:
        stage.front.delay = 0.4
        alive, takeovers = _begun(stage, 3), []
        for number in range(rounds):
            victim = alive[number % len(alive)]
            missed = not _in_flight(stage, victim)
            homes = stage.at_home(victim.pid)
            since = time.time()
            victim.send(signal.SIGKILL)
            victim.child.wait()
            alive[number % len(alive)] = stage.start()[0]
            _taken_over(stage, victim.pid)
            takeovers += taken_over(stage, victim.pid, homes, since)
            assert not missed or not homes, "the victim never wrote"
        stage.settle(PATIENCE)
        _closed(stage)
        return judge("kill", stage, takeovers)


def freeze(folder: Path, rounds: int) -> Verdict:
    """SIGSTOP while a write is under way, for longer than the lease, then SIGCONT."""
    with Replicas(folder) as stage:
        stage.front.delay = 0.4
        alive, takeovers = _begun(stage, 3), []
        for number in range(rounds):
            victim = alive[number % len(alive)]
            _in_flight(stage, victim)
            homes = stage.at_home(victim.pid)
            since = time.time()
            victim.send(signal.SIGSTOP)
            stage.edits(LEASE + 2 * DEADLINE)
            _taken_over(stage, victim.pid)
            takeovers += taken_over(stage, victim.pid, homes, since)
            victim.send(signal.SIGCONT)
            stage.edits(2.0)
        stage.settle(PATIENCE)
        _closed(stage)
        lost = sum(len(each.told("lease.lost")) for each in alive)
        return judge("freeze", stage, takeovers, f"{lost} leases lost and told")


def database(folder: Path, away: float) -> Verdict:
    """The server stops as in a crash and is back; then it is away for longer than any lease."""
    with Replicas(folder) as stage:
        _begun(stage, 3)
        stage.edits(3.0)
        stage.cluster.stop(signal.SIGQUIT)
        stage.cluster.start()
        stage.edits(5.0)
        stage.settle(PATIENCE)
        _in_flight(stage, stage.replicas[0], 5.0)
        stage.cluster.stop(signal.SIGQUIT)
        gone = time.time()
        stage.edits(away)
        back = time.time()
        stage.cluster.start()
        stage.settle(PATIENCE)
        _closed(stage)
        verdict = judge("database", stage, (), f"away for {back - gone:.0f} s")
        late = [call for call in stage.front.writes() if gone + LEASE < call.arrived < back]
        if late:
            verdict.broken.append(f"{len(late)} writes without a lease")
        if any(each.child.poll() is not None for each in stage.replicas):
            verdict.broken.append("an agent ended")
        return verdict


def pooled(folder: Path, seconds: float) -> Verdict:
    """PgBouncer in transaction mode between agents and server, and an agent killed in the middle."""
    with Replicas(folder) as stage:
        first = stage.start()[0]
        stage.record()
        first.end()
        stage.configure(pooler(stage))
        alive = stage.start(3)
        stage.settle(PATIENCE)
        stage.edits(seconds)
        return judge("pooler", stage, _outlived(stage, alive[0]))


def clocks(folder: Path, seconds: float) -> Verdict:
    """One agent lives five hours ahead, one seven behind, one in our time.

    libfaketime leaves the monotonic clock alone, as it should, and then refuses every sleep until a moment of it
    (EINVAL): since Python 3.11 that is each `time.sleep`, be it of a millisecond. `subprocess` sleeps while it waits
    for a git that is slow. So the shifted agents sleep in `select`; all else is as it is elsewhere.
    """
    library = next(place for place in FAKETIME if Path(place).exists())
    sleeps = folder / "sleeps"
    sleeps.mkdir(parents=True)
    (sleeps / "sitecustomize.py").write_text(_SLEEPS, encoding="utf-8")
    words = {"LD_PRELOAD": library, "DONT_FAKE_MONOTONIC": "1", "PYTHONPATH": f"{sleeps}:{ROOT}"}
    shifted = [words | {"FAKETIME": by} for by in ("+5h", "-7h")]
    with Replicas(folder) as stage:
        alive = _begun(stage, 3, ({}, *shifted))
        stage.edits(seconds)
        takeovers = _outlived(stage, alive[1])
        stamps = [at for (at,) in stage.query("SELECT opened_at FROM journal")]
        verdict = judge("clocks", stage, takeovers)
        if max(stamps) - min(stamps) > 3600:
            verdict.broken.append("moments in the store are hours apart")
        return verdict


def rolling(folder: Path, rounds: int) -> Verdict:
    """Each agent is told to stop and followed by a fresh one, while commits go on."""
    with Replicas(folder) as stage:
        alive, takeovers = _begun(stage, 3), []
        for number in range(rounds):
            victim = alive[number % len(alive)]
            stage.edits(2.0)
            homes = stage.at_home(victim.pid)
            since = time.time()
            status = victim.end(signal.SIGTERM)
            assert status == 143, f"ended with {status}"
            alive[number % len(alive)] = stage.start()[0]
            _taken_over(stage, victim.pid)
            takeovers += taken_over(stage, victim.pid, homes, since)
        stage.settle(PATIENCE)
        _closed(stage)
        return judge("rolling", stage, takeovers)


def credential(folder: Path, seconds: float) -> Verdict:
    """Three agents, one token: the platform's own count stays within its windows, less the share that is for people."""
    budget, most = "[{requests: 60, per: 20s}]", 48
    with Replicas(folder, budget=budget, one_token=True) as stage:
        stage.front.limit(60, 20.0)
        _begun(stage, 3)
        stage.edits(seconds, pause=0.3)
        stage.settle(4 * PATIENCE)
        times = sorted(call.arrived for call in stage.front.calls)
        busiest = max(sum(1 for other in times[place:] if other < moment + 20.0) for place, moment in enumerate(times))
        refused = sum(call.status == 429 for call in stage.front.calls)
        spent = stage.query("SELECT count(*) FROM spending")[0][0]
        told = f"{len(times)} calls, {busiest} at most in 20 s of 60, {refused} refused, {spent} entries in the ledger"
        verdict = judge("credential", stage, (), told)
        if busiest > most:
            verdict.broken.append(f"{busiest} calls in a window that has {most} for agents")
        if refused:
            verdict.broken.append(f"{refused} calls were refused")
        if len({pid for _, pid, _, _ in stage.leases()}) < 2:
            verdict.broken.append("one agent did everything")
        return verdict


def storm(folder: Path, seconds: float, seed: int) -> Verdict:
    """Commits, kills, freezes, restarts of agents and of the database, as a seed has them."""
    chance = random.Random(seed)
    with Replicas(folder) as stage:
        alive, frozen = _begun(stage, 3), dict[int, float]()
        stage.front.delay = 0.2
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            stage.edits(chance.uniform(0.5, 3.0))
            place, what = chance.randrange(3), chance.random()
            victim = alive[place]
            for other, until_then in [*frozen.items()]:
                if time.monotonic() > until_then:
                    alive[other].send(signal.SIGCONT)
                    del frozen[other]
            if what < 0.35:
                victim.send(signal.SIGKILL)
                victim.child.wait()
                frozen.pop(place, None)
                alive[place] = stage.start()[0]
            elif what < 0.65 and len(frozen) < 2:
                victim.send(signal.SIGSTOP)
                frozen[place] = time.monotonic() + chance.uniform(1.0, 2.5 * LEASE)
            elif what < 0.85 and place not in frozen:
                victim.end(signal.SIGTERM)
                alive[place] = stage.start()[0]
            elif what >= 0.85:
                stage.cluster.stop(signal.SIGQUIT)
                time.sleep(chance.uniform(0.0, LEASE))
                stage.cluster.start()
        for place in frozen:
            alive[place].send(signal.SIGCONT)
        for place, each in enumerate(alive):
            if each.child.poll() is not None:  # one that was begun while the database was away
                alive[place] = stage.start()[0]
        stage.settle(2 * PATIENCE)
        _closed(stage)
        return judge(f"storm {seed}", stage)


def _outlived(stage: Replicas, victim: Replica) -> list[float]:
    """Kill an agent amid the edits. How long after it each of its targets was taken over, in seconds."""
    homes = stage.at_home(victim.pid)
    since = time.time()
    victim.send(signal.SIGKILL)
    stage.edits(LEASE + DEADLINE)
    _taken_over(stage, victim.pid)
    stage.settle(PATIENCE)
    _closed(stage)
    return taken_over(stage, victim.pid, homes, since)


def _taken_over(stage: Replicas, pid: int) -> None:
    """Until no target is at home with a process that is gone or stands still."""
    until(lambda: pid not in stage.homes().values(), "every target is taken over", PATIENCE)


def _closed(stage: Replicas) -> None:
    """Until no call is open: those that nobody saw the end of have been looked at."""
    until(lambda: not stage.query("SELECT 1 FROM journal WHERE closed_at IS NULL"), "no call is open", PATIENCE)


CASES: dict[str, Callable[[Path, bool], Verdict]] = {
    "kill": lambda folder, short: kill(folder, 1 if short else 6),
    "freeze": lambda folder, short: freeze(folder, 1 if short else 4),
    "database": lambda folder, short: database(folder, LEASE + 4 if short else 60.0),
    "pooler": lambda folder, short: pooled(folder, 5.0 if short else 20.0),
    "clocks": lambda folder, short: clocks(folder, 5.0 if short else 20.0),
    "rolling": lambda folder, short: rolling(folder, 1 if short else 6),
    "credential": lambda folder, short: credential(folder, 20.0 if short else 90.0),
    "cut": lambda folder, short: network.cut(folder, 1 if short else 2),
    "platform": lambda folder, short: network.platform(folder, 12.0 if short else 20.0),
    "cable": lambda folder, short: network.cable(folder, 1 if short else 2),
    "slow": lambda folder, short: together.slow(folder, 20 if short else 100, 20.0 if short else 60.0),
    "asked": lambda folder, short: together.asked(folder, 1 if short else 3),
    "failover": lambda folder, short: together.failover(folder, 5.0 if short else 10.0),
    "storm": lambda folder, short: storm(folder, 20.0 if short else 120.0, int(os.environ.get("SEED", "1"))),
}

"""Replicas beside each other and beside people: a slow target, words of people, a database that was set back."""

from __future__ import annotations

import json
import shutil
import signal
import statistics
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.replicas.judge import Verdict, judge, overlaps
from tests.replicas.stage import LEASE, Replicas
from tests.system.stage import until

PATIENCE = 240.0
_SLOW_SECONDS = 1.2


def slow(folder: Path, targets: int, seconds: float) -> Verdict:
    """Many targets, and one whose calls take a hundred times as long: the others know as much as without it."""
    with Replicas(folder, targets=targets, each=1, interval="10s") as stage:
        stage.start()
        stage.record()
        stage.start(2)
        stage.commit({f"{stage.names[0]}-w{number}": "0 1 * * *" for number in range(1, 12)})
        stage.settle(3 * PATIENCE)
        began = time.time()
        stage.edits(seconds, pause=4.0)
        stage.settle(PATIENCE)
        since = time.time()
        stage.front.slow = (stage.names[0], _SLOW_SECONDS)
        stage.edits(seconds, pause=4.0)
        until(lambda: not [name for name in stage.lost() if name != stage.names[0]], "the others are done", PATIENCE)
        end = time.time()
        stage.front.slow = ("", 0.0)
        stage.settle(3 * PATIENCE)
        told, medians = [], []
        for word, first, last in (("without it", began, since), ("beside it", since, end)):
            landed, looks = _landed(stage, first, last), _looks(stage, first, last)
            told.append(f"{word}: a commit lands in {_shown(landed)}, a look every {_shown(looks)}")
            medians.append((statistics.median(landed), statistics.median(looks)))
        own = [call for call in stage.front.calls if call.target == stage.names[0] and since < call.arrived < end]
        verdict = judge("slow", stage, (), f"{targets} targets; {'; '.join(told)}; {len(own)} slow calls meanwhile")
        without, beside = medians
        if beside[0] > without[0] + LEASE or beside[1] > 1.5 * without[1] + LEASE / 3:
            verdict.broken.append("the slow one delayed the others")
        if len(own) * _SLOW_SECONDS < seconds / 3:
            verdict.broken.append("the slow one was not looked at")
        return verdict


def _landed(stage: Replicas, first: float, last: float) -> list[float]:
    """From each commit to another target than the slow one until its write was answered."""
    found = []
    for name, at in stage.said:
        if first <= at < last and not name.startswith(f"{stage.names[0]}-"):
            ends = [call.answered for call in stage.front.writes() if call.name == name and call.answered > at]
            found += [min(ends) - at] if ends else []
    return sorted(found)


def _looks(stage: Replicas, first: float, last: float) -> list[float]:
    """How long each target but the slow one had waited between two turns."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    for target, _, _, at in stage.leases():
        if first <= at < last and target != stage.names[0]:
            taken[target].append(at)
    return sorted(later - at for times in taken.values() for at, later in pairwise(times))


def _shown(found: list[float]) -> str:
    return f"p50 {found[len(found) // 2]:.1f} s, p95 {found[int(len(found) * 0.95)]:.1f} s, most {found[-1]:.1f} s"


def asked(folder: Path, rounds: int) -> Verdict:
    """People ask, suspend and change the configuration beside three agents: whichever is meant heeds it."""
    with Replicas(folder) as stage:
        stage.start()
        stage.record()
        stage.start(2)
        stage.settle(PATIENCE)
        notes = []
        for number in range(rounds):
            notes += [_synced(stage, number), _suspended(stage, number)]
        notes.append(_configured(stage))
        stage.settle(PATIENCE)
        return judge("asked", stage, (), *notes)


def _synced(stage: Replicas, number: int) -> str:
    """Everything is edited; `sync --wait` returns when it is live, though an agent dies meanwhile."""
    crons = dict.fromkeys(stage.wanted, f"{30 + number} 5 * * *")
    stage.commit(crons)
    victim = next(each for each in stage.replicas if each.child.poll() is None and stage.at_home(each.pid))
    victim.send(signal.SIGKILL)
    victim.child.wait()
    began = time.monotonic()
    done = stage.datakeel("sync", "--wait", "--commit", stage.head, "--timeout", "3m", "-o", "json")
    took = time.monotonic() - began
    live = stage.front.crons()
    assert done.returncode == 0, f"sync: {done.returncode} {done.stderr} {done.stdout}"
    assert live == stage.wanted, "sync returned before the commit was live"
    answers: list[dict[str, Any]] = json.loads(done.stdout)["targets"]
    assert [each["target"] for each in answers] == stage.names
    assert all(stage.head.startswith(each["answer"]["revision"]) for each in answers), done.stdout
    stage.start()
    return f"sync over {len(answers)} targets with an agent killed: {took:.1f} s"


def _suspended(stage: Replicas, number: int) -> str:
    """A target is suspended; its home dies, and the next one heeds the word as well."""
    name = stage.names[number % len(stage.names)]
    assert stage.datakeel("suspend", "--target", name, "--reason", "a test").returncode == 0
    time.sleep(2.0)
    since = time.time()
    stage.commit({f"{name}-w0": f"{number} 6 * * *"})
    home = stage.homes()[name]
    for each in stage.replicas:
        if each.pid == home and each.child.poll() is None:
            each.send(signal.SIGKILL)
            each.child.wait()
            stage.start()
    until(lambda: stage.homes()[name] not in (None, home), "another agent has it", PATIENCE)
    stage.edits(LEASE)
    wrote = [call for call in stage.front.writes() if call.target == name and call.arrived > since]
    assert not wrote, f"a suspended target was written to: {wrote[:2]}"
    assert stage.datakeel("resume", "--target", name).returncode == 0
    began = time.monotonic()
    stage.settle(PATIENCE)
    return f"resumed and live after {time.monotonic() - began:.1f} s"


def _configured(stage: Replicas) -> str:
    """A mistake in the configuration is refused by all, and told; a new target is taken by one; SIGHUP is heard."""
    alive = [each for each in stage.replicas if each.child.poll() is None]
    place = stage.git.repository / "datakeel.yaml"
    text = place.read_text(encoding="utf-8")
    place.write_text(text.replace("prune: true", "prune: perhaps", 1), encoding="utf-8")
    until(lambda: all(each.told("config.refused") for each in alive), "all refuse it", PATIENCE)
    assert not any(each.told("store.failed") for each in alive)
    assert "not taken" in stage.datakeel("status").stdout
    stage.names.append("more")
    stage.commit({"more-w0": "0 7 * * *"})
    stage.configure(stage.cluster.url())
    until(lambda: all(each.told("config.reloaded") for each in alive), "all take it", PATIENCE)
    stage.settle(PATIENCE)
    homes = {stage.homes()["more"]}
    assert homes <= {each.pid for each in alive}, homes
    other = next(each for each in alive if each.pid not in homes)
    before = len(other.events)
    other.send(signal.SIGHUP)
    until(lambda: len(other.events) > before, "SIGHUP is heard", PATIENCE)
    assert all(each.child.poll() is None for each in alive)
    return f"{len(alive)} agents reloaded"


def failover(folder: Path, seconds: float) -> Verdict:
    """The database is set back to what it was some time ago, as by a standby without the last commits, and a manifest
    leaves git meanwhile. `doctor --after-failover` is said before the agents go on.
    """
    with Replicas(folder) as stage:
        alive = stage.start()
        stage.record()
        alive += stage.start(2)
        stage.settle(PATIENCE)
        copy = stage.cluster.folder / "standby"
        stage.cluster.stop(signal.SIGINT)
        shutil.copytree(stage.cluster.data, copy)
        stage.cluster.start()
        stage.commit({f"{stage.names[0]}-late{number}": "0 2 * * *" for number in range(3)})
        stage.edits(seconds)
        stage.settle(PATIENCE)
        gone = f"{stage.names[1]}-w0"
        stage.cluster.stop(signal.SIGQUIT)
        shutil.rmtree(stage.cluster.data)
        copy.rename(stage.cluster.data)
        if stage.cluster.user is not None:
            for each in (stage.cluster.data, *stage.cluster.data.rglob("*")):
                shutil.chown(each, stage.cluster.user)
        for each in alive:
            each.send(signal.SIGSTOP)  # the word comes before their next pass
        del stage.wanted[gone]
        stage.git.commit({f"{stage.names[1]}/{gone}.json": None})
        stage.cluster.start()
        since = time.time()
        done = stage.datakeel("doctor", "--after-failover", "-o", "json")
        assert done.returncode == 0, done.stderr
        for each in alive:
            each.send(signal.SIGCONT)
        stage.edits(seconds)
        until(lambda: not stage.lost(), "live is as git says", PATIENCE)
        time.sleep(3 * LEASE)  # passes enough for a delete that nobody holds
        deletes = [call for call in stage.front.writes() if call.method == "DELETE" and call.arrived > since]
        found = json.loads(stage.datakeel("doctor", "--no-network", "-o", "json").stdout)["targets"]
        doubted = [each["target"] for each in found if each["set_back"]]
        epochs = [each["lease"]["epoch"] for each in found]
        verdict = judge("failover", stage, (), f"deletes wait in {doubted}; epochs from {min(epochs)}")
        # The record of leases was set back, too: writes before that moment have none to be compared with.
        later = [call for call in stage.front.writes() if call.arrived > since]
        verdict.overlaps = overlaps(stage.leases(), later, {each.name: each.pid for each in stage.replicas})
        if deletes or gone not in stage.front.crons() or doubted != [stage.names[1]]:
            verdict.broken.append(f"a delete was not held: {deletes}, {doubted}")
        if any(each.child.poll() is not None for each in alive):
            verdict.broken.append("an agent ended")
        return verdict

"""Replicas that are cut off, from the database alone or from the platform alone.

One agent speaks to its database through a proxy of its own; all speak to the platform through another, which tells them
apart by their tokens. A cable is pulled in a network namespace where the machine lets us make one.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from tests.postgresql import NAME
from tests.replicas.front import Call
from tests.replicas.judge import Verdict, judge, taken_over
from tests.replicas.stage import DEADLINE, LEASE, Replica, Replicas
from tests.system.proxy import Proxy
from tests.system.stage import until

PATIENCE = 240.0


def cut(folder: Path, rounds: int) -> Verdict:
    """One agent loses the database alone: it is silent, then resets, then is gone; each for longer than a lease."""
    with Replicas(folder) as stage, Proxy("127.0.0.1", stage.cluster.port) as proxy:
        stage.front.delay = 0.2
        victim = stage.start(environment={"DATAKEEL_STATE__URL": f"postgresql://{NAME}@{proxy.address}/{NAME}"})[0]
        stage.record()
        stage.start(2)
        stage.settle(PATIENCE)
        takeovers: list[float] = []
        late: list[Call] = []
        for _ in range(rounds):
            for act in (proxy.stall, proxy.down):
                _until_at_home(stage, victim)
                homes, since = stage.at_home(victim.pid), time.time()
                act()
                stage.edits(LEASE + 3 * DEADLINE)
                until(lambda: victim.pid not in stage.homes().values(), "every target is taken over", PATIENCE)
                takeovers += taken_over(stage, victim.pid, homes, since)
                back = time.time()
                proxy.flow()
                stage.settle(PATIENCE)
                late += [each for each in stage.front.writes() if _is_late(each, victim, since, back)]
        ended = _ends_while_it_is_silent(stage, victim, proxy)
        proxy.flow()
        stage.settle(PATIENCE)
        verdict = judge("cut", stage, takeovers, f"SIGTERM while the database says nothing: {ended:.1f} s")
        if late:
            verdict.broken.append(f"{len(late)} writes without a lease")
        return verdict


def _ends_while_it_is_silent(stage: Replicas, victim: Replica, proxy: Proxy) -> float:
    """SIGTERM to an agent whose database says nothing any more: it ends within the grace of a container."""
    _until_at_home(stage, victim)
    proxy.stall()
    stage.edits(2.0)
    began = time.monotonic()
    status = victim.end(signal.SIGTERM)
    took = time.monotonic() - began
    assert status == 143, f"ended with {status}"
    assert took < 30.0, f"ended after {took:.1f} s"
    return took


def _is_late(call: Call, victim: Replica, since: float, back: float) -> bool:
    return call.replica == victim.name and since + LEASE < call.arrived < back


def _until_at_home(stage: Replicas, victim: Replica) -> None:
    """Until this agent is the home of a target again: another one that is told to stop leaves it some."""
    if stage.at_home(victim.pid):
        return
    others = [each for each in stage.replicas if each is not victim and each.child.poll() is None]
    for other in others:
        other.end(signal.SIGTERM)
    until(lambda: stage.at_home(victim.pid), "it has taken up targets", PATIENCE)
    stage.start(len(others))
    stage.settle(PATIENCE)


def platform(folder: Path, seconds: float) -> Verdict:
    """One agent loses the platform alone: what it is the home of is told as unreachable, and nothing is deleted."""
    with Replicas(folder) as stage, ExitStack() as stack:
        host, _, port = stage.front.server.removeprefix("http://").rpartition(":")
        proxy = stack.enter_context(Proxy(host, int(port), hurts=lambda first: b"@r1\r\n" in first))
        stage.front.server = f"http://{proxy.address}"
        stage.configure(stage.cluster.url())
        victim = stage.start()[0]
        stage.record()
        stage.start(2)
        stage.settle(PATIENCE)
        _until_at_home(stage, victim)
        homes, since, before = stage.at_home(victim.pid), time.time(), len(victim.events)
        proxy.down()
        stage.edits(seconds)
        others = [name for name in stage.names if name not in homes]
        until(lambda: not {*stage.lost()} & {*others}, "the others' targets are as git says", PATIENCE)
        failed = {each["target"] for each in victim.events[before:] if each.get("held") or each.get("code")}
        back = time.time()
        proxy.flow()
        stage.settle(PATIENCE)
        verdict = judge("platform", stage, (), f"{len(homes)} targets at home there, {len(failed)} told of it")
        if any(call.replica == victim.name and since + 1 < call.arrived < back for call in stage.front.calls):
            verdict.broken.append("it was not cut off")
        if any(call.method == "DELETE" for call in stage.front.writes()):
            verdict.broken.append("something was deleted")
        if not failed:
            verdict.broken.append("nothing was told of it")
        return verdict


def cable(folder: Path, rounds: int) -> Verdict:
    """One agent lives in a network of its own, and its cable to the database is pulled: nothing arrives, and nothing is
    refused. The one to the platform stays.
    """
    with Replicas(folder) as stage, ExitStack() as stack:
        wires = stack.enter_context(Wires())
        database = stack.enter_context(Proxy("127.0.0.1", stage.cluster.port, listens=wires.near[0]))
        host, _, port = stage.front.server.removeprefix("http://").rpartition(":")
        front = stack.enter_context(Proxy(host, int(port), listens=wires.near[1]))
        stage.front.server = f"http://{front.address}"
        stage.configure(stage.cluster.url(), more="    allow_http: true\n")
        state = {"DATAKEEL_STATE__URL": f"postgresql://{NAME}@{database.address}/{NAME}"}
        victim = stage.start(environment=state, within=("ip", "netns", "exec", wires.name))[0]
        stage.record()
        stage.start(2)
        stage.settle(PATIENCE)
        takeovers: list[float] = []
        late: list[Call] = []
        for _ in range(rounds):
            _until_at_home(stage, victim)
            homes, since = stage.at_home(victim.pid), time.time()
            wires.pull(0)
            stage.edits(LEASE + 3 * DEADLINE)
            until(lambda: victim.pid not in stage.homes().values(), "every target is taken over", PATIENCE)
            takeovers += taken_over(stage, victim.pid, homes, since)
            back = time.time()
            wires.plug(0)
            stage.settle(PATIENCE)
            late += [each for each in stage.front.writes() if _is_late(each, victim, since, back)]
        verdict = judge("cable", stage, takeovers)
        if late:
            verdict.broken.append(f"{len(late)} writes without a lease")
        return verdict


class Wires:
    """A network namespace with two cables: 0 and 1. ``near`` are the addresses of this side's ends."""

    name = "datakeel-cut"
    near = ("10.213.77.1", "10.213.77.5")
    _far = ("10.213.77.2", "10.213.77.6")

    def __enter__(self) -> Wires:
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")
        for place in (0, 1):
            _ip("link", "add", f"dkn{place}", "type", "veth", "peer", "name", f"dkf{place}")
            _ip("link", "set", f"dkf{place}", "netns", self.name)
            _ip("addr", "add", f"{self.near[place]}/30", "dev", f"dkn{place}")
            _ip("-n", self.name, "addr", "add", f"{self._far[place]}/30", "dev", f"dkf{place}")
            _ip("link", "set", f"dkn{place}", "up")
            _ip("-n", self.name, "link", "set", f"dkf{place}", "up")
        return self

    def __exit__(self, *_: object) -> None:
        for words in (("link", "del", "dkn0"), ("link", "del", "dkn1"), ("netns", "del", self.name)):
            subprocess.run(["ip", *words], capture_output=True, check=False)

    def pull(self, place: int) -> None:
        _ip("link", "set", f"dkn{place}", "down")

    def plug(self, place: int) -> None:
        _ip("link", "set", f"dkn{place}", "up")

    @classmethod
    def why_not(cls) -> str:
        """Why this machine lets us make none; empty when it does."""
        if shutil.which("ip") is None:
            return "no `ip` on this machine"
        try:
            with cls():
                return ""
        except AssertionError as error:
            return f"no network namespaces here ({error})"


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr.strip()}"

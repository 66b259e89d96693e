"""A long day of a real agent: ``python -m tests.system.soak --minutes 30 --faults 0.05``.

One `datakeel run` with two targets of two platforms, a few hundred resources, a real sandbox that fails a share of all
calls, commits and people's clicks every few seconds, and webhooks. Memory, descriptors, threads, children and the
store are looked at all the time. Then the faults stop, and it must come to rest with git and live alike. Exit 1 when it
does not, or when something grew.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.system.flatness import Sample, judge, look, slope
from tests.system.stage import Agent, Stage, until, workflow

CONFIG = """\
apiVersion: datakeel/v1
source: {{{source}, interval: 5s}}
state: sqlite:///{state}
targets:
  flows:
    platform: dataos
    server: {server}/dataos
    credentials: {{token: {{env: DATAOS_TOKEN}}}}
    secrets: {{lake: {{env: LAKE_PASSWORD}}}}
    folder: manifests/flows
    defaults: {{workspace: public}}
    prune: true
    drift: heal
    limits: {{deletes_max: 1000, deletes_share_max: 1.0, updates_share_max: 1.0}}
    verify: {verify}s
    budget: off
    deadline: 5s
    hook: {{secret: {{file: {hook}}}}}
  projects:
    platform: dataops-live
    server: {server}/dataops-live
    credentials: {{token: {{env: DATAOS_TOKEN}}}}
    folder: manifests/projects
    defaults: {{namespace: datakeel-sandbox}}
    drift: heal
    verify: {verify}s
    budget: off
    deadline: 5s
"""
HOOK = "soak-hook-secret-2209"
# Each has the same share of the faults. None of them ends by itself what a later pass could not mend.
FAULTS = (
    *("server-error", "server-error-after", "unavailable", "html", "html-after", "request-timeout", "reset"),
    *("answer-lost", "cut", "broken-json", "duplicate-keys", "null-rows", "short-list", "wrong-total", "not-found"),
    *("forbidden", "redirect", "other-identity"),
)
VERIFY_SECONDS = 60
SAMPLE_SECONDS = 2.0
WARM_UP = 0.2  # of the time; caches fill in it
RSS_HOURLY_MAX = 1.0  # MiB
STORE_MAX = 64 << 20


class Soak:
    """The world around one agent. ``files`` is what git holds, by path."""

    def __init__(self, stage: Stage, chance: random.Random, flows: int, projects: int) -> None:
        self.stage = stage
        self.chance = chance
        self.number = 0
        self.names: set[str] = set()
        self.done: Counter[str] = Counter()
        self._first = {f"flows/{name}.json": workflow(name) for name in (self._new() for _ in range(flows))}
        self._first |= {f"projects/project-{number}.json": project(number, 0) for number in range(projects)}
        self.projects = projects

    def begin(self, faults: float) -> Agent:
        """The platform, the first commit, the agent, and its webhook at the platform."""
        stage = self.stage
        stage.start_sandbox(["dataos", "dataops-live"], ready_after=0.5)
        hook = stage.folder / "hook"
        hook.write_text(HOOK)
        hook.chmod(0o600)
        text = CONFIG.format(
            source=stage.source, state=stage.state, server=stage.server, hook=hook, verify=VERIFY_SECONDS
        )
        (stage.repository / "datakeel.yaml").write_text(text, encoding="utf-8")
        revision = stage.commit(self._first)
        agent = stage.start_agent("--listen", "127.0.0.1:0")
        until(lambda: len(agent.passes(revision)) >= 2, "the first passes", 300.0)
        address = next(str(event["address"]) for event in agent.events if event["event"] == "server.listening")
        registration = {
            "url": f"{address}/hooks/platform/flows/{HOOK}",
            "events": ["resource.updated", "resource.deleted"],
        }
        stage.call("POST", "/dataos/v1/webhooks", registration)
        each = {"probability": faults / len(FAULTS), "agent": "datakeel"}
        stage.call("PUT", "/_sandbox/faults", [{"fault": name, **each} for name in FAULTS])
        return agent

    def turn(self) -> None:
        """Something happens: a commit of a few files, or a person's click."""
        what = self.chance.choice(("commit", "commit", "edit", "edit", "delete", "project"))
        self.done[what] += 1
        if what == "commit":
            self.stage.commit(self._changes())
            return
        if what == "project":
            self.number += 1
            number = self.chance.randrange(self.projects)
            self.stage.commit({f"projects/project-{number}.json": project(number, self.number)})
            return
        name = self.chance.choice(sorted(self.names))
        click: dict[str, Any] = {
            "does": what,
            "type": "workflow",
            "name": name,
            "workspace": "public",
            "platform": "dataos",
        }
        if what == "edit":
            click["change"] = {"workflow": {"schedule": {"cron": f"{self.number % 60} 5 * * *"}}}
        try:
            self.stage.call("POST", "/_sandbox/person", click)
        except OSError:
            self.done["nothing there to click on"] += 1

    def _changes(self) -> dict[str, str | None]:
        changes: dict[str, str | None] = {}
        for name in self.chance.sample(sorted(self.names), self.chance.choice((1, 1, 2, 5))):
            self.number += 1
            if self.chance.random() < 0.7:
                changes[f"flows/{name}.json"] = workflow(name, f"{self.number % 60} {self.number % 24} * * *")
            else:  # another one takes its place, so that there are as many in the end as there were
                self.names.discard(name)
                changes[f"flows/{name}.json"] = None
                other = self._new()
                changes[f"flows/{other}.json"] = workflow(other)
        return changes

    def _new(self) -> str:
        self.number += 1
        name = f"flow-{self.number}"
        self.names.add(name)
        return name

    def settled(self, agent: Agent) -> list[str]:
        """The faults have stopped: what is not as git says, once two passes of each target had nothing to do."""
        stage = self.stage
        stage.call("DELETE", "/_sandbox/faults")
        revision = stage.commit({"flows/last.json": workflow("last")})
        self.names.add("last")
        looked_through = time.monotonic() + 2 * VERIFY_SECONDS  # what nobody told of is found by then

        def rests() -> bool:
            if time.monotonic() < looked_through:
                return False
            for target in ("flows", "projects"):
                last = [event for event in agent.passes(revision) if event["target"] == target][-2:]
                busy = any(event[word] for event in last for word in ("applied", "failed", "unknown", "held"))
                if len(last) < 2 or busy:
                    return False
            return not stage.open_intents()

        until(rests, "two passes of each target with nothing to do", 300.0)
        live = {key.rpartition("/")[2] for key in stage.live()}
        wrong = [f"git and live differ: {sorted(live ^ self.names)[:10]}"] if live != self.names else []
        diff = stage.datakeel("diff", "--detailed-exitcode", "--fresh")
        if diff.returncode != 0:
            wrong.append(f"diff ends with {diff.returncode}: {diff.stdout[-500:]}{diff.stderr[-300:]}")
        return wrong


def project(number: int, turn: int) -> str:
    spec = {"name": f"Project {number}", "description": f"turn {turn}", "visibility": "private"}
    manifest = {
        "apiVersion": "dataops-live/v4",
        "kind": "Project",
        "metadata": {"name": f"project-{number}"},
        "spec": spec,
    }
    return json.dumps(manifest)


def soak(
    stage: Stage, *, minutes: float, faults: float, seed: int, flows: int, projects: int
) -> tuple[list[str], list[Sample]]:
    """What is wrong, and the samples after the warm-up."""
    with stage:
        world = Soak(stage, random.Random(seed), flows, projects)
        agent = world.begin(faults)
        began = time.monotonic()
        ends, next_turn, next_line = began + minutes * 60, began, began + 60
        samples: list[Sample] = []
        while (now := time.monotonic()) < ends:
            samples.append(look(agent.child.pid, stage.state, now - began))
            if now >= next_turn:
                world.turn()
                next_turn = now + world.chance.uniform(1.0, 6.0)
            if now >= next_line:
                next_line += 60
                print(f"{samples[-1].at / 60:5.1f} min  {_shown(samples[-1])}", flush=True)
            time.sleep(SAMPLE_SECONDS)
        (stage.folder / "samples.json").write_text(json.dumps([asdict(sample) for sample in samples]))
        warm = [sample for sample in samples if sample.at >= WARM_UP * minutes * 60]
        wrong = judge(warm, rss_hourly_max=RSS_HOURLY_MAX) + world.settled(agent)
        wrong += ["the store is beyond 64 MiB"] if samples[-1].store + samples[-1].log > STORE_MAX else []
        events = agent.events
        stage.before_the_end()
        ended = time.monotonic()
        status = agent.end()
        print(f"SIGTERM: it ended with {status} after {time.monotonic() - ended:.1f} s")
        wrong += [] if status == 143 else [f"the agent ended with {status}"]
        wrong += [f"pass.crashed: {event}" for event in events if event["event"] == "pass.crashed"]
        _told(world, stage, events, samples)
        return wrong, warm


def _shown(sample: Sample) -> str:
    return (
        f"{sample.rss:.1f} MiB, {sample.descriptors} descriptors, {sample.threads} threads, "
        f"{sample.children} children, {sample.zombies} zombies, store {sample.store / 2**20:.2f} MiB, "
        f"its log {sample.log / 2**20:.2f} MiB"
    )


def _told(world: Soak, stage: Stage, events: list[dict[str, Any]], samples: list[Sample]) -> None:
    requests = stage.requests()
    told = Counter(str(event["event"]) for event in events)
    print(f"happened: {dict(sorted(world.done.items()))}")
    print(f"in the end: {len(world.names)} workflows, {world.projects} projects")
    print(f"the agent told: {dict(sorted(told.items()))}")
    print(f"{len(requests)} requests, {sum(1 for entry in requests if entry['fault'])} of them met a fault")
    for word in ("descriptors", "threads", "children", "zombies"):
        counts = Counter(getattr(sample, word) for sample in samples)
        print(f"{word}: " + ", ".join(f"{value} x{count}" for value, count in sorted(counts.items())))


def summary(wrong: list[str], warm: list[Sample]) -> int:
    """Print what held steady, and what is wrong; the exit status."""
    times = [sample.at for sample in warm]
    print(f"after {WARM_UP:.0%} of the time, {len(warm)} samples:")
    for word, unit in (("rss", " MiB"), ("memory", " MiB"), ("descriptors", ""), ("threads", ""), ("store", " bytes")):
        values = [float(getattr(sample, word)) for sample in warm]
        print(f"{word}: {values[0]:g} to {values[-1]:g}{unit}, {slope(times, values)}{unit}")
    print("\n".join(wrong) or "flat, and at rest in the end")
    return 1 if wrong else 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What every stage of a soak takes."""
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (default 30)")
    parser.add_argument("--faults", type=float, default=0.05, help="share of calls that fail (default 0.05)")
    parser.add_argument("--seed", type=int, default=1, help="draws what happens (default 1)")
    parser.add_argument("--flows", type=int, default=250, help="workflows (default 250)")
    parser.add_argument("--projects", type=int, default=30, help="projects of the second platform (default 30)")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.system.soak", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--keep", type=Path, help="play in this new folder and leave it")
    asked = parser.parse_args()
    words = {"minutes": asked.minutes, "faults": asked.faults, "seed": asked.seed}
    with tempfile.TemporaryDirectory(prefix="datakeel-soak-") as folder:
        place = asked.keep or Path(folder) / "stage"
        wrong, warm = soak(Stage(place), **words, flows=asked.flows, projects=asked.projects)
    return summary(wrong, warm)


if __name__ == "__main__":
    sys.exit(main())

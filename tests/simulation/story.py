"""One run: a world that moves, an agent that may die, a judge who watches. Everything follows from the seed.

A *story* is a list of happenings at virtual times: commits to git, people's clicks, faults of the API, deaths. It is
drawn from the seed before it is played, so that it can be told, replayed and shortened.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from agent.apply.secrets import SecretValues
from agent.config.model import Limits, TargetConfig
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.errors import AgentError
from agent.live.api import open_api
from agent.live.budget_registry import BudgetRegistry
from agent.live.connection import Connection
from agent.model.identity import Revision
from agent.model.outcome import Report, Result
from agent.reconcile.looking import look
from agent.reconcile.once import reconcile_once
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.sandbox import Refusal, create_app
from agent.secrets import Secret
from tests.simulation.judge import Judge
from tests.simulation.kill import Killed, Life, MortalStore, MortalTransport
from tests.simulation.rules import Operator, Place
from tests.simulation.source import MemorySource
from tests.simulation.virtual_time import VirtualClock, VirtualLoop, run

TOKEN = "canary-token-3f9a1c77"
CANARY = "canary-password-81d2e0aa"
INTERVAL = 30.0
NAMES = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
FAULTS = (
    "server-error",
    "server-error-after",
    "unavailable",
    "request-timeout",
    "html",
    "html-after",
    "not-found",
    "forbidden",
    "rate-limited",
    "redirect",
    "reset",
    "answer-lost",
    "cut",
    "slow",
    "late",
    "stale",
    "short-list",
    "empty-list",
    "wrong-total",
    "duplicated-row",
    "null-rows",
    "other-identity",
    "broken-json",
)


@cache
def definition() -> Platform:
    return load_platform("dataos/v1")


@dataclass(frozen=True)
class Happening:
    at: float
    what: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.at:8.1f}  {self.what}  " + " ".join(f"{name}={value}" for name, value in self.details.items())


@dataclass
class Told:
    """What came of a run. ``effects`` are the effect points of the first incarnation; ``kills`` the deaths."""

    seed: int
    violations: list[str]
    effects: list[str]
    kills: int
    passes: int
    requests: int
    commits: int
    faults: Counter[str]
    live: str
    log: list[str]


def workflow(name: str, cron: str, tags: Iterable[str] = ()) -> bytes:
    return json.dumps(
        {
            "name": name,
            "version": "v1",
            "type": "workflow",
            "workspace": "public",
            "tags": list(tags),
            "workflow": {"schedule": {"cron": cron}, "dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}]},
        }
    ).encode()


def secret(name: str, version: int) -> bytes:
    """A kind with a secret leaf, outside of any workspace."""
    body = {"type": "key-value", "acl": "rw", "data": {"password": f"{CANARY}-{version}"}}
    return json.dumps({"name": name, "version": "v1", "type": "instance-secret", "instance-secret": body}).encode()


@cache
def read_document(content: bytes) -> Mapping[str, Any]:
    """A manifest in the platform's own form, also of one that is written in datakeel's, with its ``lifecycle``."""
    document: Mapping[str, Any] = json.loads(content)
    if "kind" not in document:
        return document
    named = {"type": document["kind"].lower(), **document["metadata"], "lifecycle": document.get("lifecycle", {})}
    return {**named, **document["spec"]}


def draw_story(seed: int) -> list[Happening]:
    """Commits, clicks and faults of about ten virtual minutes; some runs have one fault, some have all."""
    chance = random.Random(f"story/{seed}")
    files: dict[str, bytes] = {"keeper.json": workflow("keeper", "0 1 * * *")}
    for name in chance.sample(NAMES, chance.randint(2, 5)):
        files[f"{name}.json"] = workflow(name, f"0 {chance.randint(0, 9)} * * *", ("ours",))
    if chance.random() < 0.5:
        files["vault.json"] = secret("vault", 0)
    story = [Happening(0.0, "commit", {"files": dict(files)})]
    at = 0.0
    for turn in range(chance.randint(2, 8)):
        at += chance.choice((1.0, 5.0, 20.0, 60.0, 120.0)) * chance.random()
        story.append(_happening(chance, at, files, turn))
    for _ in range(chance.choice((0, 1, 2, 6))):
        rule = {
            "fault": chance.choice(FAULTS),
            "times": chance.randint(1, 4),
            "probability": chance.choice((0.1, 0.3, 1.0)),
            "method": chance.choice(("GET", "POST", "PUT", "DELETE")),
        }
        story.append(Happening(chance.random() * max(at, 30.0), "fault", {"rule": rule}))
    return sorted(story, key=lambda happening: happening.at)


def _happening(chance: random.Random, at: float, files: dict[str, bytes], turn: int) -> Happening:
    name = chance.choice(NAMES)
    path = f"{name}.json"
    kind = chance.choice(
        ("edit", "edit", "add", "remove", "move", "break", "person edits", "person deletes", "person makes")
    )
    if kind == "person edits":
        return Happening(at, "person edits", {"name": name, "cron": f"{turn} 5 * * *"})
    if kind == "person deletes":
        return Happening(at, "person deletes", {"name": name})
    if kind == "person makes":
        return Happening(at, "person makes", {"name": f"handmade-{turn}"})
    if kind == "remove":
        files.pop(path, None)
    elif kind == "break":
        files["broken.json"] = b'{"name": "broken", "version": "v1", "type": "workflow", "workspace": "public"}'
    elif kind == "move" and path in files:
        files[f"moved-{turn}.json"] = files.pop(path)
    else:
        files.pop("broken.json", None)
        for other in [each for each, content in files.items() if each.startswith("moved") and name.encode() in content]:
            del files[other]
        files[path] = workflow(name, f"{turn} {chance.randint(0, 9)} * * *", ("ours", f"turn-{turn}"))
        if "vault.json" in files:
            files["vault.json"] = secret("vault", turn)
    return Happening(at, "commit", {"files": dict(files)})


class World:
    """Sandbox, git, judge and clock of one run; incarnations of the agent come and go."""

    interval = INTERVAL
    windows: Mapping[float, int] = MappingProxyType({60.0: 100, 3600.0: 1000})
    """What the platform allows: calls by the seconds of a window."""

    def __init__(
        self, seed: int, folder: Path, loop: VirtualLoop, template: Path | None, store: type[MortalStore]
    ) -> None:
        self.seed = seed
        self.store = store
        self.platform = definition()
        self.clock = VirtualClock(loop)
        self.chance = random.Random(f"world/{seed}")
        self.app = create_app(token=TOKEN, clock=self.clock, seed=seed, ready_after=self.chance.choice((0.0, 2.0, 8.0)))
        self.sandbox = self.app.state.sandbox
        self.arrange()
        self.source = MemorySource()
        self.path = folder / "state.db"
        if template is not None:
            shutil.copyfile(template, self.path)
        self.admitted: set[Place] = set()
        self.fetched = 0  # revisions of git, until the one that the agent fetched last
        self.judge = Judge(
            self.sandbox,
            self.path,
            "main",
            self.wanted,
            lambda: self.admitted,
            self.history,
            self.invalid,
            self.operator(),
        )
        self.judge.watch()
        self.kills = 0
        self.passes = 0
        self.log: list[str] = []
        self.outputs: list[str] = []

    def arrange(self) -> None:
        """What this platform does that another one may not; drawn before the judge is told of it."""
        self.sandbox.switches.lag = self.chance.choice((0.0, 0.0, 0.0, 3.0))

    def wanted(self) -> set[Place]:
        """What the newest commit names, invalid manifests included: those hold their live objects."""
        return self._named(self.source.revisions[-1][1])

    def history(self) -> list[dict[Place, Mapping[str, Any]]]:
        """What every revision says until the one that the agent fetched."""
        return [self._said(tree) for _, tree in self.source.revisions[: self.fetched]]

    def invalid(self) -> set[Place]:
        """Places of that revision whose manifest is none."""
        return {place for place, document in self.history()[-1].items() if document["type"] not in document}

    def operator(self) -> Operator:
        """The configuration in the judge's words."""
        return Operator(lag=self.sandbox.switches.lag)

    def _named(self, tree: Mapping[str, str]) -> set[Place]:
        return set(self._said(tree))

    def _said(self, tree: Mapping[str, str]) -> dict[Place, Mapping[str, Any]]:
        documents = (read_document(self.source.blobs[blob]) for blob in tree.values())
        return {(each["type"], each.get("workspace"), each["name"]): each for each in documents}

    def happen(self, happening: Happening) -> None:
        self.log.append(f"{self.clock.monotonic():9.2f} {happening.what}")
        details = happening.details
        if happening.what == "commit":
            self.source.commit(details["files"])
            return
        if happening.what == "fault":
            self.sandbox.faults.add(details["rule"])
            return
        try:
            if happening.what == "person edits":
                change = {"workflow": {"schedule": {"cron": details["cron"]}}}
                self.sandbox.person_edit("workflow", details["name"], change, workspace="public")
            elif happening.what == "person deletes":
                self.sandbox.person_delete("workflow", details["name"], workspace="public")
            elif happening.what == "person makes":
                document = json.loads(workflow(details["name"], "0 0 * * *", ("foreign-made",)))
                self.sandbox.person_create(document)
        except Refusal:
            pass  # the object is not there to be clicked on

    def target(self, life: Life, *, writable: bool = True) -> Target:
        """A fresh incarnation: only the store, git and the platform outlive its predecessor."""
        store = self.store.open(
            f"sqlite:///{self.path}", clock=self.clock, random_bytes=random.Random(self.seed).randbytes
        )
        store.life = life
        store.lock()  # as every agent does; under the lock the rows of the inventory are remembered
        chance = random.Random(f"agent/{self.seed}/{self.kills}")
        platform = self.platform
        connection = Connection(
            target="main",
            server="http://sandbox.example",
            settings={},
            credentials={"token": lambda: Secret(TOKEN)},
            deadline_seconds=30.0,
            concurrency=4,
            allow_http=True,
        )
        api = open_api(
            platform,
            connection,
            clock=self.clock,
            budget=BudgetRegistry(self.clock, store, chance).budget_for(platform, connection, 0.2),
            random=chance,
            writable=writable,
            transport=self.wire(life),
        )
        return Target(
            self.config(),
            platform,
            api,
            self.source,
            store,
            SecretValues({}, store.installation_key),
            self.clock,
            chance,
            "http://sandbox.example",
        )

    def wire(self, life: Life) -> httpx.AsyncBaseTransport:
        return MortalTransport(self.app, life)

    def config(self) -> TargetConfig:
        """What the operator wrote; a cell of its own changes it."""
        return TargetConfig(
            "main",
            "dataos/v1",
            server="http://sandbox.example",
            defaults={"workspace": "public"},
            prune=True,
            drift="heal",
            limits=Limits(deletes_max=3, deletes_share_max=0.9),
            verify_seconds=60.0,
            ready_timeout_seconds=30.0,
        )

    def wish(self, revision: Revision) -> Wish:
        return Wish(revision, interval_seconds=self.interval)

    async def one_pass(self, target: Target) -> Report | None:
        revision, tree = self.source.revisions[-1]
        self.admitted, self.fetched = self._named(tree), len(self.source.revisions)
        wish = self.wish(revision)
        self.passes += 1
        try:
            report = await reconcile_once(target, wish)
        except AgentError as error:
            self.log.append(f"{self.clock.monotonic():9.2f} pass failed: {error.what}")
            return None
        done = [f"{each.change.action.value} {each.change.key} {each.result.value}" for each in report.outcomes]
        self.log.append(f"{self.clock.monotonic():9.2f} pass {revision.short}: {', '.join(done) or 'nothing'}")
        self.outputs.append(repr(report))
        return report


def tell(
    seed: int,
    folder: Path,
    *,
    kill_at: int | None = None,
    template: Path | None = None,
    happenings: list[Happening] | None = None,
    store: type[MortalStore] = MortalStore,
    cell: type[World] = World,
) -> Told:
    """Play the story of ``seed``, or the one given; with ``kill_at`` the first incarnation dies at that effect point.

    ``store`` may be a wrong one, to see that the judge notices; ``cell`` is a world with other rules.
    """
    loop = VirtualLoop()
    world = cell(seed, folder, loop, template, store)
    effects: list[str] = []
    run(_play(world, draw_story(seed) if happenings is None else happenings, kill_at, effects), loop)
    _after(world)
    world.sandbox.close()
    return Told(
        seed,
        world.judge.violations,
        effects,
        world.kills,
        world.passes,
        len(world.sandbox.requests),
        world.judge.commits,
        Counter(played.label for played in world.sandbox.faults.played),
        _live(world),
        world.log,
    )


async def _play(world: World, story: list[Happening], kill_at: int | None, effects: list[str]) -> None:
    moving = asyncio.ensure_future(_move(world, story))
    await asyncio.sleep(0.001)  # the first commit is there
    life = Life(kill_at)
    target = world.target(life)
    while not moving.done():
        target, life = await _mortal_pass(world, target, life, effects)
        await world.clock.sleep(world.interval)
    await moving
    world.sandbox.faults.clear()
    await world.clock.sleep(60.0)
    await _converge(world, target, life, effects)


async def _mortal_pass(world: World, target: Target, life: Life, effects: list[str]) -> tuple[Target, Life]:
    try:
        await world.one_pass(target)
        world.judge.at_rest()
        return target, life
    except Killed:
        world.kills += 1
        world.log.append(f"{world.clock.monotonic():9.2f} killed at {life.points[-1]}")
        effects[:] = life.points
        target.store.close()
        world.judge.at_rest()
        life = Life()
        return world.target(life), life


async def _move(world: World, story: list[Happening]) -> None:
    began = world.clock.monotonic()
    for happening in story:
        await world.clock.sleep(began + happening.at - world.clock.monotonic())
        world.happen(happening)


async def _converge(world: World, target: Target, life: Life, effects: list[str]) -> None:
    """I7: when faults stop, git within a few passes, then rest: a pass that sends no mutating call."""
    for _ in range(4):
        target, life = await _mortal_pass(world, target, life, effects)
        await world.clock.sleep(world.interval)
    if not effects:
        effects[:] = life.points
    before = len(world.sandbox.commits)
    seen = len(world.sandbox.requests)
    report = await world.one_pass(target)
    world.judge.at_rest()
    excused = _held(report)
    wrong = [what for name, what in _differences(world) if name not in excused]
    if wrong:
        world.judge.violations.append(f"I7: not converged: {'; '.join(wrong)}")
    world.judge.settled(excused)
    if len(world.sandbox.commits) != before:
        world.judge.violations.append("I7: no rest: a pass after convergence wrote")
    writes = [entry.method for entry in world.sandbox.requests[seen:] if entry.method != "GET"]
    if writes:
        world.judge.violations.append(f"I7: no rest: {writes}")
    await _diff_only_reads(world, target)
    target.store.close()


async def _diff_only_reads(world: World, target: Target) -> None:
    """I10: a plan sends no mutating call, whatever it finds."""
    target.store.close()
    reading = world.target(Life(), writable=False)
    seen, before = len(world.sandbox.requests), world.judge.books.digest()
    try:
        await look(reading, Wish(world.source.fetch(), fresh=True))
    except AgentError as error:
        world.log.append(f"diff failed: {error.what}")
    methods = {entry.method for entry in world.sandbox.requests[seen:]}
    if methods - {"GET", "HEAD"}:
        world.judge.violations.append(f"I10: a diff sent {methods}")
    if world.judge.books.digest() != before:
        world.judge.violations.append("I10: a diff changed what the store knows")
    reading.store.close()


def _held(report: Report | None) -> set[str]:
    """Names whose change waits for a person, and says so. That live could not be told is no reason any more."""
    return {
        each.change.key.name
        for each in (report.outcomes if report is not None else ())
        if each.result is Result.HELD and (each.code != "Unknown" or "missing at once" in each.message)
    }


def _differences(world: World) -> list[tuple[str, str]]:
    """Git's newest commit against live, without a word of the agent's: (name, what is wrong)."""
    _, tree = world.source.revisions[-1]
    live = {(each["type"], each.get("workspace"), each["name"]): each for each in world.sandbox.resources()}
    found = []
    for blob in tree.values():
        document = read_document(world.source.blobs[blob])
        section, name = document["type"], document["name"]
        if section not in document:
            continue  # an invalid one
        record = live.get((section, document.get("workspace"), name))
        if record is None:
            found.append((name, f"{name} is missing"))
        elif not _says(record["spec"][section], document[section]):
            found.append((name, f"{name} is {record['spec'][section]}"))
        elif not set(document.get("tags", ())) <= set(record.get("tags", ())):
            found.append((name, f"{name} lacks tags"))
    return found


def _says(live: Any, git: Any) -> bool:
    """Whether live has what git says; what the platform adds or hides is its own business."""
    if isinstance(live, dict) and isinstance(git, dict):
        return all(_says(live[name], value) for name, value in git.items() if name != "data" or name in live)
    return bool(live == git)


def _after(world: World) -> None:
    world.judge.budget(world.windows)
    throttled = [entry for entry in world.sandbox.requests if entry.status == 429 and not entry.fault]
    if throttled:
        world.judge.violations.append(f"I8: {len(throttled)} self-inflicted 429")
    world.judge.checks += 1
    stored = b"".join(path.read_bytes() for path in world.path.parent.glob("state.db*"))
    told = "\n".join(world.outputs + world.log)
    for canary in (TOKEN, CANARY):
        if canary.encode() in stored:
            world.judge.violations.append("I9: a secret is in the store")
        if canary in told:
            world.judge.violations.append("I9: a secret is in a report")


def _live(world: World) -> str:
    """The live state as text: two runs with the same end have the same."""
    return json.dumps(
        sorted(
            (
                {name: value for name, value in each.items() if name not in ("created", "updated", "status")}
                for each in world.sandbox.resources()
            ),
            key=lambda each: (each["type"], each["name"]),
        ),
        sort_keys=True,
    )

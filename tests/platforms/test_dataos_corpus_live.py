"""The corpus of manifests as people write them, applied for real: every file goes live and rests, or says why not.

The whole walk runs against the in-process sandbox in virtual time. Names repeat between files, so files are put into as
few worlds as hold each key once. The corpus stands outside this repository; without it these tests are skipped.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from agent.apply.secrets import SecretValues
from agent.config.model import TargetConfig
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.live.api import open_api
from agent.live.budget_registry import BudgetRegistry
from agent.live.connection import Connection
from agent.model.outcome import Report, Result
from agent.reconcile.looking import Look, look
from agent.reconcile.once import reconcile_once
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.sandbox import create_app
from agent.secrets import Secret
from agent.store.store import Store
from agent.validate.document import check_file
from agent.yaml_io import load
from tests.simulation.source import MemorySource
from tests.simulation.virtual_time import VirtualClock, VirtualLoop, run

Answer = TypeVar("Answer")

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "dataos"
TOKEN = "corpus-token-51c0"
SERVER = "http://sandbox.example"
DEFAULTS = {"workspace": "public"}

# What became of the 414 valid files. `owner` left empty is filled by the platform: the agent says so and lets it be.
OUTCOMES = {
    "live and at rest": 271,
    "live; `owner` is not kept": 2,
    "refused: placeholder": 122,
    "refused: invalid-manifest": 14,
    "refused: yaml-duplicate-key": 4,
    "refused: name-type": 1,  # only its second document, which has no name: the first one goes live
}
SOUND_NEIGHBOURS = {"s3-velvet-rw"}
EMPTY_OWNER = {"instance-secret-010.yaml", "policy-007.yaml"}
SECRET_TYPES = {"secret", "instance-secret"}

pytestmark = pytest.mark.skipif(not (CORPUS / "index.csv").exists(), reason="needs ../shared/corpora/dataos")


@dataclass
class Group:
    """Files that no two of name the same key, and the world that they were applied to."""

    files: dict[str, bytes] = field(default_factory=dict)
    keys: set[tuple[Any, ...]] = field(default_factory=set)
    first: Report | None = None
    second: Report | None = None
    third: Report | None = None
    reloaded: Look | None = None
    writes: list[list[str]] = field(default_factory=list)
    live: list[Mapping[str, Any]] = field(default_factory=list)


@cache
def definition() -> Platform:
    return load_platform("dataos/v1")


class World:
    """One sandbox, one store, one commit, in virtual time."""

    def __init__(self, folder: Path, files: Mapping[str, bytes]) -> None:
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop)
        self.app = create_app(token=TOKEN, clock=self.clock, limits=False, switches={"strict_names": False})
        self.sandbox = self.app.state.sandbox
        self.source = MemorySource()
        self.source.commit(files)
        self.path = folder / "state.db"

    def play(self, story: Coroutine[Any, Any, Answer]) -> Answer:
        try:
            return run(story, self.loop)
        finally:
            self.sandbox.close()

    def target(self, *, writable: bool = True) -> Target:
        """As after a start: only the store, git and the platform are older."""
        store = Store.open(f"sqlite:///{self.path}", clock=self.clock, random_bytes=random.Random(7).randbytes)
        chance = random.Random(11)
        connection = Connection(
            target="main",
            server=SERVER,
            settings={},
            credentials={"token": lambda: Secret(TOKEN)},
            deadline_seconds=30.0,
            concurrency=8,
            allow_http=True,
        )
        budgets = BudgetRegistry(self.clock, store, chance)
        api = open_api(
            definition(),
            connection,
            clock=self.clock,
            budget=budgets.budget_for(definition(), connection, 0.2, ()),
            random=chance,
            writable=writable,
            transport=httpx.ASGITransport(app=self.app, raise_app_exceptions=True),
        )
        config = TargetConfig(
            "main", "dataos/v1", server=SERVER, defaults=DEFAULTS, prune=True, drift="heal", budget=()
        )
        secrets = SecretValues({}, store.installation_key)
        return Target(config, definition(), api, self.source, store, secrets, self.clock, chance, SERVER)

    def writes(self, since: int) -> list[str]:
        """Mutating calls after so many requests."""
        return [
            f"{entry.method} {entry.path}"
            for entry in self.sandbox.requests[since:]
            if entry.method not in ("GET", "HEAD")
        ]


@pytest.fixture(scope="module")
def refusals() -> dict[str, str]:
    """The first error of each valid file that has one."""
    found = {}
    for path in sorted((CORPUS / "valid").iterdir()):
        checked = check_file(path.read_bytes(), definition(), DEFAULTS)
        errors = [problem.code for problem in checked.problems if problem.severity == "error"]
        if errors:
            found[path.name] = errors[0]
    return found


@pytest.fixture(scope="module")
def groups(refusals: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> list[Group]:
    """Every accepted file, applied; passes two and three, and a plan after a restart, went over it."""
    found: list[Group] = []
    for path in sorted((CORPUS / "valid").iterdir()):
        if path.name in refusals:
            continue
        content = path.read_bytes()
        keys = {(each.kind, each.scope, each.name) for each in check_file(content, definition(), DEFAULTS).documents}
        group = next((group for group in found if not group.keys & keys), None)
        if group is None:
            group = Group()
            found.append(group)
        group.files[path.name] = content
        group.keys |= keys
    for group in found:
        world = World(tmp_path_factory.mktemp("world"), group.files)
        world.play(_applied(world, group))
    return found


async def _applied(world: World, group: Group) -> None:
    target = world.target()
    for number in ("first", "second", "third"):
        before = len(world.sandbox.requests)
        setattr(group, number, await reconcile_once(target, Wish(fresh=number == "third")))
        group.writes.append(world.writes(before))
        await world.clock.sleep(60.0)
    target.store.close()
    again = world.target(writable=False)
    group.reloaded = await look(again, Wish(fresh=True))
    again.store.close()
    group.live = world.sandbox.resources()


def test_every_valid_file_goes_live_or_is_refused_for_a_reason(refusals: dict[str, str], groups: list[Group]) -> None:
    outcomes = Counter(f"refused: {code}" for code in refusals.values())
    for group in groups:
        for name in group.files:
            outcomes["live; `owner` is not kept" if name in EMPTY_OWNER else "live and at rest"] += 1
    assert outcomes == OUTCOMES
    assert outcomes.total() == len(list((CORPUS / "valid").iterdir())) == 414


def test_the_first_pass_creates_each_manifest_once(groups: list[Group]) -> None:
    for group in groups:
        assert group.first is not None
        done = [outcome for outcome in group.first.outcomes if outcome.result is Result.DONE]
        assert len(done) == len(group.first.outcomes) == len(group.keys) == len(group.live)
        assert {outcome.change.action.value for outcome in done} == {"create"}
        posts = [line for line in group.writes[0] if line.startswith("POST ")]
        assert len(posts) == len(group.writes[0]) == len(group.keys)


def test_every_live_object_reads_back_as_written(groups: list[Group]) -> None:
    for group in groups:
        live = {(each["type"], each.get("workspace"), each["name"]): each for each in group.live}
        for name, content in group.files.items():
            for document in load(content).documents:
                if not document.empty:
                    assert _unlike(document.value, live) == [], name


def _unlike(written: Mapping[str, Any], live: Mapping[tuple[Any, ...], Mapping[str, Any]]) -> list[str]:
    """Members of a native document that the platform does not show, or shows with another value."""
    kind = str(written["type"])
    record = live.get((kind, written.get("workspace", "public"), written["name"])) or live.get(
        (kind, None, written["name"])
    )
    if record is None:
        return ["it is not there"]
    shown = {**record, **record["spec"]}
    wrong = []
    for word, value in written.items():
        if word in ("workspace", "type") or (word == "owner" and not value):
            continue
        if word == "tags":
            if not set(_plain(value) or ()) <= set(shown["tags"]):
                wrong.append("tags")
        elif word == kind and kind in SECRET_TYPES:
            continue  # hidden on read; the next plan compares fingerprints
        elif value is not None and _plain(value) != _plain(shown.get(word)):
            wrong.append(f"{word}: {_plain(value)!r} is shown as {_plain(shown.get(word))!r}")
    return wrong


def _plain(value: Any) -> Any:
    """One number type on both sides."""
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return float(value) if isinstance(value, Decimal) else value


def test_the_next_pass_plans_nothing_and_sends_nothing(groups: list[Group]) -> None:
    unkept = set()
    for group in groups:
        assert group.second is not None and group.second.plan is not None
        for change in group.second.plan.changes:
            assert [field.path for field in change.fields] == ["owner"]
            unkept.add(change.origin.path if change.origin else "")
        assert len(group.writes[1]) == len(group.second.plan.changes)
    assert unkept == EMPTY_OWNER


def test_a_value_that_the_platform_never_keeps_is_left_alone_after_a_second_write(groups: list[Group]) -> None:
    for group in groups:
        assert group.third is not None and group.third.plan is not None
        assert group.third.plan.changes == ()
        assert group.writes[2] == []


def test_a_plan_after_a_restart_that_reads_everything_is_empty(groups: list[Group]) -> None:
    for group in groups:
        assert group.reloaded is not None
        assert group.reloaded.plan.changes == ()
        assert group.reloaded.plan.complete
        assert len(group.reloaded.desired.resources) == len(group.keys)


@pytest.mark.parametrize("folder", ["valid", "broken"])
def test_a_refused_manifest_gives_a_located_error_and_makes_no_object(
    folder: str, refusals: dict[str, str], tmp_path: Path
) -> None:
    """All refused files of a folder in one commit; a sound document beside a refused one goes live."""
    paths = [path for path in (CORPUS / folder).iterdir() if folder == "broken" or path.name in refusals]
    assert len(paths) == {"valid": 141, "broken": 220}[folder]
    files = {path.name: path.read_bytes() for path in paths}
    world = World(tmp_path, files)

    async def story() -> Report:
        target = world.target()
        report = await reconcile_once(target, Wish())
        target.store.close()
        return report

    report = world.play(story())
    located = {
        problem.where.path
        for problem in report.problems
        if problem.severity == "error" and problem.where.line and problem.where.column
    }
    assert located == set(files)
    assert report.error in (None, "")
    sound = SOUND_NEIGHBOURS if folder == "valid" else set()
    assert {each["name"] for each in world.sandbox.resources()} == sound
    assert len(world.writes(0)) == len(sound)

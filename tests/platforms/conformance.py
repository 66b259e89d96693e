"""One manifest's life on an emulated platform: made, left alone, changed, removed. Called by ``test_conformance.py``.

It stands on the definition, one of its valid examples and ``conformance.yaml`` only; no platform is known here. The
emulator is the judge: what counts is which changes it saw and what it has in the end.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from agent import yaml_io
from agent.apply.secrets import SecretValues
from agent.config.model import Limits, TargetConfig
from agent.definitions.files import schema_name
from agent.definitions.platform import Kind, Platform
from agent.definitions.promises import guesses
from agent.live.api import open_api
from agent.live.budget_registry import BudgetRegistry
from agent.live.connection import Connection
from agent.model.change import Action
from agent.model.outcome import Outcome, Report, Result
from agent.reconcile.once import Wish, reconcile_once
from agent.reconcile.target import Target
from agent.sandbox import Commit, create_app
from agent.secrets import Secret
from agent.store.store import Store
from agent.validate.document import check_file
from tests.platforms.folders import defaults_of, folders, loaded
from tests.simulation.source import MemorySource
from tests.simulation.virtual_time import VirtualClock, VirtualLoop, run

STAGES = ("create", "rest", "update", "sends", "prune")
"""In this order; ``sends`` only for kinds whose update says what it sends, and nothing depends on it."""
TOKEN = "canary-token-58c1d0e2"
_SERVER = "http://sandbox.example"
_BETWEEN_PASSES = 120.0


class Fell(AssertionError):
    """A stage did not end as it must; the message says how."""


@dataclass(frozen=True)
class Example:
    """One valid example of a managed kind: ``name`` is its file's."""

    definition: str
    name: str
    kind: str
    path: Path

    def __str__(self) -> str:
        return f"{self.definition}-{self.name}"


@dataclass
class Life:
    """What became of each stage: "" when it ended well, else how it fell. Stages after a fall are not in it."""

    stages: dict[str, str] = field(default_factory=dict)


def surroundings() -> Mapping[str, Mapping[str, Any]]:
    """``conformance.yaml``."""
    source = Path(__file__).with_name("conformance.yaml").read_bytes()
    value: Mapping[str, Mapping[str, Any]] = yaml_io.load(source).documents[0].value
    return value


def examples_of_kinds() -> Iterator[Example]:
    """Each valid example of each definition that has an emulator; native twins of a wrapped one are left out."""
    known = surroundings()
    for definition, folder in folders():
        if "emulator" not in known.get(definition, {}):
            continue
        platform = loaded(definition)
        for path in sorted((folder / "examples" / "valid").glob("*.yaml")):
            source = path.read_bytes()
            (document, *_) = check_file(source, platform, defaults_of(platform, source.decode())).documents
            if path.stem == f"{_stem(document.kind)}-wrapped":
                continue
            yield Example(definition, path.stem, document.kind, path)


def live_through(example: Example, folder: Path, template: Path) -> Life:
    """All stages, in one virtual hour or two, until one falls."""
    loop = VirtualLoop()
    play = _Play(example, folder, template, loop)
    life = Life()
    try:
        run(_live(play, life), loop)
    finally:
        play.store.close()
        play.world.close()
    return life


def stages_of(example: Example) -> tuple[str, ...]:
    """The stages that an example goes through."""
    kind = loaded(example.definition).kinds[example.kind]
    operation = kind.update or kind.apply
    frugal = operation is not None and operation.sends == "changes"
    return tuple(stage for stage in STAGES if stage != "sends" or frugal)


async def _live(play: _Play, life: Life) -> None:
    for stage in stages_of(play.example):
        try:
            await getattr(play, stage)()
        except Fell as fall:
            life.stages[stage] = str(fall)
            if stage != "sends":
                return
            continue
        life.stages[stage] = ""
        await play.clock.sleep(_BETWEEN_PASSES)


class _Play:
    """Emulator, git, store and target of one example."""

    def __init__(self, example: Example, folder: Path, template: Path, loop: VirtualLoop) -> None:
        known = surroundings()[example.definition]
        self.example = example
        self.platform: Platform = loaded(example.definition)
        self.kind: Kind = self.platform.kinds[example.kind]
        self.clock = VirtualClock(loop)
        self.app = create_app(token=TOKEN, platform=known["emulator"], clock=self.clock, limits=False)
        self.world = self.app.state.sandbox
        for document in known.get("there", ()):
            self.world.person_create(document)
        self.document = _wrapped(example, self.platform, known.get("scope", {}))
        self.change = known.get("changes", {}).get(example.kind, {"description": "changed"})
        self.source = MemorySource()
        path = folder / "state.db"
        shutil.copyfile(template, path)
        self.store = Store.open(f"sqlite:///{path}", clock=self.clock, random_bytes=random.Random(0).randbytes)
        self.target = self._target(known)
        self.mine = ""

    def _target(self, known: Mapping[str, Any]) -> Target:
        chance = random.Random(1)
        credentials = {
            name: (lambda value=value: Secret(TOKEN if value == "TOKEN" else value))
            for name, value in known.get("credentials", {}).items()
        }
        connection = Connection(
            target="main",
            server=_SERVER,
            settings=known.get("settings", {}),
            credentials=credentials,
            allow_http=True,
        )
        secrets = {name: (lambda name=name: Secret(f"value of {name}")) for name in _secret_names(self.document)}
        config = TargetConfig(
            "main",
            self.platform.api_version,
            server=_SERVER,
            settings=known.get("settings", {}),
            secrets=dict.fromkeys(secrets),  # type: ignore[arg-type]
            confirmed=tuple(name for kind in self.platform.kinds.values() for name, _ in guesses(kind)),
            defaults=known.get("defaults", {}),
            prune=True,
            drift="heal",
            limits=Limits(),
            ready_timeout_seconds=30.0,
        )
        api = open_api(
            self.platform,
            connection,
            clock=self.clock,
            budget=BudgetRegistry(self.clock, self.store, chance).budget_for(self.platform, connection, 0.2, ()),
            random=chance,
            writable=True,
            transport=httpx.ASGITransport(app=self.app),
        )
        return Target(
            config,
            self.platform,
            api,
            self.source,
            self.store,
            SecretValues(secrets, self.store.installation_key),
            self.clock,
            chance,
            _SERVER,
        )

    # The stages

    async def create(self) -> None:
        """A manifest becomes one object; it is read back, and nothing else was changed."""
        self.source.commit({"example.json": json.dumps(self.document).encode()})
        commits = await self.written(Action.CREATE)
        made = [commit for commit in commits if commit.before is None]
        if len(made) != 1:
            raise Fell(f"{len(made)} objects were made: {_told(commits)}")
        self.mine = made[0].type

    async def rest(self) -> None:
        """Two more passes, one of which reads everything anew, find nothing to do."""
        for fresh in (False, True):
            await self.clock.sleep(_BETWEEN_PASSES)
            seen = len(self.world.commits)
            report = await self.one_pass(Wish(fresh=fresh))
            todo = [_sentence(outcome) for outcome in report.outcomes]
            if todo or len(self.world.commits) != seen:
                raise Fell(f"no rest: {'; '.join(todo) or _told(self.world.commits[seen:])}")

    async def update(self) -> None:
        """What git changes changes live, once; a kind that cannot be changed is replaced, or the change is held."""
        spec = {**self.document["spec"], **self.change}
        self.document = {**self.document, "spec": spec}
        self.source.commit({"example.json": json.dumps(self.document).encode()})
        if self.kind.update is None and self.kind.apply is None:
            if self.kind.replace != "never":
                await self.written(Action.REPLACE)
            elif not self.kind.schema or not self.kind.schema.get("properties"):
                return
            else:
                report = await self.one_pass(Wish())
                if [outcome.result for outcome in report.outcomes] != [Result.HELD]:
                    raise Fell(f"not held: {[_sentence(outcome) for outcome in report.outcomes]}")
            return
        commits = await self.written(Action.UPDATE)
        after = json.dumps(commits[-1].after)
        if "changed" not in after:
            raise Fell(f"what was changed is not there: {after[:300]}")
        await self.rest()

    async def sends(self) -> None:
        """The update held the members that differed and what the definition adds to every body, nothing else."""
        assert self.kind.update is not None
        request = next(entry for entry in reversed(self.world.requests) if entry.method == self.kind.update.method)
        adds = self.kind.update.adds.value if self.kind.update.adds is not None else {}
        needless = set(json.loads(request.body)) - {*self.change, *adds, *self.platform.request_body}
        if needless:
            raise Fell(f"sent although it did not differ: {', '.join(sorted(needless))}")

    async def prune(self) -> None:
        """A manifest that leaves git takes its object along, and then is forgotten; without a delete it stays."""
        self.source.commit({})
        wish = Wish(confirm_deletes=1, careful=True)
        if self.kind.delete is None:
            report = await self.one_pass(wish)
            held = [(outcome.result, outcome.code) for outcome in report.outcomes]
            if held != [(Result.HELD, "CannotDelete")]:
                raise Fell(f"not held: {[_sentence(outcome) for outcome in report.outcomes]}")
            return
        commits = await self.written(Action.DELETE, wish)
        if not any(commit.type == self.mine for commit in commits):
            raise Fell(f"something else was deleted: {_told(commits)}")
        await self.clock.sleep(_BETWEEN_PASSES)
        report = await self.one_pass(wish)
        if report.outcomes:
            raise Fell(f"not forgotten: {[_sentence(outcome) for outcome in report.outcomes]}")

    # Passes

    async def written(self, action: Action, wish: Wish | None = None) -> list[Commit]:
        """One pass does exactly this one change, and the emulator sees it."""
        seen = len(self.world.commits)
        report = await self.one_pass(wish or Wish())
        outcomes = [_sentence(outcome) for outcome in report.outcomes]
        if [(outcome.change.action, outcome.result) for outcome in report.outcomes] != [(action, Result.DONE)]:
            raise Fell(f"no {action.value}: {'; '.join(outcomes) or 'nothing was planned'}")
        (outcome,) = report.outcomes
        if outcome.message and not outcome.message.startswith("confirmed"):
            raise Fell(outcome.message)
        commits: list[Commit] = self.world.commits[seen:]
        if not commits:
            raise Fell("the platform saw no change")
        return commits

    async def one_pass(self, wish: Wish) -> Report:
        report = await reconcile_once(self.target, wish)
        wrong = [f"{problem.code}: {problem.what}" for problem in report.problems if problem.severity == "error"]
        if wrong:
            raise Fell("; ".join(wrong))
        return report


def _wrapped(example: Example, platform: Platform, scope: Mapping[str, str]) -> dict[str, Any]:
    """The example in our envelope, with the emulator's parents and free to be removed."""
    source = example.path.read_bytes()
    (document, *_) = check_file(source, platform, defaults_of(platform, source.decode())).documents
    spec = json.loads(json.dumps(document.spec, default=str))
    parents = {word: scope.get(word, name) for word, name in document.scope}
    return {
        "apiVersion": platform.api_version,
        "kind": document.kind,
        "metadata": {"name": document.name, **parents},
        "lifecycle": {"replace": "allow"},
        "spec": spec,
    }


def _secret_names(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        if set(value) == {"secretRef"}:
            return {value["secretRef"]}
        return set().union(*(_secret_names(member) for member in value.values()))
    return set().union(*(_secret_names(member) for member in value)) if isinstance(value, list) else set()


def _stem(kind: str) -> str:
    return schema_name(kind).removesuffix(".schema.json")


def _sentence(outcome: Outcome) -> str:
    change = outcome.change
    fields = ", ".join(f"{each.op.value} {each.path}" for each in change.fields[:4])
    words = (change.action.value, outcome.result.value, outcome.code, outcome.message or change.message, fields)
    return " ".join(word for word in words if word)


def _told(commits: list[Commit]) -> str:
    return "; ".join(f"{each.method} {each.type}/{each.name}" for each in commits)

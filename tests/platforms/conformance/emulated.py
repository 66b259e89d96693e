"""One target on one emulator in virtual time: git, store, agent, a person, and what the emulator has seen."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from agent.apply.secrets import SecretValues
from agent.config.model import Limits, TargetConfig
from agent.definitions.platform import Platform
from agent.definitions.promises import guesses
from agent.live.api import open_api
from agent.live.budget_registry import BudgetRegistry
from agent.live.connection import Connection
from agent.live.purpose import Purpose
from agent.model.change import Action, Plan
from agent.model.outcome import Outcome, Report, Result
from agent.reconcile.looking import look
from agent.reconcile.once import reconcile_once
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.sandbox import Commit, create_app
from agent.secrets import Secret
from agent.store.store import Store
from tests.platforms.conformance.examples import Document, Example, document_of, files_of, is_valid, secret_names
from tests.platforms.conformance.wire import READS, Sent, Wire, with_mark
from tests.simulation.source import MemorySource
from tests.simulation.virtual_time import VirtualClock, VirtualLoop

TOKEN = "canary-token-58c1d0e2"
BETWEEN_PASSES = 120.0
TWIN = "two"
"""What the name of a second object ends with."""
SERVER = "http://sandbox.example"


class Fell(AssertionError):
    """A stage did not end as it must; the message says how."""


class Emulated:
    """Everything that one life or one scene stands on. ``adopt`` is the target's rule."""

    def __init__(
        self, example: Example, folder: Path, template: Path, loop: VirtualLoop, keeper: type[Store] = Store
    ) -> None:
        self.example = example
        self.platform = example.platform
        self.kind = example.kind
        self.clock = VirtualClock(loop)
        app = create_app(token=TOKEN, platform=example.known["emulator"], clock=self.clock, limits=False)
        self.world = app.state.sandbox
        for document in example.known.get("there", ()):
            self.world.person_create(document)
        self.wire = Wire(app, self.world)
        self.document: Document = document_of(example)
        self.source = MemorySource()
        self.files: Mapping[str, bytes] = {}
        self.path = folder / "state.db"
        shutil.copyfile(template, self.path)
        self.keeper = keeper
        self.store = self._opened()
        self.start = len(self.world.commits)
        self.adopt = "ifIdentical"
        self.incarnation = 0
        self.rotation = ""
        """What the values of all secrets end with."""
        self.target = self._target()

    def close(self) -> None:
        self.store.close()
        self.world.close()

    def reborn(self, adopt: str = "ifIdentical") -> None:
        """The process ended; another one starts on the same store."""
        self.adopt = adopt
        self.target = self._target()

    def died(self) -> None:
        """The process was killed; another one opens the store that is left."""
        self.store.close()
        self.store = self._opened()
        self.target = self._target()

    def _opened(self) -> Store:
        return self.keeper.open(f"sqlite:///{self.path}", clock=self.clock, random_bytes=random.Random(0).randbytes)

    def _target(self) -> Target:
        self.incarnation += 1
        known = self.example.known
        return assembled(
            self.platform,
            self.wire,
            self.clock,
            self.store,
            self.source,
            settings=known.get("settings", {}),
            credentials={
                name: TOKEN if value == "TOKEN" else value for name, value in known.get("credentials", {}).items()
            },
            secrets=secret_names(self.document),
            rotation=lambda: self.rotation,
            chance=random.Random(self.incarnation),
            defaults=known.get("defaults", {}),
            adopt=self.adopt,
        )

    # Git

    def commit(self, *documents: Mapping[str, Any]) -> None:
        """Exactly these manifests are in git from now on, with the files that they name."""
        manifests = {f"example-{place}.json": json.dumps(each).encode() for place, each in enumerate(documents)}
        self.files = {path: content for each in documents for path, content in files_of(self.example, each).items()}
        self.source.commit({**manifests, **self.files})

    def twin(self) -> Document:
        """A second manifest of the same kind that says no more than it must."""
        metadata = self.document["metadata"]
        made = {**self.document, "metadata": {**metadata, "name": f"{metadata['name']}{TWIN}"}}
        for name in [*made["spec"]]:
            less = {**made, "spec": {member: value for member, value in made["spec"].items() if member != name}}
            made = less if is_valid(self.example, less) else made
        return made

    # Passes

    async def one_pass(self, wish: Wish | None = None) -> Report:
        wish = wish or Wish()
        seen = await look(self.target, wish)
        before = Counter(self.target.api.calls)
        report = await reconcile_once(self.target, wish, seen)
        over = beyond(seen.plan, self.target.api.calls - before)
        if over and not self.world.faults.played:
            raise Fell(f"more calls than the plan said: {over}; {told(report)}")
        wrong = [f"{problem.code}: {problem.what}" for problem in report.problems if problem.severity == "error"]
        if wrong:
            raise Fell("; ".join(wrong))
        return report

    async def written(self, action: Action, wish: Wish | None = None) -> Report:
        """One pass does exactly this one change, and the emulator sees it."""
        seen = len(self.world.commits)
        report = await self.one_pass(wish)
        if [(outcome.change.action, outcome.result) for outcome in report.outcomes] != [(action, Result.DONE)]:
            raise Fell(f"no {action.value}: {told(report) or 'nothing was planned'}")
        (outcome,) = report.outcomes
        if outcome.message and not outcome.message.startswith("confirmed"):
            raise Fell(outcome.message)
        if len(self.world.commits) == seen:
            raise Fell("the platform saw no change")
        return report

    async def held(self, code: str, wish: Wish | None = None) -> Report:
        """One pass writes nothing and says why."""
        seen = len(self.wire.sent)
        report = await self.one_pass(wish)
        if [(outcome.result, outcome.code) for outcome in report.outcomes] != [(Result.HELD, code)]:
            raise Fell(f"not held as {code}: {told(report) or 'nothing was planned'}")
        self.wrote_nothing_since(seen)
        return report

    async def rest(self, passes: Sequence[bool] = (False, True)) -> None:
        """More passes, one of which reads everything anew, find nothing to do."""
        for fresh in passes:
            await self.clock.sleep(BETWEEN_PASSES)
            seen = len(self.wire.sent)
            report = await self.one_pass(Wish(fresh=fresh))
            if report.outcomes:
                raise Fell(f"no rest: {told(report)}")
            self.wrote_nothing_since(seen)

    async def settles(self, seconds: float = 90.0) -> Report:
        """Passes follow one another, past every time of doubt, until one has nothing to say or only holds; the last."""
        until = self.clock.now() + seconds
        while True:
            report = await self.one_pass(Wish(fresh=True))
            if not report.outcomes:
                return report
            if self.clock.now() >= until:
                if all(each.result is Result.HELD for each in report.outcomes):
                    return report
                raise Fell(f"no end after {seconds:.0f} s: {told(report)}")
            await self.clock.sleep(45.0)

    # The judge

    def wrote_nothing_since(self, seen: int) -> None:
        """No request but reads went out after the first ``seen``."""
        writes = [each for each in self.wire.sent[seen:] if each.method not in READS and not self.reads(each)]
        if writes:
            raise Fell(f"wrote: {', '.join(f'{each.method} {each.path} -> {each.status}' for each in writes)}")

    def living(self, type_name: str) -> list[Commit]:
        """The newest commit of each object of a type that is there now; what was there in the beginning is left out."""
        newest = {
            (commit.workspace, commit.name): commit
            for commit in self.world.commits[self.start :]
            if commit.type == type_name
        }
        return [commit for commit in newest.values() if commit.after is not None]

    def count(self, type_name: str, expected: int) -> None:
        """So many objects of a type are there."""
        there = self.living(type_name)
        if len(there) != expected:
            raise Fell(f"{len(there)} objects instead of {expected}: {commits_told(self.world.commits[self.start :])}")

    def creates(self, created: Sent) -> int:
        """How often the request that creates was sent."""
        return sum(1 for each in self.wire.sent if each.method == created.method and each.path == created.path)

    def reads(self, sent: Sent) -> bool:
        """A POST that only reads, or logs in."""
        logins = {scheme.login.request.source for scheme in self.platform.auth if scheme.login is not None}
        return any(sent.path.endswith(path.partition("?")[0]) for path in logins)

    # A person

    async def person_makes(self, created: Sent, *, mark: str | None = None) -> None:
        """A person sends what the agent had sent to create the example, without our mark."""
        content = with_mark(created, self.kind.mark, mark, self.document["metadata"]["name"])
        status = await self.wire.replay(created, content)
        if status >= 300:
            raise Fell(f"a person could not make it: {status}")

    def person_edits(self, change: Mapping[str, Any]) -> Commit:
        """A person changes members of the newest object that was written, past the API."""
        commit = next(each for each in reversed(self.world.commits) if each.after is not None)
        names = [commit.name, self.document["metadata"]["name"]]
        self.world.person_edit(commit.type, names[0], change, workspace=commit.workspace)
        made: Commit = self.world.commits[-1]
        return made


def assembled(
    platform: Platform,
    transport: httpx.AsyncBaseTransport,
    clock: VirtualClock,
    store: Store,
    source: MemorySource,
    *,
    settings: Mapping[str, str],
    credentials: Mapping[str, str],
    secrets: Collection[str],
    rotation: Callable[[], str] = str,
    chance: random.Random,
    budgets: BudgetRegistry | None = None,
    **words: Any,
) -> Target:
    """A target of which everything is allowed, under one platform. ``words`` are further words of its configuration."""
    known = {name: (lambda value=value: Secret(value)) for name, value in credentials.items()}
    values = {name: (lambda name=name: Secret(f"value of {name}{rotation()}")) for name in secrets}
    connection = Connection(target="main", server=SERVER, settings=settings, credentials=known, allow_http=True)
    config = TargetConfig(
        "main",
        platform.api_version,
        server=SERVER,
        settings=settings,
        secrets=dict.fromkeys(values),  # type: ignore[arg-type]
        confirmed=tuple(name for kind in platform.kinds.values() for name, _ in guesses(kind)),
        prune=True,
        limits=Limits(),
        **{"drift": "heal", "ready_timeout_seconds": 30.0, **words},
    )
    windows = () if budgets is None else None
    budgets = budgets or BudgetRegistry(clock, store, chance)
    api = open_api(
        platform,
        connection,
        clock=clock,
        budget=budgets.budget_for(platform, connection, 0.2, windows),
        random=chance,
        writable=True,
        transport=transport,
    )
    revealed = SecretValues(values, store.installation_key)
    return Target(config, platform, api, source, store, revealed, clock, chance, SERVER)


def beyond(plan: Plan, sent: Mapping[str, int]) -> str:
    """What was sent to apply a plan over what it said at most, "" when nothing was."""
    counted = (Purpose.WRITE, Purpose.LOOK, Purpose.CONFIRM, Purpose.READY)
    return ", ".join(
        f"{sent.get(purpose, 0)} for {purpose}, at most {most}"
        for purpose in counted
        if sent.get(purpose, 0) > (most := getattr(plan.calls, purpose.value))
    )


def told(report: Report) -> str:
    return "; ".join(map(sentence, report.outcomes))


def sentence(outcome: Outcome) -> str:
    change = outcome.change
    fields = ", ".join(f"{each.op.value} {each.path}" for each in change.fields[:4])
    words = (change.action.value, outcome.result.value, outcome.code, outcome.message or change.message, fields)
    return " ".join(word for word in words if word)


def commits_told(commits: Sequence[Commit]) -> str:
    return "; ".join(f"{each.agent} {each.method} {each.type}/{each.name}" for each in commits)

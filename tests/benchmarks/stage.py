"""What a measurement stands on: repository, sandbox with all of it live, store that knows it. Made once a size.

``Stage`` is a folder and the address of a sandbox in a process of its own; workers open it in theirs. Populating goes
through the real walk, so that it is a measurement too; only the largest sizes are filled from behind (``filled``).
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from agent.apply.secrets import SecretValues
from agent.clock import SystemClock
from agent.config.model import SourceConfig, TargetConfig
from agent.definitions.load import load_platform
from agent.live.api import open_api
from agent.live.budget_registry import BudgetRegistry
from agent.live.connection import Connection
from agent.model.limits import Limits
from agent.reconcile.target import Target
from agent.secrets import Secret
from agent.source import open_source
from agent.store.store import Store
from tests.benchmarks import corpus
from tests.benchmarks.filled import fill

TOKEN = "benchmark-token"
_PASSES_MAX = 5
CONCURRENCY = 10
WALKED_MAX = 20_000
"""Up to here everything is created by the walk, which is a measurement too; beyond, found live and adopted."""


@dataclass(frozen=True)
class Stage:
    """``first`` and ``second`` are commits that differ in one file; the sandbox and the store hold the first."""

    folder: str
    size: int
    first: str
    second: str
    populate_seconds: float
    populate_calls: int
    server: str = ""

    @property
    def repository(self) -> Path:
        return Path(self.folder) / "repository"

    @property
    def state(self) -> Path:
        return Path(self.folder) / "state.db"


@contextmanager
def staged(folder: Path, size: int) -> Iterator[Stage]:
    """The stage of a size, made if the folder has none yet, with its sandbox running."""
    place = folder / f"size-{size}"
    description, commits = place / "stage.json", ("", "")
    if not description.exists():
        shutil.rmtree(place, ignore_errors=True)
        first, second = commits = corpus.build(place / "repository", size)
        if size > WALKED_MAX:
            fill(place, first, config_of(""), TOKEN)
    with sandbox(place) as server:
        if not description.exists():
            first, second = commits
            stage = Stage(str(place), size, first, second, 0.0, 0, server)
            seconds, calls = _populate(stage)
            stage = Stage(str(place), size, first, second, seconds, calls)
            description.write_text(json.dumps(asdict(stage)), encoding="utf-8")
        yield Stage(**{**json.loads(description.read_text(encoding="utf-8")), "server": server})


@contextmanager
def copied_state(stage: Stage) -> Iterator[Path]:
    """A store of one's own: passes write to it."""
    with tempfile.TemporaryDirectory(dir=stage.folder) as folder:
        copy = Path(folder) / "state.db"
        shutil.copyfile(stage.state, copy)
        yield copy


@asynccontextmanager
async def open_target(
    stage: Stage, state: Path, *, writable: bool = True, platform: str = "dataos", credential: str = "token"
) -> AsyncIterator[Target]:
    """The real parts, as the command line puts them together, without rate windows and without freshness reads."""
    clock, chance = SystemClock(), random.Random()  # ids of operations must never come twice in one store
    definition = load_platform(f"{platform}/v1")
    connection = Connection(
        target="main",
        server=stage.server,
        settings={},
        credentials={credential: lambda: Secret(TOKEN)},
        deadline_seconds=30.0,
        concurrency=CONCURRENCY,
        allow_http=True,
    )
    config = config_of(stage.server, platform)
    source = open_source(SourceConfig(path=stage.repository), Path(stage.folder) / "cache")
    store = Store.open(f"sqlite:///{state}", clock=clock)
    store.lock()
    budgets = BudgetRegistry(clock, store, chance, store.installation_key)
    api = open_api(
        definition,
        connection,
        clock=clock,
        budget=budgets.budget_for(definition, connection, 0.2, ()),
        random=chance,
        writable=writable,
    )
    try:
        # The address of a sandbox is another one each time; here it is one system all the same.
        secrets = SecretValues({}, store.installation_key)
        yield Target(config, definition, api, source, store, secrets, clock, chance, "http://sandbox.example")
    finally:
        await api.close()
        budgets.close()
        store.close()
        source.close()


def config_of(server: str, platform: str = "dataos") -> TargetConfig:
    """The target of all measurements."""
    return TargetConfig(
        "main",
        f"{platform}/v1",
        server=server,
        folder=corpus.FOLDER,
        prune=True,
        drift="heal",
        verify_seconds=1e9,
        budget=(),
        concurrency=CONCURRENCY,
        allow_http=True,
        ready_timeout_seconds=0.0,  # what was made a moment ago is changed all the same
        limits=replace(Limits(), manifests_max=200_000),
    )


def _populate(stage: Stage) -> tuple[float, int]:
    """Create everything through the walk, or adopt what is there already: wall seconds and calls."""
    from agent.reconcile.once import reconcile_once
    from agent.reconcile.wish import Wish

    async def play() -> tuple[float, int]:
        async with open_target(stage, stage.state) as target:
            wish = Wish(target.source.resolve(stage.first))
            began = time.perf_counter()
            report = await reconcile_once(target, wish)
            seconds = time.perf_counter() - began
            for _ in range(_PASSES_MAX):
                if len(target.store.rows(target.name)) == stage.size:
                    break  # where a machine is busy, some calls out of a hundred thousand are not answered in time
                report = await reconcile_once(target, wish)
            else:
                raise AssertionError(f"not all are there: {report.problems[:3]} {report.conditions}")
            if stage.size <= WALKED_MAX:
                await reconcile_once(target, Wish(wish.revision, fresh=True))
            return seconds, report.calls_total

    stage.state.unlink(missing_ok=True)
    return asyncio.run(play())


@contextmanager
def sandbox(place: Path, requests: Path | None = None, platform: str = "dataos") -> Iterator[str]:
    """The address of a sandbox over ``sandbox.db`` of a folder; ``requests`` is where it writes them down."""
    place.mkdir(parents=True, exist_ok=True)
    words = ["sandbox", "--platform", platform, "--port", "0", "--no-limits", "--token", TOKEN]
    words += ["--state", str(place / "sandbox.db"), *(["--requests-log", str(requests)] if requests else [])]
    with subprocess.Popen([sys.executable, "-m", "agent", *words], stdout=subprocess.PIPE, text=True) as child:
        try:
            line = child.stdout.readline() if child.stdout else ""
            if not line.startswith("listening on "):
                raise AssertionError(f"the sandbox did not start: {line!r}")
            yield line.split()[2]
        finally:
            child.terminate()
            child.wait(timeout=30)

"""One measurement in a process of its own: ``python -m tests.benchmarks.worker PATH STAGE``, told as one JSON line.

Started by ``__main__``. Imports and set-up lie before the clock; CPU is that of this process and of the git it runs.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median

import structlog

from agent.config.model import SourceConfig, TargetConfig
from agent.definitions.load import load_platform
from agent.model.identity import Revision
from agent.model.resource import Desired
from agent.reconcile import collector
from agent.reconcile.desired import read_desired
from agent.reconcile.last import LastDesired
from agent.reconcile.looking import look
from agent.reconcile.once import reconcile_once
from agent.reconcile.proposal import look_at_proposal, parted_at, proposal_of
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.source import Source, open_source
from agent.store.store import Store
from tests.benchmarks import corpus, floors, listed
from tests.benchmarks.stage import Stage, copied_state, open_target
from tests.benchmarks.taken import Taken, peak_megabytes

_TURNS = 6  # a change and its way back, three times: one of them alone is too short to measure


def parse_floor(stage: Stage) -> Taken:
    return _parsed(corpus.files(stage.size))


def parse_floor_listed(stage: Stage) -> Taken:
    return _parsed(corpus.files(stage.size, listed.documents))


def _parsed(files: Iterable[tuple[str, str]]) -> Taken:
    taken = Taken()
    contents = [text.encode() for _, text in files]
    with taken.clock():
        count = floors.parse(contents)
    taken.facts = {"manifests": count, "bytes": sum(map(len, contents))}
    return taken


def calls_floor(stage: Stage) -> Taken:
    return _calls(stage, floors.requests_of(stage, gets=True))


def lists_floor(stage: Stage) -> Taken:
    return _calls(stage, floors.requests_of(stage, gets=False))


def calls_floor_listed(stage: Stage) -> Taken:
    with listed.listed(stage) as beside:
        return _calls(beside, listed.walks(stage.size))


def _calls(stage: Stage, walks: Sequence[floors.Walk]) -> Taken:
    taken = Taken()

    async def play() -> int:
        import aiohttp  # noqa: F401 - before the clock

        with taken.clock():
            return await floors.calls(stage, walks)

    taken.calls = {"all": asyncio.run(play())}
    return taken


def validate_cold(stage: Stage) -> Taken:
    """Nothing cached anywhere: tree, blobs, checks, references."""
    return _validated(stage, None, LastDesired())


def validate_warm_store(stage: Stage) -> Taken:
    """A new process; the store knows every file."""
    with copied_state(stage) as state:
        store = Store.open(f"sqlite:///{state}", clock=_clock(), write=False)
        try:
            return _validated(stage, store, LastDesired())
        finally:
            store.close()


def validate_warm_process(stage: Stage) -> Taken:
    """The same process and its source, the same revision."""
    source, last = _source(stage), LastDesired()
    _validated(stage, None, last, source)
    return _validated(stage, None, last, source)


def _source(stage: Stage) -> Source:
    source = open_source(SourceConfig(path=stage.repository), Path(stage.folder) / "cache")
    source.fetch()
    return source


def _validated(stage: Stage, store: Store | None, last: LastDesired, source: Source | None = None) -> Taken:
    taken = Taken()
    platform = load_platform("dataos/v1")
    config = TargetConfig("main", "dataos/v1", folder=corpus.FOLDER)
    source = source or _source(stage)
    with taken.clock():
        desired: Desired = read_desired(source, source.resolve(stage.first), config, platform, store, last)
    assert not desired.problems, desired.problems[:3]
    taken.facts = {"manifests": len(desired.resources)}
    return taken


def diff_cold(stage: Stage) -> Taken:
    """A plan without any memory: everything parsed, listed, read and compared."""
    return _diffed(stage, "dataos", "token")


def diff_cold_listed(stage: Stage) -> Taken:
    """The same where the lists hold the spec, so that nothing is read by key."""
    with listed.listed(stage) as beside:
        return _diffed(beside, listed.PLATFORM, listed.CREDENTIAL)


def _diffed(stage: Stage, platform: str, credential: str) -> Taken:
    async def play(taken: Taken) -> None:
        with tempfile.TemporaryDirectory(dir=stage.folder) as folder:
            state = Path(folder) / "state.db"
            opened = open_target(stage, state, writable=False, platform=platform, credential=credential)
            async with opened as target:
                revision = target.source.resolve(stage.first)
                with taken.clock():
                    seen = await look(target, Wish(revision, fresh=True))
                taken.calls = dict(seen.observed.calls)
                taken.facts = {"adopts": sum(change.action == "adopt" for change in seen.plan.changes)}

    return _played(play)


def pull_request_cold(stage: Stage) -> Taken:
    """The plan of a pull request that changes three manifests, in a job that has neither state nor cache."""

    async def play(taken: Taken) -> None:
        with tempfile.TemporaryDirectory(dir=stage.folder) as folder:
            async with open_target(stage, Path(folder) / "state.db", writable=False) as target:
                await _pull_request(target, stage, taken)

    return _played(play)


def pull_request_warm(stage: Stage) -> Taken:
    """The same beside a store that knows every file."""

    async def play(taken: Taken) -> None:
        with copied_state(stage) as state:
            async with open_target(stage, state, writable=False) as target:
                await _pull_request(target, stage, taken)

    return _played(play)


async def _pull_request(target: Target, stage: Stage, taken: Taken) -> None:
    target.source.fetch()
    proposal_id = corpus.propose(stage.repository, stage.first)
    with taken.clock():
        first, last = target.source.resolve(stage.first), target.source.resolve(proposal_id)
        proposal = proposal_of(target, parted_at(target.source, first, last), last)
        plan = (await look_at_proposal(target, proposal, Wish(careful=True))).plan
    taken.calls = dict(plan.calls.reads)
    taken.facts = {"updates": sum(change.action == "update" for change in plan.changes)}


def _played(play: Callable[[Taken], Awaitable[None]]) -> Taken:
    taken = Taken()
    asyncio.run(play(taken))
    return taken


def pass_cold(stage: Stage) -> Taken:
    """A whole pass that believes nothing and has no checked files; it finds that all is well."""

    async def play(target: Target, taken: Taken) -> None:
        await _pass(target, taken, Wish(target.source.resolve(stage.first), fresh=True))

    return _with_target(stage, play, forget=("checked", "summary"))


def pass_warm(stage: Stage) -> Taken:
    """The pass of a poll that finds nothing new, as the loop makes it: lists only."""
    return _idle(stage, lambda revision: Wish(revision, patient=True, sweeps=False))


def pass_judged(stage: Stage) -> Taken:
    """The same for a person, who does not take the agent's word for what its lists showed before."""
    return _idle(stage, Wish)


def pass_unlisted(stage: Stage) -> Taken:
    """The same between two looks at the lists: nothing is sent."""
    return _idle(stage, lambda revision: Wish(revision, patient=True, lists_wait=True, interval_seconds=1e9))


def _idle(stage: Stage, wished: Callable[[Revision], Wish]) -> Taken:
    """A few passes, once what is known has settled."""

    async def play(target: Target, taken: Taken) -> None:
        revision = target.source.resolve(stage.first)
        for _ in range(2):
            await _pass(target, taken, Wish(revision, patient=True))
        collector.settle()
        turns = [Taken() for _ in range(_TURNS)]
        for turn in turns:
            await _pass(target, turn, wished(revision))
        _sum_up(taken, turns)

    return _with_target(stage, play)


def pass_one_change(stage: Stage) -> Taken:
    """One file changed and git woke the agent; a few such passes, each with its write.

    The first change and its way back are not counted: what later ones follow is put together by them, once a process.
    """

    async def play(target: Target, taken: Taken) -> None:
        await _pass(target, taken, Wish(target.source.resolve(stage.first)))
        collector.settle()
        turns = [Taken() for _ in range(_TURNS + 2)]
        for number, turn in enumerate(turns):
            revision = target.source.resolve((stage.second, stage.first)[number % 2])
            await _pass(target, turn, Wish(revision, lists_wait=True, interval_seconds=1e9))
            assert turn.facts["writes"] == 1, turn
        _sum_up(taken, turns[2:])
        taken.facts["first"] = turns[0].cpu

    return _with_target(stage, play)


def _sum_up(taken: Taken, turns: list[Taken]) -> None:
    """The median of the same pass, taken a few times."""
    taken.wall, taken.cpu = median(turn.wall for turn in turns), median(turn.cpu for turn in turns)
    taken.calls, taken.facts = turns[-1].calls, dict(turns[-1].facts)


def pass_one_change_polled(stage: Stage) -> Taken:
    """The same where only the poll noticed it: with all lists."""

    async def play(target: Target, taken: Taken) -> None:
        await _pass(target, taken, Wish(target.source.resolve(stage.first)))
        await _pass(target, taken, Wish(target.source.resolve(stage.second)))
        back = Taken()
        await _pass(target, back, Wish(target.source.resolve(stage.first)))
        assert back.facts["writes"] == 1

    return _with_target(stage, play)


async def _pass(target: Target, taken: Taken, wish: Wish) -> None:
    with taken.clock():
        report = await reconcile_once(target, wish)
    taken.calls = dict(report.calls)
    taken.facts = {"writes": sum(1 for outcome in report.outcomes if outcome.result == "done")}
    held = [f"{change.key}: {change.message}" for change in (report.plan.held if report.plan else ())]
    assert not held, held[:3]


def _with_target(stage: Stage, play: Callable[[Target, Taken], object], forget: Sequence[str] = ()) -> Taken:
    """``forget`` are tables that are emptied before."""
    taken = Taken()

    async def opened() -> None:
        with copied_state(stage) as state:
            with closing(sqlite3.connect(state)) as raw:
                for table in forget:
                    assert raw.execute(f"DELETE FROM {table}").rowcount > 0
                raw.commit()
            async with open_target(stage, state) as target:
                await play(target, taken)  # type: ignore[misc]

    asyncio.run(opened())
    return taken


PATHS: dict[str, Callable[[Stage], Taken]] = {
    "floor.parse": parse_floor,
    "floor.calls": calls_floor,
    "floor.lists": lists_floor,
    "floor.parse.listed": parse_floor_listed,
    "floor.calls.listed": calls_floor_listed,
    "validate.cold": validate_cold,
    "validate.warm.store": validate_warm_store,
    "validate.warm.process": validate_warm_process,
    "diff.cold": diff_cold,
    "diff.cold.listed": diff_cold_listed,
    "pull.cold": pull_request_cold,
    "pull.warm": pull_request_warm,
    "pass.cold": pass_cold,
    "pass.warm": pass_warm,
    "pass.judged": pass_judged,
    "pass.unlisted": pass_unlisted,
    "pass.one": pass_one_change,
    "pass.one.polled": pass_one_change_polled,
}


def _clock():
    from agent.clock import SystemClock

    return SystemClock()


def main() -> int:
    path, description = sys.argv[1:]
    # Events go where the command line sends them; standard output is for the one line alone.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    taken = PATHS[path](Stage(**json.loads(description)))
    calls = Counter({str(purpose): count for purpose, count in taken.calls.items()})
    told = {
        "wall": taken.wall,
        "cpu": taken.cpu,
        "calls": calls.total(),
        "by_purpose": dict(calls),
        "peak": peak_megabytes(),
        "facts": taken.facts,
    }
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What one turn, one resource and one row cost, measured on the real agent for the simulation of a fleet.

``python -m tests.simulation.fleet.measure`` writes ``costs.json`` anew. The real loop takes real turns at real targets
under real leases, against the sandbox in its own process and in virtual time; the processor time of the sandbox is
taken off. Rows are weighed in a store that such turns have filled: a file, and a PostgreSQL of its own.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from agent.live.connection import Connection
from agent.live.transport import tls_of
from agent.reconcile.desired import read_desired
from agent.reconcile.last import LastDesired
from agent.secrets import Secret
from tests import postgresql
from tests.simulation.fleet.agents import TOKEN, Agent, Line, Site
from tests.simulation.fleet.costs import FILE
from tests.simulation.places import memory_folder
from tests.simulation.story import workflow
from tests.simulation.virtual_time import VirtualLoop, run
from tests.simulation.week import quiet

_INTERVAL = 600.0
_PAGES_TELL, _ROW_BYTES = 100, 60  # line pointer, header and the entry of the primary key
_TABLES = ("inventory", "applied", "journal", "pass", "event", "spending", "lease", "target", "board", "checked")


class Bench(Agent):
    """One agent on a site of its own, whose turns are timed: ``sizes`` are the resources of its targets."""

    def __init__(self, state: str, loop: VirtualLoop, sizes: Sequence[int]) -> None:
        super().__init__(Site(loop, sizes), state, _INTERVAL)
        self.commits, self.statements = 0, 0
        event.listen(self.store._engine, "commit", self._committed)
        event.listen(self.store._engine, "after_cursor_execute", self._executed)

    def _committed(self, connection: Any) -> None:
        self.commits += 1

    def _executed(self, *_: Any) -> None:
        self.statements += 1

    async def timed(self, place: int, reasons: set[str]) -> dict[str, float]:
        """One turn at a target: processor seconds of the agent, transactions that were committed, calls by purpose."""
        target = self.targets[place]
        before = dict(target.api.calls)
        self.commits, self.statements, Line.beyond = 0, 0, 0.0
        began = time.process_time()
        await self.turn(place, reasons)
        took = time.process_time() - began - Line.beyond
        calls = {name: count - before.get(name, 0) for name, count in target.api.calls.items()}
        told = {"cpu": took, "commits": self.commits, "statements": self.statements}
        return told | {name: count for name, count in calls.items() if count}

    def close(self) -> None:
        super().close()
        self.site.close()


@contextmanager
def places(server: bool) -> Iterator[str]:
    """Where a store may be: a file, or a database of a cluster."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory_folder())))
        if not server:
            yield f"sqlite:///{folder / 'state.db'}"
            return
        cluster = stack.enter_context(postgresql.Cluster(Path(tempfile.mkdtemp(prefix="datakeel-postgresql-"))))
        yield cluster.url()


async def turns(bench: Bench) -> dict[str, dict[str, float]]:
    """Turns of each sort at the first target: of five, the one that took the least processor time."""
    await bench.tenure.look()
    told = {"first": await bench.timed(0, {"start"})}
    target = bench.targets[0]
    sweep, pace = bench.loop.sweeps[target.name], bench.loop.paces[target.name]

    async def least(sort: str, reasons: set[str], before: Callable[[int], object], pause: float) -> None:
        found = []
        for number in range(5):
            await bench.clock.sleep(pause)
            before(number)
            found.append(await bench.timed(0, reasons))
        told[sort] = min(found, key=lambda each: each["cpu"])

    def only_sweep(number: int) -> None:
        pace.next_at = bench.clock.monotonic() + 1.0
        sweep._next_at = target.listed_at = bench.clock.monotonic()

    await bench.clock.sleep(3600.0)
    sweep._next_at = math.inf
    await least("poll", set(), lambda number: None, _INTERVAL + 1)
    path = f"{bench.site.names[0]}/w0000.json"
    await least("git", {"git"}, lambda number: bench.site.edit(path, f"{number} 4 * * *"), 5.0)
    await least("bystander", {"git"}, lambda number: bench.site.source.commit(bench.site.files), 5.0)
    await least("sweep", set(), only_sweep, 7200.0)
    await least("takeover", {"git"}, lambda number: _forget(bench), 7200.0)
    return told


def _forget(bench: Bench) -> None:
    """Another agent was here meanwhile, and this one has never been."""
    bench.targets[0].begin_anew()
    bench.targets[0].last = LastDesired()
    bench.store._begin_turn(bench.site.names[0])


def weigh(state: str) -> dict[str, float]:
    """Bytes a row of each table, after a first apply of 300 resources and 150 edits."""
    loop = VirtualLoop()
    bench = Bench(state, loop, [300])

    async def story() -> None:
        await bench.tenure.look()
        await bench.turn(0, {"start"})
        for number in range(15):
            for edited in range(10):
                bench.site.files[f"t0000/w{edited:04}.json"] = workflow(f"t0000-w{edited:04}", f"{number} 5 * * *")
            await bench.clock.sleep(1200.0)
            bench.site.source.commit(bench.site.files)
            await bench.turn(0, {"git"})

    run(story(), loop)
    found = {}
    with bench.store._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in _TABLES:
            rows = connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one()
            found[table] = round(_size_of(connection, table, rows) / rows, 1) if rows else 0.0
    bench.close()
    return found


def _size_of(connection: Any, table: str, rows: int) -> float:
    """With its indexes. Of a few rows a server's whole pages would tell nothing: there it is what each row takes."""
    if connection.dialect.name == "postgresql":
        if rows < _PAGES_TELL:
            told = connection.execute(text(f'SELECT sum(pg_column_size(one) + {_ROW_BYTES}) FROM "{table}" one'))
            return float(told.scalar_one())
        connection.exec_driver_sql(f'VACUUM FULL "{table}"')
        return float(connection.execute(text(f"SELECT pg_total_relation_size('\"{table}\"')")).scalar_one())
    names = connection.execute(text("SELECT name FROM sqlite_master WHERE tbl_name = :of"), {"of": table}).scalars()
    pages = text("SELECT coalesce(sum(pgsize - unused), 0) FROM dbstat WHERE name = :of")
    return float(sum(connection.execute(pages, {"of": name}).scalar_one() for name in names.all()))


def memory() -> dict[str, float]:
    """Bytes of one target that nobody has looked at, and of one resource whose manifest and row are known."""
    with places(server=False) as state:
        loop, few, many = VirtualLoop(), 3, 43
        held = []
        for count in (1, few, many):  # the first one brings what all share
            gc.collect()
            tracemalloc.start()
            bench = Bench(f"{state}{count}", loop, [0] * count)
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.stop()
            bench.close()
    with places(server=False) as state:
        bench = Bench(state, VirtualLoop(), [200])
        target = bench.targets[0]

        async def story() -> None:
            await bench.tenure.look()
            await bench.turn(0, {"start"})

        run(story(), bench.site.timeline)
        target.last = LastDesired()
        gc.collect()
        tracemalloc.start()
        read_desired(target.source, target.source.fetch(), target.config, target.platform, target.store, target.last)
        rows = target.store.rows(target.name)
        gc.collect()
        known = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        bench.close()
    a_target, a_resource = (held[2] - held[1]) / (many - few), known / len(rows)
    return {"target": round(a_target), "tls": tls_bytes(), "resource": round(a_resource)}


def tls_bytes() -> int:
    """What each target of an https server holds for its certificates, which Python cannot see."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    https = Connection(target="t", server="https://t.example", credentials={"token": lambda: Secret(TOKEN)})
    kept = [tls_of(https)]
    before = resident()
    kept += [tls_of(https) for _ in range(40)]
    return (resident() - before) // 40


def watching() -> dict[str, float]:
    """Processor seconds a target: of finding out that none is due, and of asking which wait for somebody."""
    count = 400
    with places(server=False) as state:
        loop = VirtualLoop()
        bench = Bench(state, loop, [0] * count)
        told: dict[str, float] = {}

        async def story() -> None:
            bench.tenure.mine = set(bench.site.names)
            for pace in bench.loop.paces.values():
                pace.next_at = 1e9
            for sweep in bench.loop.sweeps.values():
                sweep._next_at = 1e9
            for name, step in (("wake", _wake), ("look", _look)):
                found = []
                for _ in range(5):
                    began = time.process_time()
                    await step(bench)
                    found.append(time.process_time() - began)
                told[name] = min(found) / count

        run(story(), loop)
        bench.close()
    return told


async def _wake(bench: Bench) -> None:
    for target in bench.targets:
        await bench.loop._held_turn(target, bench.loop.paces[target.name], set())
    min(map(bench.loop._due_at, bench.targets))


async def _look(bench: Bench) -> None:
    bench.store.may_take(frozenset(bench.tenure.mine))


def measured() -> dict[str, Any]:
    """All of it, as ``costs.json`` has it."""
    told: dict[str, Any] = {"cores": os.cpu_count(), "turns": {}, "memory": memory(), "watching": watching()}
    for size in (40, 240):
        with places(server=False) as state:
            loop = VirtualLoop()
            bench = Bench(state, loop, [size])
            told["turns"][str(size)] = run(turns(bench), loop)
            bench.close()
    told["bytes"] = {}
    for name in ("sqlite", "postgresql"):
        with places(server=name == "postgresql") as state:
            told["bytes"][name] = weigh(state)
    return told


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.fleet.measure", description=__doc__)
    parser.add_argument("--to", type=Path, default=FILE, help="the file to write")
    words = parser.parse_args()
    quiet()
    if lacking := postgresql.why_not():
        print(f"nothing is written: rows are weighed on both databases, and there is {lacking}", file=sys.stderr)
        return 1
    told = json.loads(json.dumps(measured()), parse_float=lambda text: float(f"{float(text):.4g}"))
    words.to.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(f"{words.to} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())

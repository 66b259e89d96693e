"""What a scrape costs an agent, by the number of its resources: `python -m tests.benchmarks.metrics`.

Rows lie in a real store, over ten targets, twenty kinds and all states; the numbers are made of them and worded as for
Prometheus. Processor time, bytes and series are told, and each as a ratio to the first size.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from agent.clock import SystemClock
from agent.model.identity import Key, Origin, Revision
from agent.model.inventory import InventoryRow
from agent.model.manifest import Lifecycle
from agent.model.resource import Desired, Resource
from agent.reconcile.census import Census, Seen
from agent.server.metrics import text_of
from agent.store.store import Store

TARGETS, KINDS = 10, 20
REVISION = Revision("4f2c1ab" + "0" * 33, "main")


class Scrape(NamedTuple):
    """``first``, ``next``: processor seconds of the first scrape, and of one right after it."""

    size: int
    first: float
    next: float
    bytes: int
    series: int


def scrape(size: int, folder: Path) -> Scrape:
    """One agent of so many resources."""
    clock = SystemClock()
    store = Store.open(f"sqlite:///{folder / f'{size}.db'}", clock=clock)
    store.lock()
    now = clock.now()
    targets: list[Any] = []
    for number in range(TARGETS):
        name = f"t{number}"
        keys = [Key(name, f"Kind{n % KINDS}", (("workspace", "w"),), f"n-{n}") for n in range(size // TARGETS)]
        store.put_rows([InventoryRow(key, uid="u", in_sync=n % 9 > 0, seen_at=now - n) for n, key in enumerate(keys)])
        found = {key: Resource(key, Origin("a.yaml", 1, 1), "d", Lifecycle(), (), dict) for key in keys}
        last = SimpleNamespace(desired=Desired(name, REVISION, found))
        targets.append(SimpleNamespace(name=name, last=last))
        store.rows(name)  # as a pass has read it
    census = Census(store, clock)
    of = [Seen(target, None, {}) for target in targets]
    spent, text = [], b""
    for _ in range(2):
        began = time.process_time()
        text = text_of(census.families(of, {}))
        spent.append(time.process_time() - began)
    store.close()
    series = sum(1 for line in text.splitlines() if not line.startswith(b"#"))
    return Scrape(size, spent[0], spent[1], len(text), series)


def measure(sizes: Sequence[int]) -> list[Scrape]:
    with tempfile.TemporaryDirectory() as folder:
        return [scrape(size, Path(folder)) for size in sizes]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.metrics", description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of resources")
    sizes = [int(word) for word in parser.parse_args().sizes.split(",")]
    found = measure(sizes)
    base = found[0]
    print(f"{'resources':>10} {'first':>9} {'next':>9} {'bytes':>9} {'series':>7}  first, next and bytes as ratios")
    for each in found:
        ratios = f"{each.first / base.first:.1f} {each.next / base.next:.1f} {each.bytes / base.bytes:.2f}"
        words = f"{each.first * 1000:>6.0f} ms {each.next * 1000:>6.0f} ms {each.bytes:>9} {each.series:>7}"
        print(f"{each.size:>10} {words}  {ratios}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

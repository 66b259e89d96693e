"""What a scrape costs does not grow with the resources: neither its series, nor what is counted again at once."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from agent.reconcile.census import Census, Seen
from agent.store.store import Store
from tests.benchmarks.metrics import measure
from tests.unit.store.builders import HandClock, row


def test_series_and_bytes_stay_when_resources_double() -> None:
    less, more = measure([2000, 4000])
    assert less.series == more.series
    assert math.isclose(less.bytes, more.bytes, rel_tol=0.02)


class Slow(HandClock):
    """A second passes whenever somebody looks."""

    def monotonic(self) -> float:
        self.time += 1.0
        return super().monotonic()


def test_what_took_long_to_count_is_counted_again_only_after_a_while(tmp_path: Path) -> None:
    clock = Slow()
    store = Store.open(f"sqlite:///{tmp_path / 'state.db'}", clock=clock)
    target: Any = SimpleNamespace(name="analytics", last=SimpleNamespace(desired=None))
    census, of = Census(store, clock), [Seen(target, None, {})]

    def counted() -> float:
        (family,) = (each for each in census.families(of, {}) if each.name == "resources")
        return sum(float(value) for _, value in family.samples if not hasattr(value, "total"))

    assert counted() == 0
    store.put_rows([row()])
    assert counted() == 0, "told again"
    clock.time += 30.0
    assert counted() == 1
    store.close()

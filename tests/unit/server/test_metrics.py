"""The text of the metrics: read back by the parser of the client library, and by what Prometheus would refuse."""

from __future__ import annotations

from typing import NamedTuple

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.model.histogram import Histogram
from agent.server.access import Access
from agent.server.app import create_app
from agent.server.metrics import SERIES_MAX, VALUE_LENGTH_MAX, metrics_route, text_of


class Made(NamedTuple):
    kind: str
    name: str
    told: str
    labels: tuple[str, ...]
    samples: tuple[tuple[tuple[str, ...], float | Histogram], ...]


def read(*families: Made) -> dict[str, dict[tuple[str, ...], float]]:
    """By name of the sample: a value for each set of label values, in the order of their names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text_of(families).decode()):
        for sample in family.samples:
            values = tuple(sample.labels[name] for name in sorted(sample.labels))
            assert values not in found.setdefault(sample.name, {}), "a series that is there twice spoils the scrape"
            found[sample.name][values] = sample.value
    return found


def test_counters_gauges_and_histograms_are_worded_as_such() -> None:
    took = Histogram((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        took.note(seconds)
    found = read(
        Made("counter", "changes", "Changes.", ("target", "kind"), ((("a", "Depot"), 3),)),
        Made("gauge", "queue_depth", "Waiting.", (), (((), 2),)),
        Made("histogram", "reconcile_seconds", "Passes.", (), (((), took),)),
    )
    assert found["datakeel_changes_total"] == {("Depot", "a"): 3}
    assert found["datakeel_queue_depth"] == {(): 2}
    assert found["datakeel_reconcile_seconds_bucket"] == {("0.1",): 2, ("1",): 3, ("+Inf",): 4}
    assert found["datakeel_reconcile_seconds_sum"][()] == pytest.approx(7.65)
    assert found["process_resident_memory_bytes"][()] > 1e6


NASTY = ['"}\n', "\\", 'a"} 1\ndatakeel_evil 2', "\x00\x1b[31m", "\u202e", "\udc80", "é", "", "x" * 1000]


def test_a_label_is_data_whatever_it_holds() -> None:
    found = read(Made("gauge", "held", "Held.", ("reason",), tuple(((value,), 1) for value in NASTY)))
    assert "datakeel_evil" not in found
    told = [value for (value,) in found["datakeel_held"]]
    assert sum(found["datakeel_held"].values()) == len(NASTY) and max(map(len, told)) == VALUE_LENGTH_MAX
    assert {"\\", "é", "", '"}\ufffd'} <= set(told)


def test_values_that_are_told_alike_are_one_series() -> None:
    long = "x" * VALUE_LENGTH_MAX
    found = read(Made("counter", "held", "Held.", ("reason",), (((long + "a",), 1), ((long + "b",), 2))))
    assert found["datakeel_held_total"] == {(long,): 3}


def test_a_metric_has_so_many_series_and_no_more() -> None:
    many = tuple(((f"value-{number}",), 1) for number in range(SERIES_MAX + 7))
    found = read(Made("gauge", "held", "Held.", ("reason",), many))
    assert len(found["datakeel_held"]) == SERIES_MAX
    assert found["datakeel_series_left_out"] == {("datakeel_held",): 7}


async def test_metrics_are_for_those_who_may_look() -> None:
    async def measure() -> list[Made]:
        return [Made("gauge", "queue_depth", "Waiting.", (), (((), 2),))]

    for access, status in ((Access(), 401), (Access(everybody=True), 200)):
        transport = httpx.ASGITransport(app=create_app((), [metrics_route(measure)], access=access))
        async with httpx.AsyncClient(transport=transport, base_url="http://agent.example") as client:
            answer = await client.get("/metrics")
        assert answer.status_code == status
        assert (b"datakeel_queue_depth 2.0" in answer.content) is (status == 200)
    assert answer.headers["content-type"].startswith("text/plain; version=")

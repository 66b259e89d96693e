"""``/metrics`` in the text format of Prometheus, worded by its own client library, which is loaded at the first scrape.

Used by ``cli/listening``; the numbers are handed in as plain values. Label values are data, some of it foreign: the
library escapes them, and here they are cut to a length and each metric to a number of series, so that no name that
somebody chose can fill a monitoring system.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

PREFIX = "datakeel_"
SERIES_MAX = 10_000
VALUE_LENGTH_MAX = 200


class Spread(Protocol):
    """A histogram: how many took as long as each bound or less, and the sum of all."""

    @property
    def total(self) -> float: ...
    def cumulated(self) -> list[tuple[float, int]]: ...


class Family(Protocol):
    """One metric; ``kind`` is counter, gauge or histogram."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def told(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def samples(self) -> Sequence[tuple[tuple[str, ...], float | Spread]]: ...


def metrics_route(measure: Callable[[], Awaitable[Sequence[Family]]]) -> Route:
    """``/metrics``; ``measure`` is called for each scrape."""

    async def answer(request: Request) -> Response:
        from prometheus_client.exposition import CONTENT_TYPE_LATEST

        return Response(text_of(await measure()), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", answer, methods=["GET"])


def text_of(families: Iterable[Family]) -> bytes:
    """The families, and what the process itself uses of memory, time and files."""
    from prometheus_client import CollectorRegistry, ProcessCollector
    from prometheus_client.exposition import generate_latest
    from prometheus_client.registry import Collector

    class Handed(Collector):
        def collect(self) -> Iterator[Metric]:
            left_out = []
            for family in families:
                samples = _bounded(family)
                yield _worded(family, samples[:SERIES_MAX])
                if len(samples) > SERIES_MAX:
                    left_out.append((family.name, len(samples) - SERIES_MAX))
            yield _left_out(left_out)

    registry: CollectorRegistry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(Handed())
    return generate_latest(registry)


def _bounded(family: Family) -> list[tuple[tuple[str, ...], float | Spread]]:
    """One sample for each set of labels as they are told: two for one set would make the whole answer unreadable."""
    found: dict[tuple[str, ...], float | Spread] = {}
    for values, value in family.samples:
        told, known = tuple(map(_told, values)), 0.0
        before = found.get(told)
        if isinstance(before, float | int):
            known = before
        found[told] = value + known if isinstance(value, float | int) else value
    return list(found.items())


def _told(value: str) -> str:
    """As a label may have it: what cannot be shown is replaced, and a novel is cut."""
    return "".join(char if char.isprintable() else "\ufffd" for char in value[:VALUE_LENGTH_MAX])


def _worded(family: Family, samples: Sequence[tuple[tuple[str, ...], float | Spread]]) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    name, labels = PREFIX + family.name, family.labels
    if family.kind == "histogram":
        spreads = HistogramMetricFamily(name, family.told, labels=labels)
        for values, spread in samples:
            assert not isinstance(spread, float | int)
            buckets = [("+Inf" if bound == float("inf") else f"{bound:g}", n) for bound, n in spread.cumulated()]
            spreads.add_metric(values, buckets, spread.total)
        return spreads
    metric = (CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily)(name, family.told, labels=labels)
    for values, value in samples:
        assert isinstance(value, float | int)
        metric.add_metric(values, value)
    return metric


def _left_out(counts: Sequence[tuple[str, int]]) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    told = f"Series beyond the first {SERIES_MAX} of a metric, which are not told."
    metric = GaugeMetricFamily(PREFIX + "series_left_out", told, labels=("metric",))
    for name, count in counts:
        metric.add_metric((PREFIX + name,), count)
    return metric

"""Traces for OpenTelemetry, where somebody asked for them: one a commit and target, from the fetch to the end.

The extra ``otel`` brings what it needs. Where it is off nothing of it is imported, and a span costs a look at one name.
A span has words of ours and templates of paths: no address, no header, no body. Used by the steps of the walk: the
loop, the look into git, each change, each call.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from agent.model.outcome import Report, Result

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

_OFF: AbstractContextManager[Any] = nullcontext()
_tracer: Tracer | None = None
_open: dict[str, Span] = {}  # by target: the trace of a commit that has not come to its end
_ended: dict[str, str] = {}  # by target: the commit whose trace is over

Work = Coroutine[Any, Any, Report | None]


def start(tracer: Tracer | None) -> None:
    """From now on make spans with this one; None: none."""
    global _tracer
    _tracer = tracer
    _open.clear()
    _ended.clear()


def tracer_of(version: str) -> tuple[Tracer, Callable[[], None]] | None:
    """A tracer that exports as OTEL_EXPORTER_OTLP_… say, and what sends the rest; None where the extra is missing."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": "datakeel", "service.version": version}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("datakeel", version), provider.shutdown


def span(name: str, /, **facts: str | int | float | bool) -> AbstractContextManager[Any]:
    """A span around a block, below the one that is open. The block gets it, or None while nothing is traced."""
    if _tracer is None:
        return _OFF
    return _tracer.start_as_current_span(name, attributes=facts)


def note(within: Any, **facts: str | int | float | bool) -> None:
    """What is known of a span only in the end."""
    if within is not None:
        within.set_attributes(facts)


def traced(target: str, work: Work, settled: Callable[[Report], bool]) -> Work:
    """A pass as a span, in the trace of the commit that it is about; ``settled``: whether that has come to its end."""
    return work if _tracer is None else _traced(_tracer, target, work, settled)


async def _traced(tracer: Tracer, target: str, work: Work, settled: Callable[[Report], bool]) -> Report | None:
    from opentelemetry.context import Context
    from opentelemetry.trace import use_span

    # Which commit it is about is known once git was asked, and that is part of it.
    root = _open.pop(target, None) or tracer.start_span("look", context=Context(), attributes={"target": target})
    goes_on = False
    try:
        with use_span(root), tracer.start_as_current_span("pass", attributes={"target": target}) as within:
            report = await work
        if report is not None:
            goes_on = _note_pass(root, within, report, settled)
        return report
    finally:
        if goes_on:
            _open[target] = root
        else:
            root.end()


def _note_pass(root: Span, within: Span, report: Report, settled: Callable[[Report], bool]) -> bool:
    """Whether the commit's trace goes on in the next pass."""
    commit, target = report.revision.commit, report.target
    if commit == "" or _ended.get(target) == commit:
        return False
    root.update_name("commit")
    root.set_attributes({"revision": commit, "applied": report.count(Result.DONE), "calls": report.calls_total})
    if not settled(report):
        return True
    _ended[target] = commit
    return False

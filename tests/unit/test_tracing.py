"""Traces of an agent at work, by the SDK's own exporter in memory; and that nothing is loaded where nobody asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import tracing
from tests.unit.reconcile.at_work import AtWork, play_at_work
from tests.unit.reconcile.scene import workflow

FILES = {f"{name}.yaml": workflow(name, 1) for name in ("alpha", "beta")}


@pytest.fixture
def spans() -> Iterator[Any]:
    pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.start(provider.get_tracer("test"))
    yield exporter
    tracing.start(None)
    provider.shutdown()


def tree(spans: Any, root: Any) -> dict[str, list[Any]]:
    """The spans of a trace by name."""
    found: dict[str, list[Any]] = {}
    for one in spans.get_finished_spans():
        if one.context.trace_id == root.context.trace_id:
            found.setdefault(one.name, []).append(one)
    return found


def test_a_commit_is_one_trace_from_the_fetch_to_the_end_of_its_changes(tmp_path: Path, spans: Any) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(120.0)
        at.scene.sandbox.faults.add({"do": "answer", "status": 500, "method": ["PUT"], "path": "*/alpha", "times": 1})
        spans.clear()
        at.commit(alpha=workflow("alpha", 2), beta=workflow("beta", 2))
        await at.pass_time(120.0)

    play_at_work(tmp_path, FILES, story)
    roots = [one for one in spans.get_finished_spans() if one.parent is None]
    commits = [one for one in roots if one.name == "commit"]
    assert len(commits) == 1, "polls are traces of their own"
    assert {one.name for one in roots} <= {"commit", "look", "fetch"}, "a fetch beside a pass is about no commit yet"
    names = tree(spans, commits[0])
    assert len(names["pass"]) >= 2, "the lost answer is looked at by the next pass"
    assert names["fetch"][0].parent.span_id == names["pass"][0].context.span_id or len(names["fetch"]) > 1
    changes = {(one.attributes["name"], one.attributes["result"]) for one in names["change"]}
    assert ("beta", "done") in changes and {("alpha", "unknown"), ("alpha", "done")} <= changes
    puts = [one for one in names["call"] if one.attributes["method"] == "PUT"]
    assert {one.attributes["code"] for one in puts} >= {"200", "500"}
    within = {one.context.span_id for one in names["change"]}
    assert all(one.parent.span_id in within for one in puts)
    assert commits[0].attributes["revision"]
    told = " ".join(one.to_json() for one in spans.get_finished_spans())
    assert "scene-token" not in told and "sandbox.example" not in told


def test_where_nobody_asked_nothing_is_loaded_and_nothing_is_wrapped() -> None:
    async def work() -> None:
        return None

    coroutine = work()
    assert tracing.traced("main", coroutine, lambda report: True) is coroutine
    coroutine.close()
    with tracing.span("call", method="GET") as within:
        assert within is None
    code = "import sys, agent.cli.at_work; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

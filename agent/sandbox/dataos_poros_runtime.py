"""How a resource stands: its status and its runtime, in the words of Poros.

Known are the words of the command line's columns (STATUS: `active`, `pending`, `error`, `deleted`; RUNTIME: `running`,
`running:N`, `succeeded`, `failed`, `next:<moment>`, empty), its table of a workflow's nodes, the answer to `…/runtime`
(`runtimeStatus`, `nodeDetails`), and that it is 404 for some seconds after a create. When something runs is invented,
and agrees with :mod:`agent.sandbox.dataos_logs`: for a minute from its last change, with a schedule every five minutes.
Used by :mod:`agent.sandbox.dataos_poros` and its reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from zlib import crc32

from agent.sandbox.clock import moment
from agent.sandbox.dataos_documents import Document
from agent.sandbox.dataos_logs import EVERY_SECONDS, TAKES_SECONDS

_REPLICATED = frozenset({"service", "worker", "cluster", "lakehouse", "lens"})
"""Types that run until they are deleted."""


def status(document: Document, at: float) -> str:
    """The STATUS column. `failed` is a word of the documented face."""
    word = document.status(at)
    return "error" if word == "failed" else word


def runtime(document: Document, at: float) -> str:
    """The RUNTIME column: empty for what does not run, and before it does."""
    if document.gone_at is not None or at < document.ready_at:
        return ""
    if document.type in _REPLICATED:
        return f"running:{_replicas(document)}" if document.outcome == "active" else "failed"
    began = _last_start(document, at)
    if began is None:
        return ""
    phase = _phase(document, began, at)
    return f"next:{moment(began + EVERY_SECONDS)}" if phase == "succeeded" and _is_scheduled(document) else phase


def runtime_details(document: Document, at: float) -> dict[str, Any] | None:
    """The answer to `…/runtime`; None where nothing runs, or not yet."""
    word = runtime(document, at)
    if not word:
        return None
    phase = "succeeded" if word.startswith("next:") else word
    return {"runtimeStatus": phase, "nodeDetails": [*_nodes(document, phase)] if document.type == "workflow" else []}


def finished_runs(documents: Iterable[Document], at: float) -> list[dict[str, Any]]:
    """The list form of a report: the last finished run of each."""
    found = []
    for document in documents:
        began = _last_start(document, at - TAKES_SECONDS)
        if began is not None and at >= document.ready_at:
            ended = began + TAKES_SECONDS
            found.append({"completed": moment(ended), "phase": _phase(document, began, ended)})
    return found


def _last_start(document: Document, at: float) -> float | None:
    """When its last run up to a moment began; None for what makes no runs, and before the first one."""
    if at < document.changed or not (document.type == "workflow" or _is_scheduled(document)):
        return None
    if document.outcome != "active" or not _is_scheduled(document):
        return document.changed
    return document.changed + (at - document.changed) // EVERY_SECONDS * EVERY_SECONDS


def _phase(document: Document, began: float, at: float) -> str:
    if at < began + TAKES_SECONDS:
        return "running"
    return "succeeded" if document.outcome == "active" else "failed"


def _nodes(document: Document, phase: str) -> Iterator[dict[str, Any]]:
    jobs = _section(document).get("dag")
    for job in jobs if isinstance(jobs, list) else ():
        name = str(job.get("name", "")) if isinstance(job, dict) else ""
        yield {
            "name": f"{name}-execute",
            "appSpecName": name,
            "podName": f"{document.name}-{crc32(f'{document.name}/{name}'.encode())}",
            "type": "pod-workflow",
            "phase": phase,
        }


def _is_scheduled(document: Document) -> bool:
    return bool(_section(document).get("schedule"))


def _replicas(document: Document) -> int:
    section = _section(document)
    told = [section, *(member for member in section.values() if isinstance(member, dict))]
    counts = (each["replicas"] for each in told if isinstance(each.get("replicas"), int))
    return next(counts, 1)


def _section(document: Document) -> dict[str, Any]:
    section = document.written.get(document.type)
    return section if isinstance(section, dict) else {}

"""A pass that ended before it had a plan still tells people what it knows. Called by ``loop``."""

from __future__ import annotations

from dataclasses import replace

import structlog

from agent.errors import AgentError, StoreError
from agent.model.identity import Revision
from agent.model.outcome import Report
from agent.reconcile.conditions import conditions_of
from agent.reconcile.status import status_of
from agent.reconcile.target import Target
from agent.report.documents import pass_document

_log = structlog.get_logger("datakeel")


def report_failure(target: Target, error: AgentError, started_at: float, interval_seconds: float) -> Report:
    """The report of a pass that ended with ``error``, after it was written down as far as that can be done."""
    last = target.last.desired
    report = Report(
        target.new_id(),
        target.name,
        last.revision if last is not None else Revision(""),
        None,
        started_at=started_at,
        finished_at=target.clock.now(),
        error=error.what,
        error_code=error.error_code,
    )
    report = replace(report, conditions=conditions_of(report))
    if last is not None:
        status = status_of(target, report, last, target.store.rows(target.name), interval_seconds)
        try:
            target.store.finish(report, pass_document(report), status)
        except StoreError as failure:
            # A full disk, say: nothing is sent without its journal, and the loop goes on until there is room.
            _log.warning("store.failed", target=target.name, message=failure.what)
    return report

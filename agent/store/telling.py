"""What the store tells people of the state and the past of targets: read by verbs and by the page, never by a pass.

Base of ``Store``; the queries are those of ``status``, which verbs also run without it.
"""

from __future__ import annotations

from typing import Any

from agent.store import board, status
from agent.store.operations import Operations
from agent.store.status import EventRow, PassRow


class Telling(Operations):
    """Reads only. Safe to call from several threads."""

    def status(self) -> dict[str, dict[str, Any]]:
        """Per target, as :func:`agent.store.status.targets_of`."""
        return status.targets_of(self.query)

    def boards(self) -> dict[str, dict[str, Any]]:
        """Per target, as :func:`agent.store.board.boards_of`."""
        return board.boards_of(self.query)

    def all_suspensions(self, now: float) -> list[dict[str, Any]]:
        """Those in force ``now`` of every target, as :func:`agent.store.status.suspensions_of`."""
        return status.suspensions_of(self.query, now)

    def leases(self) -> dict[str, dict[str, Any]]:
        """By target: who works at it now (``holder``), whose it is (``home``), and how often it has changed hands."""
        rows = self.query("SELECT target, holder, home, epoch FROM lease ORDER BY target", {})
        return {target: {"holder": holder, "home": home, "epoch": epoch} for target, holder, home, epoch in rows}

    def refused_config(self) -> dict[str, Any] | None:
        """The configuration that the agent did not take, as :func:`agent.store.status.refused_of`."""
        return status.refused_of(self.query)

    def standing_alerts(self, limit: int) -> list[dict[str, Any]]:
        """What is not well, oldest first: ``target type subject reason message since told_at told_times``."""
        names = ("target", "type", "subject", "reason", "message", "since", "told_at", "told_times")
        sql = f"SELECT {', '.join(names)} FROM alert ORDER BY since, target, type, subject LIMIT :limit"  # noqa: S608
        return [dict(zip(names, row, strict=True)) for row in self.query(sql, {"limit": limit})]

    def outbox(self) -> dict[str, dict[str, Any]]:
        """By sink, the messages that wait: how many, since when, when the next is tried, attempts at it in vain."""
        rows = self.query(
            "SELECT sink, COUNT(*), MIN(created_at), MIN(next_at), MAX(attempts) FROM outbox GROUP BY sink", {}
        )
        names = ("waiting", "since", "next_at", "attempts")
        return {sink: dict(zip(names, each, strict=True)) for sink, *each in rows}

    def passes(self, *, limit: int = 20, **narrowed: str | float | None) -> list[PassRow]:
        """Newest first, as :func:`agent.store.status.passes_of`."""
        return status.passes_of(self.query, limit=limit, **narrowed)

    def pass_document(self, pass_id: str) -> dict[str, Any] | None:
        """The report of one pass, by id or by number; None when there is none."""
        return status.document_of(self.query, pass_id)

    def events_of(self, kind: str, name: str, *, limit: int = 100) -> list[EventRow]:
        """Newest first, as :func:`agent.store.status.events_of`."""
        return status.events_of(self.query, kind, name, limit=limit)

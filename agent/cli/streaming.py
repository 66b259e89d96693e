"""``-o jsonl`` of ``apply``: each event is a line, on standard output at once, in a file at the end as a whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agent.cli.output import Output, scrubbed_members

if TYPE_CHECKING:
    from agent.cli.options import TargetPlan
    from agent.model.change import Change
    from agent.model.outcome import Outcome, Report


class Stream:
    """The events of one run. It does nothing where no output is ``jsonl``."""

    def __init__(self, outputs: Sequence[Output], now: Callable[[], float]) -> None:
        wanted = [output for output in outputs if output.format == "jsonl"]
        self._live = any(output.file is None for output in wanted)
        self._wanted = bool(wanted)
        self._now = now
        self._lines: list[str] = []

    @property
    def text(self) -> str:
        """All lines, for a file."""
        return "".join(self._lines)

    @property
    def told(self) -> tuple[Output, ...]:
        """The output that has everything already."""
        return (Output("jsonl"),) if self._live else ()

    def started(self, targets: Sequence[str]) -> None:
        from agent.report import events

        self._tell(lambda: events.pass_started(targets, self._now()))

    def planned(self, plans: Sequence[TargetPlan]) -> None:
        from agent.report import events

        for one in plans:
            if one.plan is not None:
                self._tell(lambda plan=one.plan: events.plan_made(plan, self._now()))  # type: ignore[misc]

    def begins(self, change: Change) -> None:
        from agent.report import events

        self._tell(lambda: events.change_started(change, self._now()))

    def ended(self, outcome: Outcome) -> None:
        from agent.report import events

        self._tell(lambda: events.change_ended(outcome, self._now()))

    def finished(self, reports: Sequence[Report], exit_status: int) -> None:
        from agent.report import events

        self._tell(lambda: events.pass_finished(reports, exit_status, self._now()))

    def _tell(self, event: Callable[[], dict[str, Any]]) -> None:
        if not self._wanted:
            return
        from agent.report.documents import dump_document

        line = dump_document(scrubbed_members(event()), pretty=False)
        self._lines.append(line)
        if self._live:
            sys.stdout.write(line)
            sys.stdout.flush()

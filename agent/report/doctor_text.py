"""The state store and the agents that share it, as text: a few lines of the store, one a target. Used by ``doctor``."""

from __future__ import annotations

from typing import Protocol

from agent.report.escape import clean
from agent.report.values import Paint, counted, duration, plain

_CLOCK_SECONDS = 2.0


class Standing(Protocol):
    """The members of ``store.leases.Standing`` that are shown."""

    @property
    def holder(self) -> str | None: ...
    @property
    def home(self) -> str | None: ...
    @property
    def epoch(self) -> int: ...
    @property
    def lasts(self) -> float: ...
    @property
    def due_in(self) -> float: ...


def store_lines(place: str, shared: bool, ahead: float | None, hints: bool | None, paint: Paint = plain) -> str:
    """Where the store is, whose clock is wrong, and whether hints are heard; the last two for a server only."""
    lines = [f"state      {clean(place, 300)}{', shared by agents' if shared else ''}"]
    if ahead is not None:
        told = "as the server's"
        if abs(ahead) >= _CLOCK_SECONDS:
            side = "ahead of" if ahead > 0 else "behind"
            told = paint("warning", f"{duration(abs(ahead))} {side} the server's") + "; agents go by the server's"
        lines.append(f"clock      {told}")
    if hints is not None:
        silent = "not heard, as behind a pooler in transaction mode; each agent looks once a second anyway"
        lines.append(f"hints      {'heard' if hints else silent}")
    return "".join(f"{line}\n" for line in lines)


def target_line(
    name: str, standing: Standing | None, open_calls: int, forsaken: bool, doubted: bool, paint: Paint = plain
) -> str:
    """``analytics  at home with web-1/42, next turn in 12 s, epoch 7``."""
    parts = [] if standing is None else [_whereabouts(standing, forsaken, paint), f"epoch {standing.epoch}"]
    if open_calls:
        parts.append(f"{counted(open_calls, 'call')} without an end that anybody saw: looked at first of all")
    if doubted:
        parts.append("deletes wait, for the store was set back")
    return f"{clean(name, 80)}  {', '.join(parts) or 'no call is open'}\n"


def _whereabouts(standing: Standing, forsaken: bool, paint: Paint) -> str:
    if standing.holder is not None and standing.lasts > 0:
        return f"held by {_agent(standing.holder)} for {duration(standing.lasts)} more"
    if forsaken:
        return paint("error", f"due for {duration(-standing.due_in)}, and no agent came")
    due = "next turn is due" if standing.due_in <= 0 else f"next turn in {duration(standing.due_in)}"
    return f"{f'at home with {_agent(standing.home)}' if standing.home else 'at home nowhere'}, {due}"


def _agent(name: str) -> str:
    """Machine and process; what tells two of the same name apart says nothing to people."""
    return clean("/".join(name.split("/")[:2]), 80)

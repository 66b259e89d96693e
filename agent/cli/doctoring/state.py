"""The state store and the agents that share it, as findings. The looking itself is ``cli/examining``."""

from __future__ import annotations

from collections.abc import Iterator

from agent.cli.examining import StoreState, TargetState
from agent.model.examined import Finding
from agent.report.values import counted, duration
from agent.store.leases import Standing

_CLOCK_SECONDS = 2.0


def findings_of(found: StoreState) -> Iterator[Finding]:
    """Where the state is, whose clock is wrong, whether hints are heard, and each target's standing."""
    yield Finding("state", "ok", f"{found.place}{', shared by agents' if found.shared else ''}")
    if found.ahead_seconds is not None:
        yield _clock(found.ahead_seconds)
    if found.hints is not None:
        silent = "not heard, as behind a pooler in transaction mode; each agent looks once a second anyway"
        yield Finding("hints", "ok" if found.hints else "warn", "heard" if found.hints else silent)
    for target in found.targets:
        yield _standing(target)


def _clock(ahead: float) -> Finding:
    if abs(ahead) < _CLOCK_SECONDS:
        return Finding("state's clock", "ok", "as ours")
    side = "ahead of" if ahead > 0 else "behind"
    said = f"ours is {duration(abs(ahead))} {side} the server's; agents go by the server's"
    return Finding("state's clock", "warn", said, "let NTP set this machine's clock")


def _standing(target: TargetState) -> Finding:
    standing = target.standing
    parts = [] if standing is None else [_whereabouts(standing, target.forsaken), f"epoch {standing.epoch}"]
    if target.open_calls:
        parts.append(f"{counted(target.open_calls, 'call')} without an end that anybody saw: looked at first of all")
    if target.doubted:
        parts.append("deletes wait, for the store was set back")
    state = "bad" if target.forsaken else "warn" if target.open_calls or target.doubted else "ok"
    fix = "start an agent: datakeel run" if target.forsaken else None
    return Finding("agent", state, ", ".join(parts) or "no call is open", fix, target.name)  # type: ignore[arg-type]


def _whereabouts(standing: Standing, forsaken: bool) -> str:
    if standing.holder is not None and standing.lasts > 0:
        return f"held by {_agent(standing.holder)} for {duration(standing.lasts)} more"
    if forsaken:
        return f"due for {duration(-standing.due_in)}, and no agent came"
    due = "next turn is due" if standing.due_in <= 0 else f"next turn in {duration(standing.due_in)}"
    return f"{f'at home with {_agent(standing.home)}' if standing.home else 'at home nowhere'}, {due}"


def _agent(name: str) -> str:
    """Machine and process; what tells two of the same name apart says nothing to people."""
    return "/".join(name.split("/")[:2])

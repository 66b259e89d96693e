"""Asks the agent at work to look, through the store, and waits for what it tells. Used by the verb ``sync``."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.cli.beside import open_beside
from agent.cli.options import Options, chosen
from agent.cli.suspending import who
from agent.config.model import Config
from agent.errors import AgentError, UsageError
from agent.model.request import LookRequest

TAKEN_UP_SECONDS = 15.0
"""An agent takes a request up within a second, unless it reads thousands of manifests just now."""
_EVERY_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long to wait, and for what. ``seconds`` None: only until an agent has taken the request up."""

    revision: str | None = None
    seconds: float | None = None


def request(
    config: Config,
    options: Options,
    waiting: Waiting,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[LookRequest, ...]:
    """The requests as they stood in the end, one a target. ``now`` and ``sleep`` are the time.

    Raises AgentError ``no-agent`` when nobody takes them up, StoreError.
    """
    targets = tuple(chosen(config, options).targets)
    with open_beside(config) as (store, _):
        numbers = store.ask(targets, waiting.revision, who())
        began = now()
        try:
            while True:
                found = store.requests(numbers)
                if _is_over(found, waiting, now() - began):
                    break
                sleep(_EVERY_SECONDS)
        finally:
            if waiting.seconds is not None:
                store.withdraw(numbers)
    unseen = [one.target for one in found if one.seen_at is None]
    if unseen:
        what = f"no agent at work on this state has taken it up ({', '.join(unseen)})"
        raise AgentError(
            what, code="no-agent", why=f"waited {now() - began:.0f} s", fix="start `datakeel run`, or look there"
        )
    return found


def _is_over(found: tuple[LookRequest, ...], waiting: Waiting, waited: float) -> bool:
    if any(one.seen_at is None for one in found):
        return waited >= min(TAKEN_UP_SECONDS, waiting.seconds or TAKEN_UP_SECONDS)
    if waiting.seconds is None:
        return True
    return waited >= waiting.seconds or all(one.answer is not None for one in found)


def timeout_of(text: str) -> float:
    """``90s``, ``10m``, ``2h`` in seconds."""
    found = re.fullmatch(r"([0-9]{1,5})([smh])", text)
    if found is None or not int(found[1]):
        raise UsageError(f"--timeout {text}: not a duration", fix="write 90s, 10m or 2h")
    return float(int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]])

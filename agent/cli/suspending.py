"""Suspensions, written into the store beside whatever agent holds it. Used by the verbs ``suspend`` and ``resume``."""

from __future__ import annotations

import getpass
import re

from agent.cli.opening import chosen
from agent.cli.options import Options
from agent.cli.state import state_of
from agent.clock import SystemClock
from agent.config.model import Config
from agent.errors import UsageError
from agent.model.selector import Selector
from agent.model.suspension import EVERYTHING, Suspension
from agent.store.store import Store

_UNITS = {"m": 60, "h": 3600, "d": 86_400}
REASON_MAX = 500


def suspend(config: Config, options: Options, selector: str, reason: str, until: str | None) -> tuple[Suspension, ...]:
    """One suspension for each target that is meant. Raises UsageError, StoreError."""
    clock = SystemClock()
    now = clock.now()
    end = None if until is None else now + seconds_of(until)
    told = " ".join(reason.split())
    if not told or len(told) > REASON_MAX:
        raise UsageError(f"--reason: a sentence of at most {REASON_MAX} characters", fix='--reason "backfill by ann"')
    made = tuple(
        Suspension(target, checked(selector), told, who(), now, end) for target in chosen(config, options).targets
    )
    store = Store.open(state_of(config), clock=clock)
    try:
        for each in made:
            store.suspend(each)
    finally:
        store.close()
    return made


def resume(config: Config, options: Options, selector: str | None) -> int:
    """How many suspensions were ended. Raises UsageError, StoreError."""
    store = Store.open(state_of(config), clock=SystemClock())
    try:
        wanted = None if selector is None else checked(selector)
        return sum(store.resume(target, wanted) for target in chosen(config, options).targets)
    finally:
        store.close()


def checked(selector: str) -> str:
    """A selector that can be read again. Raises UsageError."""
    if selector != EVERYTHING and Selector.parse(selector).exclude:
        raise UsageError(f"{selector}: what is suspended is named, not what is not", fix="write it without the `!`")
    return selector


def seconds_of(text: str) -> float:
    """``30m``, ``2h``, ``7d`` in seconds."""
    found = re.fullmatch(r"([0-9]{1,5})([mhd])", text)
    if found is None or not int(found[1]):
        raise UsageError(f"--until {text}: not a duration", fix="write 30m, 2h or 7d, counted from now")
    return float(int(found[1]) * _UNITS[found[2]])


def who() -> str:
    """The account of the person at the terminal."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in a container
        return "somebody"

"""Suspensions, written into the store beside whatever agent holds it. Used by the verbs ``suspend`` and ``resume``."""

from __future__ import annotations

import getpass
import re

from agent.cli.beside import open_beside
from agent.cli.options import Options, chosen
from agent.config.model import Config
from agent.errors import UsageError
from agent.model.selector import Selector
from agent.model.suspension import EVERYTHING, Suspension

_UNITS = {"m": 60, "h": 3600, "d": 86_400}
REASON_MAX = 500


def suspend(config: Config, options: Options, selector: str, reason: str, until: str | None) -> tuple[Suspension, ...]:
    """One suspension for each target that is meant. Raises UsageError, StoreError."""
    lasts = None if until is None else seconds_of(until)
    told = " ".join(reason.split())
    if not told or len(told) > REASON_MAX:
        raise UsageError(f"--reason: a sentence of at most {REASON_MAX} characters", fix='--reason "backfill by ann"')
    targets, what = chosen(config, options).targets, checked(selector)
    with open_beside(config) as (store, clock):
        now = clock.now()
        end = None if lasts is None else now + lasts
        made = tuple(Suspension(target, what, told, who(), now, end) for target in targets)
        for each in made:
            store.suspend(each)
    return made


def resume(config: Config, options: Options, selector: str | None) -> int:
    """How many suspensions were ended. Raises UsageError, StoreError."""
    wanted, targets = None if selector is None else checked(selector), chosen(config, options).targets
    with open_beside(config) as (store, _):
        return sum(store.resume(target, wanted) for target in targets)


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

"""Whether the agent is alive and whether it is ready, with reasons. A dead platform is not a dead agent.

Asked by the agent's own HTTP through ``cli/listening``. Reads what the loop and the targets hold, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from agent.clock import Clock
from agent.errors import StoreError
from agent.reconcile.loop import Loop
from agent.report.escape import clean
from agent.store.store import Store

_TICKS = 3
_TICK_SECONDS_LEAST = 300.0  # git alone may take minutes to give up, and then the loop goes on
_PROBE_SECONDS = 5.0
_WORDS_MAX = 300


class Check(NamedTuple):
    """One condition; ``says`` is how it is: names, codes and numbers, and what is wrong with a configuration."""

    name: str
    holds: bool
    says: str


def alive(loop: Loop, clock: Clock) -> list[Check]:
    """The loop has begun a look, or something of one has moved, within three intervals."""
    if loop.pulse.at is None:
        return [Check("loop", True, "starting")]
    age = clock.monotonic() - loop.pulse.at
    allowed = max(_TICKS * loop.interval_seconds, _TICK_SECONDS_LEAST)
    return [Check("loop", age <= allowed, f"ticked {age:.0f} s ago, allowed are {allowed:.0f} s")]


class Readiness:
    """Ready is who can write down what it is about to do, and has read a first revision."""

    def __init__(self, loop: Loop, store: Store, clock: Clock) -> None:
        self._loop = loop
        self._store = store
        self._clock = clock
        self._probed: tuple[float, Check] | None = None

    def checks(self) -> list[Check]:
        """Blocks for the time of a write: to be called in a thread."""
        return [self._writable(), *self._revisions(), self._configuration()]

    def _writable(self) -> Check:
        now = self._clock.monotonic()
        if self._probed is None or now - self._probed[0] >= _PROBE_SECONDS:
            self._probed = now, _tried(self._store.probe)
        return self._probed[1]

    def _configuration(self) -> Check:
        """A changed file that was refused is worth a word, and no more: the agent works on by the one before."""
        try:
            refused = self._store.refused_config()
        except StoreError:
            return Check("configuration", True, "not known")  # the store's own check says why
        if refused is None:
            return Check("configuration", True, "read")
        first = next(iter(refused["problems"]), refused["message"])
        return Check("configuration", True, f"refused, the one before is in force: {clean(str(first), _WORDS_MAX)}")

    def _revisions(self) -> Iterator[Check]:
        """One target that has read a revision is enough: a mistake in the folder of another is that one's alone.

        Where agents share targets, one that has none at the moment is as ready as it can be.
        """
        tenure = self._loop.tenure
        if tenure is not None and not tenure.mine:
            yield Check("revision", True, "other agents have all targets")
            return
        read = [target.name for target in self._loop.targets if target.last.desired is not None]
        every = len(self._loop.targets)
        yield Check("revision", bool(read), f"read by {len(read)} of {every} targets")


def _tried(probe: Callable[[], None]) -> Check:
    try:
        probe()
    except StoreError as error:
        return Check("store", False, error.got or error.error_code)
    return Check("store", True, "writable")

"""Messages from the store's outbox to their sinks: in order, tried again, each at a pace of its own.

Runs beside the loop and never in its way. A sink that does not answer rests, longer and longer up to an hour, and
keeps its messages in their order; the others go on. What nobody took for three days is dropped by the store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

import structlog

from agent.clock import Clock
from agent.errors import AgentError, StoreError
from agent.model.alert import Message

EVERY_SECONDS = 1.0
LOOKS_SECONDS = 60.0
"""How often the outbox is looked into for what another process has left there."""
TAKEN_SECONDS = 60.0
"""How long a message belongs to who tries to send it; a process that dies over it leaves it to the next."""
_FIRST_SECONDS, _LONGEST_SECONDS = 5.0, 3600.0
_AT_ONCE = 20

_log = structlog.get_logger("datakeel")


class NotSent(AgentError):
    """A sink did not take a message. ``wait_seconds`` is what it asked for; ``never``: it will not, however often."""

    code = "notification-failed"

    def __init__(self, what: str, *, wait_seconds: float = 0.0, never: bool = False) -> None:
        super().__init__(what)
        self.wait_seconds = wait_seconds
        self.never = never


Sink = Callable[[Message], Awaitable[None]]
"""Sends one message, or raises NotSent."""


class Outbox(Protocol):
    """The part of the store that messages wait in."""

    def due_messages(self, most: int) -> tuple[Message, ...]: ...
    def claim_message(self, message: Message, until: float) -> bool: ...
    def put_off_sink(self, message: Message, until: float) -> None: ...
    def end_message(self, number: int) -> None: ...


@dataclass(slots=True)
class _State:
    """Of one sink: failures in a row, and when it is tried again on the wall clock."""

    failures: int = 0
    rests_until: float = 0.0


@dataclass(slots=True)
class Sender:
    """``sinks`` asks which there are now, by name. ``counts`` are attempts by sink and how they ended."""

    outbox: Outbox
    sinks: Callable[[], Mapping[str, Sink]]
    clock: Clock
    random: Random
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _states: dict[str, _State] = field(default_factory=dict)
    _look_at: float = 0.0  # on the wall clock

    def wake(self) -> None:
        """There may be something new."""
        self._look_at = 0.0

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            if self.clock.now() >= self._look_at:
                try:
                    await self._round()
                except StoreError as error:
                    _log.warning("notifications.unread", message=error.what)
                    self._look_at = self.clock.now() + LOOKS_SECONDS
            await self.clock.sleep(EVERY_SECONDS)

    async def _round(self) -> None:
        self._look_at = self.clock.now() + LOOKS_SECONDS
        sinks = self.sinks()
        resting: set[str] = set()
        while due := [one for one in self.outbox.due_messages(_AT_ONCE) if one.sink not in resting]:
            for message in due:
                if message.sink not in resting and not await self._sent(message, sinks.get(message.sink)):
                    resting.add(message.sink)
        rests = [state.rests_until for name, state in self._states.items() if name in sinks and state.failures]
        self._look_at = min([self._look_at, *rests])

    async def _sent(self, message: Message, sink: Sink | None) -> bool:
        """False: this sink is to be left alone for now."""
        if sink is None:  # it is configured no more
            self.outbox.end_message(message.number)
            return True
        now, state = self.clock.now(), self._states.setdefault(message.sink, _State())
        if not self.outbox.claim_message(message, now + TAKEN_SECONDS):
            return True  # another agent sends it
        try:
            await sink(message)
        except NotSent as error:
            return self._failed(message, state, error)
        self.outbox.end_message(message.number)
        self._count(message.sink, "sent")
        if state.failures:
            _log.info("notifications.back", sink=message.sink, attempts=state.failures)
        state.failures = 0
        return True

    def _failed(self, message: Message, state: _State, error: NotSent) -> bool:
        self._count(message.sink, "failed")
        if error.never:
            _log.warning("notification.refused", sink=message.sink, id=message.id, message=error.what)
            self.outbox.end_message(message.number)
            return True
        state.failures += 1
        pause: float = min(_FIRST_SECONDS * 2 ** min(state.failures - 1, 12), _LONGEST_SECONDS)
        pause *= 0.75 + self.random.random() / 2
        state.rests_until = self.clock.now() + max(pause, min(error.wait_seconds, _LONGEST_SECONDS))
        self.outbox.put_off_sink(message, state.rests_until)
        if state.failures == 1:  # once, however long it lasts
            _log.warning("notification.failed", sink=message.sink, id=message.id, message=error.what)
        return False

    def _count(self, sink: str, result: str) -> None:
        self.counts[sink, result] += 1


def words_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """What a template may name: the members of ``data``, and ``id``, ``type``, ``time``, ``subject``."""
    data = event.get("data")
    head: Sequence[str] = ("id", "type", "time", "subject")
    return {**(data if isinstance(data, Mapping) else {}), **{name: event[name] for name in head if name in event}}

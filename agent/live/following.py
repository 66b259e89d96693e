"""Lines of a log that comes over a WebSocket: once, or followed over lost connections. Called by ``cli/asking``.

A platform that begins again from the first line after a reconnect is not told twice. Every end is a sentence: a
LiveError, or a return when the platform said that all is told. Evidence for people, never input to a decision.
"""

from __future__ import annotations

import asyncio
import random as random_module
from collections import Counter, deque
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.clock import Clock
from agent.definitions.platform import Kind, LogRule
from agent.errors import LiveError, PlatformFault, RateLimited, Unintelligible, Unreachable
from agent.live.answers import printable
from agent.live.api import ReadApi
from agent.live.codecs import Undecodable, decode
from agent.live.logs import LINES_MAX, LogLine, lines_of
from agent.live.requests import Prepared
from agent.live.streams import Frames, StreamLost, Streams
from agent.model.identity import Key

_STATUS_MAX = 200
_PASSING = (StreamLost, Unreachable, PlatformFault, RateLimited)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one waits. Seconds; ``quiet``: no frame for so long ends a single reading, ``idle`` one that follows.

    ``losses`` is how often in a row a connection may be lost without a new line; ``flood`` how many lines a minute may
    bring.
    """

    quiet: float = 3.0
    idle: float = 900.0
    losses: int = 5
    backoff: float = 1.0
    backoff_max: float = 30.0
    flood: int = 100_000


async def read_stream(
    api: ReadApi,
    kind: Kind,
    key: Key,
    server_id: str | None,
    args: Mapping[str, Any],
    *,
    parents: Mapping[str, Any] | None = None,
    patience: Patience = Patience(),
) -> tuple[LogLine, ...]:
    """What the platform tells at once: until it closes the stream, or nothing comes for a moment."""
    streams, rule, prepared = _opening(api, kind, key, server_id, args, parents)
    lines: list[LogLine] = []
    async with streams.open(prepared) as frames:
        try:
            while len(lines) < LINES_MAX and (frame := await frames.next(patience.quiet)) is not None:
                lines += _told(rule, frame, streams)[0]
        except TimeoutError:
            return tuple(lines)
    return tuple(lines)


async def follow_stream(
    api: ReadApi,
    kind: Kind,
    key: Key,
    server_id: str | None,
    args: Mapping[str, Any],
    clock: Clock,
    *,
    random: random_module.Random,
    parents: Mapping[str, Any] | None = None,
    patience: Patience = Patience(),
) -> AsyncGenerator[LogLine, None]:
    """Lines as they come. A change of state comes as a line with the level STATUS.

    Returns when the platform closed the stream in order; raises LiveError when it cannot go on.
    """
    streams, rule, prepared = _opening(api, kind, key, server_id, args, parents)
    memory, flood = _Memory(), _Flood(patience.flood, clock)
    opened, losses = False, 0
    while True:
        try:
            async with streams.open(prepared) as frames:
                opened = True
                memory.begin_again()
                while (frame := await _next(frames, patience.idle)) is not None:
                    lines, told = _told(rule, frame, streams)
                    for line in lines:
                        if memory.is_new(line):
                            losses = 0
                            flood.count()
                            yield line
                    if told and memory.is_new_state(told):
                        yield LogLine("", "STATUS", told, "")
                return
        except _PASSING as error:
            losses += 1
            if not opened:
                raise
            if losses > patience.losses:
                raise PlatformFault(f"{error.what}; it was lost {losses} times in a row without a new line") from error
        await clock.sleep(random.uniform(0, min(patience.backoff_max, patience.backoff * 2**losses)))


async def last_then_all(
    lines: AsyncGenerator[LogLine, None], tail: int, quiet: float = 1.0
) -> AsyncGenerator[LogLine, None]:
    """The last ``tail`` lines of what is there already, then all that follow.

    A log that begins with its first line does not say where the present is: it is where nothing comes for a moment.
    """
    held: deque[LogLine] = deque(maxlen=tail)
    pending = asyncio.ensure_future(anext(lines, None))
    try:
        while (await asyncio.wait({pending}, timeout=quiet))[0] and pending.exception() is None:
            line = pending.result()
            if line is None:
                break
            held.append(line)
            pending = asyncio.ensure_future(anext(lines, None))
        for line in held:
            yield line
        while (line := await pending) is not None:
            yield line
            pending = asyncio.ensure_future(anext(lines, None))
    finally:
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)
        await lines.aclose()


class _Memory:
    """Which lines and states were told, so that a stream that begins again repeats none of them.

    After a reconnect each one known from before is left out as often as it was told. A line without a time cannot be
    told from an equal one, so the first new one of those ends the leaving out of lines.
    """

    def __init__(self) -> None:
        self._told: deque[LogLine] = deque(maxlen=10_000)
        self._again: Counter[LogLine] = Counter()
        self._states: deque[str] = deque(maxlen=10_000)
        self._states_again: Counter[str] = Counter()
        self._state = ""

    def begin_again(self) -> None:
        self._again = Counter(self._told)
        self._states_again, self._state = Counter(self._states), ""

    def is_new(self, line: LogLine) -> bool:
        if self._again[line] > 0:
            self._again[line] -= 1
            return False
        if not line.time:
            self._again.clear()
        self._told.append(line)
        return True

    def is_new_state(self, state: str) -> bool:
        """Whether a state is a change; a platform may tell the same one in every frame."""
        if state == self._state:
            return False
        self._state = state
        if self._states_again[state] > 0:
            self._states_again[state] -= 1
            return False
        self._states.append(state)
        return True


class _Flood:
    """Counts the lines of each minute; more than anybody can read ends the stream."""

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._since = clock.monotonic()
        self._lines = 0

    def count(self) -> None:
        now = self._clock.monotonic()
        if now - self._since >= 60:
            self._since, self._lines = now, 0
        self._lines += 1
        if self._lines > self._most:
            raise LiveError(f"the stream brought more than {self._most} lines in a minute", code="stream-ended")


async def _next(frames: Frames, seconds: float) -> str | None:
    try:
        return await frames.next(seconds)
    except TimeoutError:
        raise LiveError(f"the stream brought nothing for {seconds:g} s", code="stream-ended") from None


def _opening(
    api: ReadApi,
    kind: Kind,
    key: Key,
    server_id: str | None,
    args: Mapping[str, Any],
    parents: Mapping[str, Any] | None,
) -> tuple[Streams, LogRule, Prepared]:
    rule = kind.logs
    if rule is None or rule.websocket is None:
        raise LiveError(f"{kind.name} has no log that comes over a WebSocket")
    path = rule.websocket
    prepared = api.built(
        lambda requests: requests.evidence(kind, path, key, server_id, args, parents=parents, streamed=True)
    )
    return api.streams(), rule, prepared


def _told(rule: LogRule, frame: str, streams: Streams) -> tuple[tuple[LogLine, ...], str]:
    """The lines of one frame, and the state that it tells, if any."""
    try:
        value = decode("json", frame.encode("utf-8", "surrogatepass"))
    except Undecodable as error:
        raise Unintelligible(f"the stream brought a frame that cannot be read: {error}") from None
    lines = lines_of(rule, value, streams.scrub)
    state = rule.status.search(value) if rule.status is not None else None
    told = printable(streams.scrub(state), _STATUS_MAX) if isinstance(state, str) else ""
    if lines is None and not told:
        raise Unintelligible("the stream brought a frame without a list of lines and without a state")
    return lines or (), told

"""Log lines of the emulated DataOS: made up from a resource's times, plus what a test writes.

The page prints the parameters and two lines of one answer. That a resource starts again every five minutes, and that
`follow=true` streams one JSON object a line until the client leaves, are guesses: the page names `follow`, no form.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

from agent.sandbox.clock import moment
from agent.sandbox.dataos_bodies import invalid
from agent.sandbox.dataos_documents import Document
from agent.sandbox.messages import Answer, Request, json_answer, json_bytes
from agent.sandbox.storage import Key
from agent.sandbox.world import World, duration_seconds

LINES_MAX = 1000
EVERY_SECONDS = 300.0
TAKES_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Line:
    time: float
    level: str
    message: str

    def shown(self) -> dict[str, Any]:
        return {"timestamp": moment(self.time), "level": self.level, "message": self.message}


@dataclass(frozen=True, slots=True)
class Window:
    """What a request asks for."""

    since_seconds: float | None
    tail: int | None
    follow: bool


class Logs:
    """Lines that a test wrote, and the answers to `…/logs`."""

    def __init__(self, world: World, find: Callable[[Key], Document | None]) -> None:
        self._world = world
        self._find = find
        self._written: dict[Key, list[Line]] = {}

    def write(self, key: Key, level: str, message: str) -> None:
        self._written.setdefault(key, []).append(Line(self._world.clock.now(), level, message))

    def forget(self, key: Key) -> None:
        self._written.pop(key, None)

    def answer(self, request: Request, document: Document) -> Answer:
        window = read_window(request)
        lines = self._asked(document, window)
        if not window.follow:
            return json_answer(200, {"logs": [line.shown() for line in lines]})
        return Answer(status=200, content_type="application/x-ndjson", lines=self._followed(document.key, lines))

    def _asked(self, document: Document, window: Window) -> list[Line]:
        now = self._world.clock.now()
        after = -math.inf if window.since_seconds is None else now - window.since_seconds
        lines = lines_between(document, self._written.get(document.key, []), after, now)
        return lines if window.tail is None else lines[len(lines) - min(window.tail, len(lines)) :]

    async def _followed(self, key: Key, first: list[Line]) -> AsyncGenerator[bytes, None]:
        """The lines so far, then each new one within a second, until the resource is gone or the server stops."""
        for line in first:
            yield json_bytes(line.shown()) + b"\n"
        told = self._world.clock.now()
        while not self._world.closing:
            await self._world.clock.sleep(1.0)
            document = self._find(key)
            if document is None:
                return
            now = self._world.clock.now()
            for line in lines_between(document, self._written.get(key, []), told, now):
                yield json_bytes(line.shown()) + b"\n"
            told = now


def read_window(request: Request) -> Window:
    """Refusal 400 for a parameter that cannot be read."""
    since, tail, follow = (request.parameter(name) for name in ("since", "tail", "follow"))
    try:
        since_seconds = duration_seconds(since) if since else None
    except ValueError as error:
        raise invalid("'since' must be a duration such as 1h, 30m or 1d", field="since") from error
    if tail and not (tail.isascii() and tail.isdecimal() and len(tail) < 10):
        raise invalid("'tail' must be a number of lines", field="tail")
    if follow not in (None, "", "true", "false"):
        raise invalid("'follow' must be true or false", field="follow")
    return Window(since_seconds, int(tail) if tail else None, follow == "true")


def lines_between(document: Document, written: list[Line], after: float, until: float) -> list[Line]:
    """Lines later than `after` and not later than `until`, oldest first, the newest thousand."""
    lines = [line for line in written if after < line.time <= until]
    word = document.type.capitalize()
    start = document.changed
    first = max(0, math.floor((max(after, until - LINES_MAX * EVERY_SECONDS) - start) / EVERY_SECONDS))
    while (began := start + first * EVERY_SECONDS) <= until:
        lines.append(Line(began, "INFO", f"{word} started"))
        if document.outcome == "active":
            lines.append(Line(began + TAKES_SECONDS, "INFO", "Task completed successfully"))
        else:
            lines.append(Line(began + TAKES_SECONDS, "ERROR", "Task failed"))
            break
        first += 1
    lines = [line for line in lines if after < line.time <= until]
    return sorted(lines, key=lambda line: line.time)[-LINES_MAX:]

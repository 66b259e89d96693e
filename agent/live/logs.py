"""Polled logs: evidence for people, never input to a decision. Called by the ``logs`` verb.

One poll is :meth:`ReadApi.logs`; :func:`follow` polls again and again and tells each line once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.clock import Clock
from agent.definitions.expressions import Expression
from agent.definitions.platform import Kind, LogRule
from agent.live.answers import printable
from agent.model.canonical import to_json
from agent.model.identity import Key

if TYPE_CHECKING:
    from agent.live.api import ReadApi

LINES_MAX = 100_000
_TEXT_MAX = 8192
_EVERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line as the platform tells it; what it does not tell is "". Safe to print: no control characters."""

    time: str
    level: str
    text: str
    source: str


def lines_of(rule: LogRule, body: Any, scrub: Callable[[str], str] = str) -> tuple[LogLine, ...] | None:
    """The lines in an answer; None when there is no list where the definition says that there is one."""
    found = rule.lines.search(body)
    if not isinstance(found, list):
        return None
    return tuple(_line(rule, line, scrub) for line in found[:LINES_MAX])


async def follow(
    api: ReadApi,
    kind: Kind,
    key: Key,
    server_id: str | None,
    args: Mapping[str, Any],
    clock: Clock,
    parents: Mapping[str, Any] | None = None,
) -> AsyncGenerator[LogLine, None]:
    """Lines as they appear, until the caller stops. Raises LiveError when a poll fails.

    An answer repeats what the one before it ended with; the longest such overlap is told once.
    """
    every = kind.logs.every_seconds if kind.logs is not None and kind.logs.every_seconds else _EVERY_SECONDS
    before: tuple[LogLine, ...] = ()
    while True:
        lines = await api.logs(kind, key, server_id, args, parents)
        for line in lines[_overlap(before, lines) :]:
            yield line
        before = lines or before
        await clock.sleep(every)


def _overlap(before: tuple[LogLine, ...], lines: tuple[LogLine, ...]) -> int:
    """How many of the first ``lines`` are the last of ``before``."""
    if not before or not lines:
        return 0
    last = before[-1]
    for end in range(len(lines), 0, -1):
        if lines[end - 1] == last:
            length = min(end, len(before))
            if lines[end - length : end] == before[len(before) - length :]:
                return end
    return 0


def _line(rule: LogRule, line: Any, scrub: Callable[[str], str]) -> LogLine:
    if isinstance(line, str):
        return LogLine("", "", printable(scrub(line), _TEXT_MAX), "")

    def shown(expression: Expression | None) -> str:
        value = None if expression is None else expression.search(line)
        if value is None:
            return ""
        return printable(
            scrub(value if isinstance(value, str) else to_json(value).decode("utf-8", "replace")), _TEXT_MAX
        )

    return LogLine(shown(rule.time), shown(rule.level), shown(rule.text), shown(rule.source))

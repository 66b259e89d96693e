"""The log of one object, polled or streamed as its definition says. Called by ``cli/asking`` and ``client/reading``.

Evidence for people: nothing depends on it. The WebSocket is loaded where a definition has one.
"""

from __future__ import annotations

import random as random_module
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from agent.clock import Clock
from agent.definitions.platform import LogRule
from agent.live.actions import Subject
from agent.live.api import ReadApi
from agent.live.logs import LogLine
from agent.live.logs import follow as follow_polled


async def lines_now(
    api: ReadApi, subject: Subject, rule: LogRule, args: Mapping[str, Any], last: int | None = None
) -> tuple[LogLine, ...]:
    """What the platform tells at once, oldest first; the ``last`` lines of it where so many are wanted. LiveError."""
    if rule.request is not None:
        lines = await api.logs(subject.kind, subject.key, subject.server_id, args, subject.parents)
    else:
        from agent.live.following import read_stream

        lines = await read_stream(api, subject.kind, subject.key, subject.server_id, args, parents=subject.parents)
    return lines if last is None else tuple(deque(lines, maxlen=last))


async def lines_as_they_come(
    api: ReadApi,
    subject: Subject,
    rule: LogRule,
    args: Mapping[str, Any],
    clock: Clock,
    *,
    random: random_module.Random,
    last: int | None = None,
) -> AsyncGenerator[LogLine, None]:
    """The same and what follows, until the caller stops or the platform ends the log. Raises LiveError.

    ``last``: of what is there already, only so many lines.
    """
    kind, key, server_id = subject.kind, subject.key, subject.server_id
    if rule.request is not None:
        lines = follow_polled(api, kind, key, server_id, args, clock, subject.parents)
    else:
        from agent.live.following import follow_stream

        lines = follow_stream(api, kind, key, server_id, args, clock, random=random, parents=subject.parents)
    if last is not None:
        from agent.live.following import last_then_all

        lines = last_then_all(lines, last)
    async with aclosing(lines) as each:
        async for line in each:
            yield line

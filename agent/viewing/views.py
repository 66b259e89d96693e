"""Every document by name, made in a thread from what the loop knew a moment before. Handed to ``server/pages``."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from agent.viewing.asking import read_log, read_now
from agent.viewing.condition import condition
from agent.viewing.facts import Facts, Moment
from agent.viewing.lines import lines
from agent.viewing.manual import contents, kind_of, page, word_of
from agent.viewing.overview import overview
from agent.viewing.past import one_pass, passes
from agent.viewing.plans import plans
from agent.viewing.resource import found, resource
from agent.viewing.resources import resources

SHARED_SECONDS = 1.0
"""Who asks for the same within that time is given the same: many open pages cost little more than one."""
_MADE_MAX = 64

Result = TypeVar("Result")
Words = Mapping[str, str]
View = Callable[[Words, Words], Awaitable[dict[str, Any]]]
"""Path and query -> document. Raises AgentError: ``not-found``, or a UsageError for a query that means nothing."""


class Blocking(Protocol):
    """Runs a step that blocks where it does not stop the loop."""

    def __call__(self, step: Callable[[], Result], /) -> Awaitable[Result]: ...


def views_of(facts: Facts, blocking: Blocking) -> dict[str, View]:
    """By name: ``overview``, ``resources``, ``resource``, ``plan``, ``history``, ``pass``, ``events``, ``health``,
    ``docs``, ``doc``, ``kind``, ``word``.
    """

    made: dict[object, tuple[float, dict[str, Any]]] = {}

    def view(make: Callable[[Moment, Words, Words], dict[str, Any]]) -> View:
        async def viewed(path: Words, query: Words) -> dict[str, Any]:
            asked = (make, *sorted({**path, **query}.items()))
            at, document = made.get(asked, (-math.inf, {}))
            if not 0 < facts.clock.monotonic() - at < SHARED_SECONDS:
                at, moment = facts.clock.monotonic(), facts.moment()
                document = await blocking(lambda: make(moment, path, query))
                if len(made) >= _MADE_MAX:
                    made.clear()
                made[asked] = (at, document)
            return document

        return viewed

    async def one(path: Words, query: Words) -> dict[str, Any]:
        moment = facts.moment()
        standing, board = await blocking(lambda: found(facts, moment, path))
        target, row = facts.targets.get(standing.key.target), standing.row
        server_id = row.server_id if row is not None else None
        live = logs = None
        if target is not None and standing.key.kind in target.platform.kinds:
            if query.get("live"):
                live = await read_now(target, standing.key, server_id, query)
            if query.get("logs"):
                logs = await read_log(target, standing.key, server_id, query)
        return await blocking(lambda: resource(facts, moment, standing, board, live, logs))

    return {
        "resource": one,
        "overview": view(lambda moment, path, query: overview(facts, moment)),
        "resources": view(lambda moment, path, query: resources(facts, moment, query)),
        "plan": view(lambda moment, path, query: plans(facts, moment, query)),
        "history": view(lambda moment, path, query: passes(facts, moment, query)),
        "pass": view(lambda moment, path, query: one_pass(facts, moment, path["id"])),
        "events": view(lambda moment, path, query: lines(facts, moment, query)),
        "health": view(lambda moment, path, query: condition(facts, moment)),
        "docs": view(lambda moment, path, query: contents(facts, moment)),
        "doc": view(lambda moment, path, query: page(moment, path["name"])),
        "kind": view(lambda moment, path, query: kind_of(facts, moment, path, query.get("member", "")[:200])),
        "word": view(lambda moment, path, query: word_of(facts, moment, query)),
    }

"""Metrics of the emulated Dataloop: the catalogue of an agent or of a tag, and series of points.

The page prints points with `uom`, `value` and `time`; the vendor's client reads `type` and `avg`. Points have all five.
Their values are made up, the same for the same agent, metric and moment. Called by :mod:`agent.sandbox.dataloop`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from agent.sandbox.dataloop_bodies import Call, refusal_for
from agent.sandbox.messages import Answer, Request, json_answer
from agent.sandbox.shelf import Shelf
from agent.sandbox.world import World

CATALOGUE: Mapping[str, str] = {"base.cpu": "%", "base.swap": "%", "base.memory": "%", "base.load_1_min": ""}
"""Names and units; every agent has these (a guess)."""

RESOLUTION_DEFAULT = 30
PERIOD_DEFAULT = 3600
POINTS_MAX = 10_000
_PERIOD, _DURATION, _END = "period", "period[duration]", "period[end]"


class Metrics:
    def __init__(self, world: World, shelf: Shelf) -> None:
        self._world = world
        self._shelf = shelf

    def answer(self, call: Call) -> Answer:
        request = call.request
        if len(call.way) not in (1, 3) or call.way[2:] not in ((), ("series",)):
            raise refusal_for(404)
        if request.method != "GET":
            raise refusal_for(405)
        agents = self._agents(call)
        if len(call.way) == 1:
            rows = [_metric(call.scope, name) for name in CATALOGUE] if agents else []
            return json_answer(200, rows)
        name = call.way[1]
        if name not in CATALOGUE:
            raise refusal_for(404, "metric not found")
        times = self._times(request)
        return json_answer(200, [_series(call.scope, name, agent, times) for agent in agents])

    def _agents(self, call: Call) -> list[Mapping[str, Any]]:
        """Those that the query means. Refusal 400 without either parameter, or with both (guesses)."""
        source, tag = call.request.parameter("source"), call.request.parameter("tag")
        agents = self._shelf.all("agent", call.scope, call.request.lag)
        if bool(source) == bool(tag):
            raise refusal_for(400, "either source or tag is required")
        if source:  # the id; the page's Python example of the catalogue has the name
            found = (
                [agents[source]] if source in agents else [each for each in agents.values() if each["name"] == source]
            )
            if not found:
                raise refusal_for(404, "agent not found")
            return found[:1]
        return [agent for agent in agents.values() if tag in agent["tags"]]

    def _times(self, request: Request) -> range:
        given = {name for name, _ in request.query}
        if _PERIOD in given and given & {_DURATION, _END}:
            raise refusal_for(400, "use either period or period[duration] and period[end]")
        resolution = _number(request, "resolution", RESOLUTION_DEFAULT)
        duration = _number(request, _DURATION if _DURATION in given else _PERIOD, PERIOD_DEFAULT)
        end = _number(request, _END, int(self._world.clock.now()))
        first = (end - duration) // resolution * resolution + resolution
        times = range(first, end + 1, resolution)
        if len(times) > POINTS_MAX:
            raise refusal_for(400, f"more than {POINTS_MAX} points")
        return times


def _metric(scope: str, name: str) -> dict[str, Any]:
    return {
        "id": _id(scope, name),
        "name": name,
        "data_type": "number",
        "collector_id": _id(scope, name.partition(".")[0]),
        "collector_type": "plugin",
    }


def _series(scope: str, name: str, agent: Mapping[str, Any], times: range) -> dict[str, Any]:
    unit, metric = CATALOGUE[name], _metric(scope, name)
    points = []
    for time in times:
        value = hashlib.sha1(f"{agent['id']}/{name}/{time}".encode()).digest()[0] % 101  # noqa: S324 - made-up values
        points.append({"uom": unit, "value": value, "time": time, "type": "number", "avg": value})
    return {
        "origin": [agent["hostname"]],
        "id": _id(scope, f"{agent['id']}/{name}"),
        "uom": unit,
        "metric": {word: metric[word] for word in ("collector_type", "id", "data_type", "name")},
        "source": {"id": agent["id"], "name": agent["name"]},
        "points": points,
    }


def _number(request: Request, name: str, default: int) -> int:
    text = request.parameter(name)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and int(text) > 0):
        raise refusal_for(400, f"{name} must be a number of seconds")
    return int(text)


def _id(scope: str, name: str) -> str:
    return hashlib.sha1(f"{scope}/{name}".encode()).hexdigest()[:24]  # noqa: S324 - an id, guards nothing

"""Which row of section 4 of the fault model a death was, by the point at which it happened and what was under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.full.agent import Agent

_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_OF_ACTION = {"create": "K3", "update": "K8", "delete": "K10", "retire": "K10", "upload": "K17"}


def rows_of(agent: Agent) -> list[str]:
    """The rows of the death that has just happened; empty where it was between things that no row speaks of."""
    points = agent.life.of_pass or agent.life.points[-1:]
    word, _, rest = points[-1].partition(" ")
    sent = [each for each in points if each.startswith("send ")]
    intents = [each for each in points if each == "committed intent"]
    found = []
    if agent.in_doubt and not intents and sent:
        found.append("K12")
    elif not intents:
        found.append("K2" if sent else "K1")
    action = agent.target.store.action  # type: ignore[attr-defined]
    if intents:
        found.append(_of_write(word, rest, action))
        if agent.world.is_midway(points):
            found.append("K17")
    if action.startswith("act:"):
        found.append("K18")
    return [row for row in found if row]


def _of_write(word: str, rest: str, action: str) -> str:
    if (word, rest) in (("committed", "intent"),) or (word == "send" and rest in _WRITES):
        return _OF_ACTION.get(action, "K3")
    if word == "flight" and rest in _WRITES:
        return "K4" if action == "create" else _OF_ACTION.get(action, "K4")
    if word in ("answer", "lost") and rest in _WRITES:
        return "K5" if action == "create" else _OF_ACTION.get(action, "K5")
    if (word, rest) == ("commit", "outcome"):
        return "K11" if action in ("delete", "retire") else "K6"
    if (word, rest) in (("committed", "outcome"), ("commit", "pass"), ("committed", "pass"), ("commit", "other")):
        return "K7"
    return ""

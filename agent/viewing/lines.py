"""``datakeel.lines/1``: the last lines of the agent's own log, newest first. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.errors import UsageError
from agent.report.values import utc
from agent.viewing.facts import Facts, Moment

FORMAT = "datakeel.lines/1"
SHOWN_MAX = 200
LEVELS = ("info", "warning", "error")
_OWN = ("ts", "level", "event")


def lines(facts: Facts, moment: Moment, query: Mapping[str, str]) -> dict[str, Any]:
    """``query``: ``level`` (the least that is shown) and ``q`` (words that a line holds)."""
    level, words = query.get("level", ""), query.get("q", "")[:200]
    if level not in ("", *LEVELS):
        raise UsageError("there is no such level", fix=f"one of: {', '.join(LEVELS)}")
    kept = facts.tail.lines()
    wanted = [each for each in reversed(kept) if _rank(each[1]) >= (LEVELS.index(level) if level else 0)]
    matching = [each for each in wanted if _holds(words.casefold().split(), each[1])]
    return {
        "format": FORMAT,
        "at": utc(moment.now),
        "filters": {"level": level, "q": words},
        "kept": len(kept),
        "matching": len(matching),
        "newest": facts.tail.number,
        "entries": [_entry(number, line) for number, line in matching[:SHOWN_MAX]],
    }


def _rank(line: Mapping[str, Any]) -> int:
    level = str(line.get("level", "info"))
    return LEVELS.index(level) if level in LEVELS else 2 if level == "critical" else 0


def _holds(words: list[str], line: Mapping[str, Any]) -> bool:
    text = " ".join(map(str, line.values())).casefold() if words else ""
    return all(word in text for word in words)


def _entry(number: int, line: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: value for name, value in line.items() if name not in _OWN and not name.startswith("_")}
    return {
        "number": number,
        "at": str(line.get("ts", "")),
        "level": str(line.get("level", "info")),
        "event": str(line.get("event", "")),
        "facts": facts,
    }

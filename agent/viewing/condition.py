"""``datakeel.health/1``: the agent itself: its loop, its queue, git, the store, webhooks, alerts. Pure."""

from __future__ import annotations

import platform
from typing import Any

from agent import __version__
from agent.report.values import utc
from agent.store.location import HEAD
from agent.viewing.facts import Facts, Moment, boards

FORMAT = "datakeel.health/1"
ALERTS_MAX = 100


def condition(facts: Facts, moment: Moment) -> dict[str, Any]:
    """What an operator asks of a process that runs."""
    leases, tenure = facts.store.leases(), facts.loop.tenure
    return {
        "format": FORMAT,
        "at": utc(moment.now),
        "agent": {
            "version": __version__,
            "python": platform.python_version(),
            "started_at": utc(facts.began_at),
            "up_seconds": int(moment.now - facts.began_at),
            "interval_seconds": facts.loop.interval_seconds,
            "addresses": dict(facts.addresses),
        },
        "store": {"place": facts.place, "version": HEAD, "ephemeral": facts.store.is_ephemeral},
        "targets": [
            {
                "name": name,
                "here": name in facts.targets if tenure is None else name in tenure.mine,
                "lease": leases.get(name),
                "next_at": utc(moment.next_at[name]) if name in moment.next_at else None,
                "failures": moment.failures.get(name, 0),
                "git": facts.targets[name].heads.stalled if name in facts.targets else "",
                "error": board.status.get("error"),
                "open_calls": len(facts.store.open_intents(name)),
                "damaged_rows": len(facts.store.damaged_rows(name)),
                "events": dict(moment.inboxes.get(name, {})),
            }
            for name, board in boards(facts, moment.now).items()
        ],
        "hooks": [{"receiver": name, "answers": dict(counts)} for name, counts in sorted(moment.hooks.items())],
        "configuration": _configuration(facts),
        "alerts": _alerts(facts),
        "sinks": _sinks(facts, moment),
    }


def _configuration(facts: Facts) -> dict[str, Any] | None:
    """The one that was refused: what is wrong with it, line by line."""
    refused = facts.store.refused_config()
    if refused is None:
        return None
    problems = [str(line) for line in refused["problems"]]
    return {"at": utc(refused["at"]), "message": str(refused["message"]), "problems": problems}


def _alerts(facts: Facts) -> dict[str, Any]:
    """What is not well and for how long, and how often people were told of it."""
    standing = facts.store.standing_alerts(ALERTS_MAX + 1)
    names = ("target", "type", "subject", "reason", "message")
    rows = [
        {name: each[name] for name in names}
        | {"since": utc(each["since"]), "told_at": _utc(each["told_at"]), "told_times": each["told_times"]}
        for each in standing[:ALERTS_MAX]
    ]
    return {"standing": rows, "more": len(standing) > ALERTS_MAX}


def _sinks(facts: Facts, moment: Moment) -> list[dict[str, Any]]:
    """Each sink that is configured, or that messages wait for: what was sent by this process, and what waits."""
    waiting = facts.store.outbox()
    none = {"waiting": 0, "since": None, "next_at": None, "attempts": 0}
    found = []
    for name in sorted({*waiting, *(sink for sink, _ in moment.sent)}):
        waits = waiting.get(name, none)
        found.append(
            {
                "name": name,
                "sent": moment.sent.get((name, "sent"), 0),
                "failed": moment.sent.get((name, "failed"), 0),
                "waiting": waits["waiting"],
                "since": _utc(waits["since"]),
                "next_at": _utc(waits["next_at"]),
                "attempts": waits["attempts"],
            }
        )
    return found


def _utc(at: float | None) -> str | None:
    return None if at is None else utc(at)

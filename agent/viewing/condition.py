"""``datakeel.health/1``: the agent itself: its loop, its queue, git, the store, webhooks, versions. Pure."""

from __future__ import annotations

import platform
from typing import Any

from agent import __version__
from agent.report.values import utc
from agent.store.location import HEAD
from agent.viewing.facts import Facts, Moment, boards

FORMAT = "datakeel.health/1"


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
    }

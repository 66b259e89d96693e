"""``datakeel.overview/1``: all targets at a glance, and what happens next. Pure, apart from the store's reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from agent.report.status_text import is_stalled
from agent.report.values import counted, utc
from agent.store.day import SECONDS, marks_at
from agent.viewing.facts import Board, Facts, Moment, boards
from agent.viewing.states import STATES, WELL, Standing, standings
from agent.windows import next_turn

FORMAT = "datakeel.overview/1"
TARGET_STATES = ("failed", "attention", "suspended", "starting", "in sync")
_TROUBLES_MAX = 3


def overview(facts: Facts, moment: Moment) -> dict[str, Any]:
    """Counts of resources by state, a summary of each target, and the next moments that are known."""
    found = boards(facts, moment.now)
    targets = [_target(facts, moment, board) for board in found.values()]
    targets.sort(key=lambda target: (TARGET_STATES.index(target["state"]), target["name"]))
    counts: Counter[str] = Counter()
    for target in targets:
        counts.update(target["counts"])
    return {
        "format": FORMAT,
        "at": utc(moment.now),
        "sentence": _sentence(targets, counts),
        "counts": {state: counts[state] for state in STATES if counts[state]},
        "total": counts.total(),
        "targets": targets,
        "next": sorted(_next(facts, targets, moment.now), key=lambda each: (each["at"], each["target"])),
    }


def _target(facts: Facts, moment: Moment, board: Board) -> dict[str, Any]:
    every = list(standings(facts.store.rows(board.name), board.waiting, moment.desired.get(board.name)))
    troubled = sorted((each for each in every if each.state not in WELL), key=_weight)
    counts = Counter(each.state for each in every)
    status, last = board.status, board.last_pass
    revision = (board.waiting or {}).get("revision") or {}
    next_at = moment.next_at.get(board.name, status.get("next_look_at"))
    return {
        "name": board.name,
        "platform": status.get("platform") or (board.waiting or {}).get("platform") or _platform(facts, board.name),
        "state": _state(board, counts),
        "here": board.name in facts.targets,
        "counts": {state: counts[state] for state in STATES if counts[state]},
        "total": len(every),
        "revision": _revision(revision, status.get("revision") or ""),
        "live": _live(every, status.get("revision") or ""),
        "last_pass": {"id": last["id"], "result": last["result"], "at": utc(last["at"])} if last else None,
        "quiet_passes": last.get("quiet", 0),
        "next_at": utc(next_at) if next_at is not None else None,
        "verified_p95_seconds": status.get("verified_p95_seconds"),
        "calls": calls_of(board, moment),
        "day": {"until": utc(moment.now), "mark_seconds": SECONDS, "marks": marks_at(board.day, moment.now)},
        "error": status.get("error"),
        "suspended": [
            {
                "selector": each["selector"],
                "who": each["who"],
                "reason": each["reason"],
                "since": utc(each["since"]),
                "until": utc(each["until"]) if each["until"] is not None else None,
            }
            for each in board.suspended
        ],
        "troubles": [_trouble(each) for each in troubled[:_TROUBLES_MAX]],
        "more_troubles": max(0, len(troubled) - _TROUBLES_MAX),
    }


def _sentence(targets: list[dict[str, Any]], counts: Mapping[str, int]) -> str:
    """``5 of 6 targets in sync; 1 resource invalid, 2 held; 1 suspension in force``."""
    seen = [target for target in targets if target["last_pass"]]
    if not seen:
        return "no pass has ended yet" if targets else "no target yet"
    well = sum(1 for target in seen if target["state"] == "in sync")
    parts = [f"{well} of {counted(len(targets), 'target')} in sync"]
    troubled = [(counts[state], state) for state in STATES if state not in WELL and counts[state]]
    if troubled:
        first, *others = [f"{number} {state}" for number, state in troubled]
        number, _, state = first.partition(" ")
        parts.append(", ".join([f"{counted(int(number), 'resource')} {state}", *others]))
    stopped = [target["name"] for target in seen if target["error"]]
    if stopped:
        parts.append(f"{', '.join(stopped)} cannot be looked at")
    suspended = sum(len(target["suspended"]) for target in targets)
    return "; ".join([*parts, f"{counted(suspended, 'suspension')} in force"] if suspended else parts)


def _revision(told: Mapping[str, Any], commit: str) -> dict[str, Any]:
    """What is known of the newest commit; of one that no whole pass has ended over, its id alone."""
    names = ("commit", "ref", "author", "subject", "at")
    if told and commit in ("", told["commit"]):
        return {name: told[name] for name in names}
    return {**dict.fromkeys(names), "commit": commit}


def calls_of(board: Board, moment: Moment) -> list[dict[str, Any]]:
    """Each window of the call budget; ``whole_in_seconds`` None where another process holds it."""
    windows = moment.budgets.get(board.name)
    if windows is None:
        return [{**each, "whole_in_seconds": None} for each in board.status.get("calls_left") or ()]
    whole = moment.whole_in.get(board.name, {})
    return [
        {
            "window_seconds": each.window_seconds,
            "left": each.left,
            "usable": each.usable,
            "limit": each.limit,
            "whole_in_seconds": round(whole.get(each.window_seconds, 0.0), 1),
        }
        for each in windows
    ]


def _state(board: Board, counts: Mapping[str, int]) -> str:
    """The target in a word of :data:`TARGET_STATES`."""
    if not board.last_pass:
        return "starting"
    if is_stalled(board.status) or counts["failed"] or counts["invalid"]:
        return "failed"
    if any(each["selector"] == "" for each in board.suspended):
        return "suspended"
    return "in sync" if not any(counts[state] for state in STATES if state not in WELL) else "attention"


def _live(every: list[Standing], commit: str) -> dict[str, int]:
    """How many live objects are ours, and how many of them are as the newest commit says."""
    ours = [each for each in every if each.row is not None]
    return {"ours": len(ours), "as_git": sum(1 for each in ours if each.row is not None and each.row.in_sync)}


def _platform(facts: Facts, name: str) -> str:
    target = facts.targets.get(name)
    return target.platform.api_version if target is not None else ""


def _weight(each: Standing) -> tuple[int, Any]:
    return STATES.index(each.state), each.key


def _trouble(each: Standing) -> dict[str, Any]:
    key = each.key
    return {
        "key": {"target": key.target, "kind": key.kind, "scope": dict(key.scope), "name": key.name},
        "state": each.state,
        "message": each.message,
    }


def _next(facts: Facts, targets: list[dict[str, Any]], now: float) -> Iterator[dict[str, Any]]:
    for target in targets:
        if target["next_at"] is not None:
            yield {"at": target["next_at"], "what": "look", "target": target["name"], "told": ""}
        for each in target["suspended"]:
            if each["until"] is not None:
                told = f"{each['selector'] or 'everything'}, suspended by {each['who']}, is written again"
                yield {"at": each["until"], "what": "resume", "target": target["name"], "told": told}
        known = facts.targets.get(target["name"])
        turn = next_turn(known.config.windows, now) if known is not None else None
        if turn is not None:
            at, writes, deletes = turn
            what = "open" if writes else "close"
            yield {"at": utc(at), "what": what, "target": target["name"], "told": _told_of_window(writes, deletes)}


def _told_of_window(writes: bool, deletes: bool) -> str:
    """What the next opening or end of an apply window changes."""
    if not writes:
        return "its window closes: nothing is written until the next one"
    return "its window opens: what waits may be written" if deletes else "changes may be written, deletes wait"

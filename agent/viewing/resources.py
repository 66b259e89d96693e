"""``datakeel.resources/1``: every resource with its state, what is not well first; filtered, and paged by key. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from agent.errors import UsageError
from agent.report.change_documents import key_document
from agent.report.values import utc
from agent.viewing.facts import Facts, Moment, boards
from agent.viewing.states import STATES, WELL, Standing, standings

FORMAT = "datakeel.resources/1"
PAGE = 200
ATTENTION, ALL = "attention", "all"
FILTERS = ("q", "target", "kind", "state", "after")
_WORDS_MAX = 200


def resources(facts: Facts, moment: Moment, query: Mapping[str, str]) -> dict[str, Any]:
    """``query``: ``q`` (words that a name, kind, scope, path or message holds), ``target``, ``kind``, ``state`` (one of
    the states, ``attention`` or ``all``) and ``after``, the cursor of the page before.

    Without a ``state`` what needs eyes is shown, and all where nothing does. UsageError for a state that is none.
    """
    chosen = {name: query.get(name, "")[:_WORDS_MAX] for name in FILTERS if name != "after"}
    state = chosen["state"]
    if state not in ("", ATTENTION, ALL, *STATES):
        raise UsageError("there is no such state", fix=f"one of: {', '.join((ATTENTION, ALL, *STATES))}")
    found = boards(facts, moment.now)
    every = [
        each
        for name, board in found.items()
        for each in standings(facts.store.rows(name), board.waiting, moment.desired.get(name))
    ]
    named = [each for each in every if _is_meant(each, chosen)]
    counts = Counter(each.state for each in named)
    troubled = [each for each in named if each.state not in WELL]
    if state == ATTENTION or (state == "" and troubled):
        kept, state = troubled, ATTENTION
    elif state in ("", ALL):
        kept, state = named, ALL
    else:
        kept = [each for each in named if each.state == state]
    kept.sort(key=_place)
    cursor = query.get("after", "")
    rest = [each for each in kept if _cursor(each) > cursor] if cursor else kept
    page = rest[:PAGE]
    return {
        "format": FORMAT,
        "at": utc(moment.now),
        "total": len(every),
        "matching": len(kept),
        "shown": len(page),
        "before": len(kept) - len(rest),
        "filters": {**chosen, "state": state, "chosen": any(chosen.values())},
        "counts": {each: counts[each] for each in STATES if counts[each]},
        "targets": sorted(found),
        "kinds": sorted({each.key.kind for each in every}),
        "rows": [row_document(each) for each in page],
        "next": _cursor(page[-1]) if len(rest) > len(page) else None,
    }


def row_document(each: Standing) -> dict[str, Any]:
    """One resource as a row: its key and state, where it is written, and how old the knowledge of it is."""
    row = each.row
    return {
        "key": key_document(each.key),
        "state": each.state,
        "message": each.message,
        "health": row.health if row is not None else None,
        "in_git": each.in_git,
        "ours": row is not None,
        "seen_at": utc(row.seen_at) if row is not None and row.seen_at is not None else None,
        "written_at": utc(row.written_at) if row is not None and row.written_at is not None else None,
        "revision": row.revision if row is not None else "",
        "path": each.path,
        "line": each.line,
    }


def _is_meant(each: Standing, chosen: Mapping[str, str]) -> bool:
    key = each.key
    if chosen["target"] not in ("", key.target) or chosen["kind"] not in ("", key.kind):
        return False
    words = chosen["q"].casefold().split()
    return not words or _holds(words, (key.target, key.path, each.path, each.message))


def _holds(words: Iterable[str], texts: Iterable[str]) -> bool:
    text = " ".join(texts).casefold()
    return all(word in text for word in words)


def _place(each: Standing) -> str:
    return _cursor(each)


def _cursor(each: Standing) -> str:
    """Sorts as the list does, and stays where it is when others come and go."""
    key = each.key
    return "\x1f".join((f"{STATES.index(each.state):02}", key.target, key.path))

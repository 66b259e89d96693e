"""The two reads that a person may ask for from the page of one resource: how it is live now, and its platform's log.

Used by ``views`` in the event loop. They go last in the queue of calls, never take the part of a window that writes and
events need, and are not sent for a page of another site. Nothing else here sends anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.definitions.marks import is_mark
from agent.definitions.platform import Kind
from agent.errors import AgentError, LiveError, Refused
from agent.live.actions import subject_of
from agent.live.answers import error_of
from agent.live.look import look_at
from agent.live.purpose import Purpose
from agent.live.rows import health_of
from agent.model.identity import Key, uid_of
from agent.plan.normalize import fingerprinted, live_spec, public
from agent.plan.rules import split_pointer
from agent.reconcile.target import Target

LINES = 100
_SAME_SITE = frozenset({"", "none", "same-origin"})


async def read_now(target: Target, key: Key, server_id: str | None, asked: Mapping[str, str]) -> dict[str, Any]:
    """``{"spec", "health"}`` as live is now, masked; ``{"error"}`` where that cannot be told."""
    try:
        _permit(target, asked)
        kind = target.platform.kinds[key.kind]
        uid = uid_of(target.platform.name, key)
        looked = await look_at(target.api, kind, key, server_id, Purpose.LOGS, uid=uid)
        reply = looked.reply
        if reply.answer == "notFound":
            return {"spec": None, "health": "gone"}
        if reply.answer != "ok" or reply.item is None:
            raise error_of(reply)
        spec = _without_mark(kind, masked(target, key, live_spec(target.books.of(key), reply.item)))
        return {"spec": spec, "health": health_of(kind, reply.item)}
    except AgentError as error:
        return {"error": {"code": error.error_code, "message": error.what}}


async def read_log(target: Target, key: Key, server_id: str | None, asked: Mapping[str, str]) -> dict[str, Any]:
    """``{"lines": [{"time", "level", "source", "text"}]}``, the last of them; ``{"error"}`` where there are none."""
    kind = target.platform.kinds[key.kind]
    rule = kind.logs
    try:
        if rule is None:
            raise LiveError(f"{kind.name} has no logs on this platform")
        _permit(target, asked)
        subject = await subject_of(target.api, kind, key, rule, server_id)
        args: dict[str, Any] = {"tail": LINES} if "tail" in rule.args else {}
        if rule.request is not None:
            told = await target.api.logs(kind, key, subject.server_id, args, subject.parents)
        else:
            from agent.live.following import read_stream

            told = await read_stream(target.api, kind, key, subject.server_id, args, parents=subject.parents)
    except AgentError as error:
        return {"error": {"code": error.error_code, "message": error.what}}
    members = ("time", "level", "source", "text")
    return {"lines": [{name: getattr(line, name) for name in members} for line in told[-LINES:]]}


def masked(target: Target, key: Key, spec: Any) -> Any:
    """What may be shown of a spec; no secret is read for it."""
    return public(fingerprinted(target.books.of(key), spec, lambda leaf: ""))


def _without_mark(kind: Kind, spec: Any) -> Any:
    """Our mark is written beside what a manifest says, and is no difference."""
    mark = kind.mark
    if mark is None:
        return spec
    *way, last = split_pointer(mark.pointer)
    parent = spec
    for word in way:
        parent = parent.get(word) if isinstance(parent, dict) else None
    value = parent.get(last) if isinstance(parent, dict) else None
    if isinstance(value, list):
        parent[last] = [each for each in value if not is_mark(mark, each)]
    elif isinstance(parent, dict) and is_mark(mark, value):
        del parent[last]
    return spec


def _permit(target: Target, asked: Mapping[str, str]) -> None:
    if asked.get("from", "") not in _SAME_SITE:
        raise Refused("a page of another site may not ask for this")
    if target.api.budget.room(Purpose.SWEEP, 1) < 1:
        wait = target.api.budget.wait_needed(Purpose.SWEEP)
        raise Refused(f"no call is at hand: what is left is kept for changes; again in {wait:.0f} s")

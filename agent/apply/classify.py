"""An answer to a write -> done, not done or unknown. Two words would not do: a lost answer is neither."""

from __future__ import annotations

from agent.definitions.platform import Operation
from agent.live.api import Reply
from agent.model.outcome import Result

# Refusals that stay refusals until a manifest, a definition or a permission changes.
TERMINAL = frozenset({"invalid", "denied"})
# To a create: something has its name, ours or not.
TAKEN = frozenset({"exists", "conflict"})


def classify(reply: Reply, operation: Operation, *, deleting: bool = False, creating: bool = False) -> Result:
    """``notFound`` ends a delete well; an answer that the operation tolerates counts as done.

    ``exists`` and ``conflict`` do not refuse a create, which was planned where nothing was: somebody on the way may
    have sent it twice (``design/fault-model.md`` A3), so what is in its place may be ours and is looked for.
    """
    if reply.answer == "ok" or reply.answer in operation.tolerate:
        return Result.DONE
    if deleting and reply.answer == "notFound":
        return Result.DONE
    if reply.landed == "unknown" or (creating and reply.answer in TAKEN):
        return Result.UNKNOWN
    return Result.NOT_DONE

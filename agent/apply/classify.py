"""An answer to a write -> done, not done or unknown. Two words would not do: a lost answer is neither."""

from __future__ import annotations

from dataclasses import replace

from agent.definitions.platform import Kind, Operation
from agent.live.api import Reply
from agent.live.rows import id_of, is_untold
from agent.model.change import Change
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


def identified(change: Change, verb: str, kind: Kind, server_id: str | None, reply: Reply) -> Reply:
    """The answer to a write; as good as lost where it leaves open which object is ours, or speaks of another one.

    Of updates a rename is asked for that too: with it the object's former key is forgotten.
    """
    if reply.answer != "ok":
        return reply
    names = verb == "create" or change.moved_from is not None
    if names and is_untold(kind, reply.item):
        return replace(reply, answer="broken", landed="unknown", message="the answer does not say what was made")
    if verb == "update" and server_id is not None and id_of(kind, reply.item) not in (None, server_id):
        what = "an answer about an object of another id"
        return replace(reply, answer="broken", landed="unknown", message=what)
    return reply

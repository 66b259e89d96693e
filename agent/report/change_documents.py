"""One change of a plan as JSON, and what a change is made of: keys, fields, commits.

Called by ``documents`` and by the verbs. A sensitive field has neither ``before`` nor ``after``.
"""

from __future__ import annotations

from typing import Any

from agent.model.change import Action, Change, FieldChange
from agent.model.identity import Key, Revision
from agent.model.unmerged import Unmerged
from agent.report.values import utc


def change_document(change: Change) -> dict[str, Any]:
    """One decision of a plan."""
    document: dict[str, Any] = {
        "key": key_document(change.key),
        "action": change.action.value,
        "cause": change.cause.value,
        "order": change.order,
        "fields": [_field(field) for field in change.fields],
        "calls": change.calls,
        "hits": [str(key) for key in change.hits],
    }
    if change.origin is not None:
        document["origin"] = change.origin._asdict()
    if change.because is not None:
        document["because"] = _commit(change.because)
    if change.action is Action.HOLD:
        document["would"] = change.would.value if change.would else None
        document["configured"] = change.configured
    optional = {"reason": change.reason, "message": change.message, "proof": change.proof}
    return document | {word: text for word, text in optional.items() if text}


def key_document(key: Key) -> dict[str, Any]:
    """A key with its scope as an object."""
    return {"target": key.target, "kind": key.kind, "scope": dict(key.scope), "name": key.name}


def _field(field: FieldChange) -> dict[str, Any]:
    document: dict[str, Any] = {
        "path": field.path,
        "pointer": field.pointer,
        "op": field.op.value,
        "cause": field.cause.value,
        "sensitive": field.sensitive,
    }
    if field.apart:
        document["apart"] = True
    if field.sensitive:
        return document | ({"reference": field.reference} if field.reference else {})
    if field.op.value != "add":
        document["before"] = field.before
    if field.op.value in ("add", "change", "default"):
        document["after"] = field.after
    return document


def _commit(revision: Revision) -> dict[str, Any]:
    """A commit as evidence: who, when and what."""
    at = None if revision.committed_at is None else utc(revision.committed_at)
    return {"commit": revision.commit, "author": revision.author, "at": at, "subject": revision.subject}


def unmerged_document(one: Unmerged) -> dict[str, Any]:
    """What a proposal changes of the agent itself; ``lines`` begin with ``- `` or ``+ ``."""
    document: dict[str, Any] = {"code": one.code, "path": one.path, "what": one.what, "lines": list(one.lines)}
    return document if one.line is None else document | {"line": one.line}

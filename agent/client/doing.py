"""Creating and deleting where a definition has no operation for it and an action that is called so.

Some objects can be made and taken away and not be managed, such as a subscription that has no name of its own: their
definition lists the calls as the actions ``create`` and ``delete``, with arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.client.documents import revealed
from agent.client.errors import NotSupportedError, error_for
from agent.client.reading import Seen, find_row, seen_in, subject_text
from agent.client.session import Session
from agent.definitions.platform import ActionRule, Kind
from agent.errors import UsageError
from agent.json_schema import Schema
from agent.live.actions import prepare, result_of, subject_of, words_of
from agent.live.purpose import Purpose
from agent.live.rows import id_of, name_of
from agent.model.identity import Key


async def act(session: Session, kind: Kind, seen: Seen | None, name: str, words: Mapping[str, Any]) -> Seen:
    """Send the action once. ``seen`` is the object that it is about, None for one that is to be made."""
    rule = kind.actions.get(name)
    if rule is None:
        raise NotSupportedError.of(kind, name)
    args = _arguments(kind, rule, words)
    with session.asking(Purpose.WRITE):
        if seen is None:
            seen = Seen(kind, Key(session.target, kind.name, (), ""), None, {}, whole=False)
        elif "id" in words_of(rule) and seen.id is None:
            row = await find_row(session, kind, seen.key.scope, seen.key.name)
            seen = Seen(kind, Key(session.target, kind.name, row.scope, row.name), row.id, row.item, whole=False)
        subject = await subject_of(session.api, kind, seen.key, rule, seen.id)
        prepared = prepare(session.api, rule, args, subject)
        if prepared.refusal:
            raise UsageError(f"{subject_text(kind, seen.key)}: {prepared.refusal}")
        reply = await session.api.send(prepared)
        if reply.answer != "ok":
            raise error_for(reply, subject_text(kind, seen.key) if seen.key.name else kind.name)
    item = result_of(rule, reply)
    if not isinstance(item, Mapping):
        return seen
    told = seen.key.name or name_of(kind, item) or id_of(kind, item) or ""
    return seen_in(kind, seen.key._replace(name=told), seen.id, item, whole=False)


def _arguments(kind: Kind, rule: ActionRule, words: Mapping[str, Any]) -> dict[str, Any]:
    args = {name: revealed(value) for name, value in words.items() if value is not None}
    schema = {"type": "object", "properties": dict(rule.args), "additionalProperties": False}
    checked = Schema(schema, "args")
    if not checked.is_valid(args):
        fault = checked.violations(args)[0]
        raise UsageError(f"{rule.name} of {kind.name}: {fault.what}", got=fault.got, fix=fault.fix)
    return args

"""Creates, updates and deletes of one object: plain calls that say what the program says, each sent once.

A call that was certainly not carried out (refused by a limit, or never sent) may be sent again, up to three times. One
whose answer is lost never is: :class:`OutcomeUnknown`. Nothing is journalled, marked or read back; that is the agent's.
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.apply.following import changed, top_level
from agent.client.documents import Draft, revealed
from agent.client.edits import (
    body_of_save,
    check,
    edits_between,
    laid_over,
    may_erase,
    may_hide,
    supports_save,
    vias_of,
)
from agent.client.errors import (
    NotSupportedError,
    ResourceExistsError,
    ResourceNotFoundError,
    UnreadableAnswerError,
    error_for,
)
from agent.client.kinds import must_say, operation_of
from agent.client.reading import Seen, find_row, read_there, seen_in, subject_text
from agent.client.session import Session
from agent.definitions.platform import Kind, Operation, Upload
from agent.errors import AgentError, UsageError
from agent.json_schema import Schema
from agent.live.api import Reply, Verb
from agent.live.purpose import Purpose
from agent.live.requests import NOTHING, Around
from agent.model.canonical import canonical
from agent.model.identity import Key
from agent.plan.compare import compare
from agent.plan.compose import MISSING, compose_create, compose_update, value_at
from agent.plan.cost import is_thin
from agent.plan.elsewhere import files_in, references_in, wired
from agent.plan.normalize import fingerprinted, live_spec
from agent.plan.rules import Place, RuleBook, split_pointer
from agent.secrets import without_echo

_ATTEMPTS = 3
_BACKOFF_SECONDS = 0.5
_NOT_DONE = frozenset({"throttled", "unreachable"})  # proved so: another try makes nothing twice


async def create(session: Session, draft: Draft) -> Seen:
    """Make it. Raises :class:`ResourceExistsError` where the name is taken, and OutcomeUnknown for a lost answer."""
    kind, key, book = draft.kind, draft.key, session.book(draft.key)
    verb: Verb = "create" if kind.create is not None or kind.apply is None else "apply"
    operation = operation_of(kind, verb)
    must_say(kind, operation, key.scope)
    with session.asking(Purpose.WRITE):
        if verb == "apply":  # a call that makes or replaces: what is there must not be overwritten by a create
            await _must_be_absent(session, kind, key)
        spec = await _as_it_travels(session, draft, book)
        body = _named_run(book, compose_create(book, spec, None), key.name)
        reply = await _sent(session, verb, kind, key, None, body)
        made = seen_in(kind, key, None, reply.item, whole=False)
        if not is_thin(kind) and not any(value_at(spec, place) is not MISSING for place in book.vias):
            return made
        try:
            live = await read_there(session, kind, made.key.scope, made.key.name, made.id)
            return await _brought_to(session, live, spec, draft)
        except AgentError as error:
            error.add_note(f"{made.key} was made; what follows its create was not written, and apply() goes on with it")
            raise


async def apply(session: Session, draft: Draft) -> Seen:
    """Make it, or bring what is there to what the document says; nothing is sent where it is so already.

    What the document does not say stays as it is. Raises :class:`NotSupportedError` for runs, which are started.
    """
    kind, key = draft.kind, draft.key
    if kind.is_run:
        raise NotSupportedError(f"a {kind.name} is started, not applied", fix="create() starts one")
    with session.asking(Purpose.LOOK):
        try:
            live = await read_there(session, kind, key.scope, key.name)
        except ResourceNotFoundError:
            return await create(session, draft)
        spec = await _as_it_travels(session, draft, session.book(live.key))
        return await _brought_to(session, live, spec, draft)


async def save(session: Session, seen: Seen, item: Mapping[str, Any], *, whole: bool) -> Seen:
    """Write what a program changed in an object. ``seen`` is what was read, ``item`` what it is now.

    Reads first where only a part was read, or where the definition's write speaks of what is live; a member that
    somebody else changed too is then a ConflictError. ``whole``: what is not in ``item`` shall be gone, also what the
    platform does not show.
    """
    kind, key = seen.kind, seen.key
    operation = supports_save(kind)
    item, before = revealed(item), revealed(seen.item)
    edits = list(edits_between(before, item))
    if not edits:
        return seen
    with session.asking(Purpose.WRITE):
        if not seen.whole or operation.if_match or operation.carries:
            live = await read_there(session, kind, key.scope, key.name, seen.id)
            item, before = laid_over(edits, live.item, subject_text(kind, key)), live.item
            seen = live
        book = session.book(seen.key)
        fingerprinted(book, live_spec(book, item), session.secrets.fingerprint)  # so that the scrubber knows it
        check(book, seen.key, before, item, edits)
        hidden = may_hide(book, live_spec(book, item)) if operation.sends == "whole" and not whole else []
        if hidden:
            raise UsageError(
                f"{seen.key}: save() writes the whole object, and the platform does not show {', '.join(hidden)}",
                fix="set it, use apply() with the whole document, or save(whole=True) where nothing stands there",
            )
        vias = vias_of(book, before, item)
        body = body_of_save(book, operation, before, item)
        told = await _updated(session, seen, operation, body, before, bare=not _writes_more(book, before, item))
        for place, value in vias.items():
            await _send_via(session, seen, book, place, value)
        return Seen(kind, told.key, told.id, {**copy.deepcopy(dict(item)), **told.item}, whole=False)


async def delete(session: Session, kind: Kind, key: Key, server_id: str | None) -> None:
    """Take it away. Raises :class:`ResourceNotFoundError` where it is not there."""
    operation = operation_of(kind, "delete")
    must_say(kind, operation, key.scope)
    with session.asking(Purpose.WRITE):
        if "id" in operation.request.path_words and server_id is None:
            row = await find_row(session, kind, key.scope, key.name)
            key, server_id = Key(key.target, kind.name, row.scope, row.name), row.id
        await _sent(session, "delete", kind, key, server_id, None)


async def _brought_to(session: Session, live: Seen, spec: Mapping[str, Any], draft: Draft) -> Seen:
    """The update that makes a live object say what a document says, and the leaves with endpoints of their own."""
    kind, book, lifecycle = live.kind, session.book(live.key), draft.lifecycle
    fingerprint = session.secrets.fingerprint
    found = compare(
        book,
        fingerprinted(book, spec, fingerprint),
        None,
        fingerprinted(book, live_spec(book, live.item), fingerprint),
        types=Schema(kind.schema, kind.schema_path) if kind.schema is not None else None,
        ignore=lifecycle.ignore,
        create_only=lifecycle.create_only,
    )
    if found.immutable:
        names = ", ".join(f"`{each.path}`" for each in found.immutable)
        raise NotSupportedError(f"{live.key}: {names} cannot be changed in place", fix="delete it and create it anew")
    places = [split_pointer(each.pointer) for each in found.fields]
    seen = live
    if any(place not in book.vias for place in places):
        operation = supports_save(kind)
        erased = may_erase(book, live_spec(book, live.item), spec) if operation.sends == "whole" else []
        if erased:
            raise UsageError(
                f"{live.key}: the platform does not show {', '.join(erased)}, and a write of the whole would erase it",
                fix='say it in the document, such as {"secretRef": NAME}',
            )
        body = compose_update(
            book,
            spec,
            None,
            live.item,
            mark=None,
            keep=(*lifecycle.ignore, *lifecycle.create_only),
            named=top_level(kind.schema),
            only=changed(kind, {each.pointer for each in found.fields}, None),
        )
        seen = await _updated(session, live, operation, body, live.item)
    for place in places:
        if place in book.vias:
            await _send_via(session, live, book, place, value_at(spec, place))
    return Seen(kind, live.key, live.id, {**live.item, **seen.item}, whole=not places)


async def _updated(
    session: Session, seen: Seen, operation: Operation, body: Any, live: Mapping[str, Any], *, bare: bool = False
) -> Seen:
    """``bare``: only leaves with endpoints of their own changed, so that there is nothing to write here."""
    if bare:
        return Seen(seen.kind, seen.key, seen.id, {}, whole=False)
    kind, server_id = seen.kind, seen.id
    if "id" in operation.request.path_words and server_id is None:
        server_id = (await find_row(session, kind, seen.key.scope, seen.key.name)).id
    verb: Verb = "update" if kind.update is not None else "apply"
    around = Around(live=live, etag=seen.etag)
    reply = await _sent(session, verb, kind, seen.key, server_id, body, around)
    return seen_in(kind, seen.key, server_id, reply.item, whole=False)


def _writes_more(book: RuleBook, before: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    edits = edits_between(live_spec(book, before), live_spec(book, item))
    return any(edit.place not in book.vias for edit in edits)


async def _must_be_absent(session: Session, kind: Kind, key: Key) -> None:
    try:
        await read_there(session, kind, key.scope, key.name)
    except ResourceNotFoundError:
        return
    raise ResourceExistsError(f"{subject_text(kind, key)} is there already; nothing was sent")


async def _sent(
    session: Session,
    verb: Verb,
    kind: Kind,
    key: Key,
    server_id: str | None,
    body: Mapping[str, Any] | None,
    around: Around = NOTHING,
    rule: Operation | None = None,
) -> Reply:
    """Send, and send again only what was proved not to be done."""
    operation = rule or operation_of(kind, verb)
    parents = await session.relatives().parents(kind, operation, key)
    attempt = str(session.random.getrandbits(64)) if verb == "create" else ""
    around = Around(parents, around.live, around.etag, around.content, attempt)
    prepared = session.api.prepare(
        verb, kind, key, server_id, session.secrets.revealed(body) if body is not None else None, around, rule=rule
    )
    if prepared.refusal:
        raise UsageError(f"{subject_text(kind, key)}: {prepared.refusal}")
    for turn in range(_ATTEMPTS):
        with session.asking(Purpose.WRITE):
            reply = await session.api.send(prepared)
        if reply.answer not in _NOT_DONE or turn + 1 == _ATTEMPTS:
            break
        if reply.answer == "unreachable":
            await session.clock.sleep(session.random.uniform(0, _BACKOFF_SECONDS * 2 ** (turn + 1)))
    if reply.answer == "ok" or reply.answer in operation.tolerate:
        return reply
    error = error_for(reply, subject_text(kind, key))
    if isinstance(error, UnreadableAnswerError) and reply.landed == "yes":
        error.add_note("the platform took the write")
    raise error


async def _send_via(session: Session, seen: Seen, book: RuleBook, place: Place, value: Any) -> None:
    """A leaf that has an endpoint for each of its values."""
    endpoint = (book.vias[place] or {}).get(canonical(value).decode()) if value is not MISSING else None
    if endpoint is None:
        raise UsageError(f"no call of {seen.kind.name} sets `{'.'.join(place)}` to {value!r}")
    await _sent(
        session,
        "update",
        seen.kind,
        seen.key,
        seen.id,
        None,
        Around(live=seen.item),
        Operation(endpoint[0], endpoint[1]),
    )


async def _as_it_travels(session: Session, draft: Draft, book: RuleBook) -> Mapping[str, Any]:
    """The spec with names as ids, and files as what they became; uploads happen here."""
    fingerprinted(book, draft.spec, session.secrets.fingerprint)  # what stands in clear is known to the scrubber now
    if not book.elsewhere:
        return draft.spec
    wires: dict[str, dict[str, Any]] = {}
    relatives = session.relatives()
    for pointer, ref, name in references_in(book, draft.spec):
        words = {word.word for word in session.platform.kinds[ref.kind].scope}
        scope = tuple(pair for pair in draft.key.scope if pair[0] in words)
        key = Key(session.target, ref.kind, scope, name)
        wires.setdefault(pointer, {})[name] = await relatives.member(key, ref.member or "")
    for pointer, upload, path in files_in(book, draft.spec):
        if path not in wires.setdefault(pointer, {}):
            wires[pointer][path] = await _uploaded(session, draft, upload, path)
    return wired(book, draft.spec, wires)


async def _uploaded(session: Session, draft: Draft, upload: Upload, path: str) -> Any:
    try:
        content = (draft.folder / path).read_bytes()
    except OSError as error:
        raise UsageError(f"{draft.folder / path}, to be uploaded, cannot be read: {error.strerror}") from error
    file = {"name": path.rpartition("/")[2], "base64": base64.b64encode(content).decode()}
    prepared = session.api.built(lambda requests: requests.uploading(upload, draft.kind, draft.key, file))
    reply = await session.api.send(prepared)
    reply = replace(reply, message=without_echo(reply.message, content))
    value = upload.value.search(reply.body) if reply.answer == "ok" else None
    if reply.answer != "ok":
        raise error_for(reply, f"the upload of {path}")
    if value is None:
        raise UnreadableAnswerError(f"the upload of {path}: the answer does not say what the file is called now")
    return value


def _named_run(book: RuleBook, body: dict[str, Any], name: str) -> dict[str, Any]:
    """A kind whose mark holds the name has no other place for it; without a mark the name stands there alone."""
    mark = book.kind.mark
    if mark is not None and "(?P<name>" in mark.pattern and not mark.in_list:
        place = split_pointer(mark.pointer)
        return {**body, place[0]: name} if len(place) == 1 else body
    return body

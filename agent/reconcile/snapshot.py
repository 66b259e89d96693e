"""Live as a document: what a target's objects are like, without a secret, so that others can plan without looking.

Called by the command line for ``snapshot`` and ``diff --snapshot``. What git does not write of an object is kept as a
keyed hash, as a secret is: who may read the snapshot reads no more than git and the plan would tell. Pure but for the
store that is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from agent.errors import AgentError, Refused
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Absent, Observation, Present, Stray, Unknown
from agent.model.suspension import Suspension
from agent.plan.elements import identifying, merged
from agent.plan.normalize import FINGERPRINT, is_fingerprint
from agent.plan.rules import Place, RuleBook, pattern_of
from agent.reconcile.looking import Look
from agent.reconcile.picture import Group, Picture, group_of
from agent.reconcile.target import Target
from agent.report.values import utc

FORMAT = "datakeel.snapshot/1"

_ROW = ("uid", "server_id", "proof", "applied_digest", "definition", "in_sync", "health", "seen_at", "protect")
_ORIGIN = ("origin_path", "origin_line", "revision")


def snapshot_of(target: Target, seen: Look, now: float) -> dict[str, Any]:
    """One target's part of a snapshot, from a look at all of it."""
    rows, applied = seen.ground.rows, target.store.applied(seen.ground.rows)
    objects, gone, unread = [], [], []
    for key, there in sorted(seen.observed.observations.items()):
        if isinstance(there, Absent):
            gone.append(_key(key))
            continue
        if isinstance(there, Present):
            there = _written_form(target, seen, key, there, applied.get(key, {}))
        if isinstance(there, Unknown):
            unread.append([_key(key), there.code, there.message])
            continue
        assert isinstance(there, Present)
        objects.append(
            {
                "key": _key(key),
                "live": there.live,
                "id": there.id,
                "owner": there.owner,
                "health": there.health,
                "seen_at": _whole(there.seen_at),
                "content": there.content,
                "row": _row(rows[key]) if key in rows else None,
                "applied": applied.get(key),
            }
        )
    return {
        "name": target.name,
        "platform": target.platform.api_version,
        "definition": target.platform.digest,
        "system": dict(target.fingerprint()),
        "taken_at": int(now),
        "complete": seen.observed.complete,
        "objects": objects,
        "gone": gone,
        "unread": unread,
        "lists": sorted(_lists(target, seen)),
        "strays": [[*_key(stray.key), stray.health] for stray in seen.observed.strays],
        "suspended": [asdict(each) for each in seen.ground.policy.suspended],
        "secrets": dict(_secrets(target)),
    }


def picture_in(part: Mapping[str, Any], target: Target) -> Picture:
    """The part as a picture, its inventory assumed by the target's store. Refused when it is of another system."""
    system, ours = part["system"], dict(target.fingerprint())
    if system != ours:
        changed = sorted(word for word in {*system, *ours} if system.get(word) != ours.get(word))
        raise Refused(
            f"the snapshot of target {target.name} is of another system: {', '.join(changed)} differ",
            code="snapshot-refused",
            fix="take a snapshot by the configuration that the plan is made with",
        )
    if part["definition"] != target.platform.digest:
        raise Refused(
            f"the snapshot of target {target.name} was taken by another version of its definition",
            code="snapshot-outdated",
            fix="take it again",
        )
    seen: dict[Key, Observation] = {_key_of(target, key): Absent("lists", part["taken_at"]) for key in part["gone"]}
    seen |= {_key_of(target, key): Unknown(code, message) for key, code, message in part["unread"]}
    rows, applied = [], {}
    for each in part["objects"]:
        key = _key_of(target, each["key"])
        words = {word: each[word] for word in ("id", "owner", "health", "seen_at", "content")}
        seen[key] = Present(each["live"], **words)
        if each["row"] is not None:
            rows.append(InventoryRow(key, **each["row"]))
        if each["applied"] is not None:
            applied[key] = each["applied"]
    target.store.assume(rows, applied)
    return Picture(
        seen,
        f"a snapshot of live, taken at {utc(part['taken_at'])}",
        frozenset(_group(each) for each in part["lists"]),
        tuple(Stray(_key_of(target, each[:3]), health=each[3]) for each in part["strays"]),
        part["complete"],
        part["taken_at"],
        tuple(Suspension(**each) for each in part["suspended"]),
    )


def _written_form(
    target: Target, seen: Look, key: Key, there: Present, applied: Mapping[str, Any]
) -> Present | Unknown:
    """The observation with ``live`` as plans compare it. What was not read in this pass is as it was last written."""
    row, resource = seen.ground.rows.get(key), seen.desired.resources.get(key)
    if target.platform.kinds[key.kind].is_run:
        return replace(there, kept=None)  # what a run was started from is in the row, and nothing else is compared
    live = there.live
    if live is None:
        known = row is not None and row.in_sync and "spec" in applied
        if not known:
            return Unknown("not-read", "its content was not read when the snapshot was taken")
        return replace(there, kept=applied["spec"], owner=there.owner or (row.uid if row is not None else None))
    try:
        written = seen.ground.written(resource) if resource is not None else applied.get("spec", {})
        live = seen.ground.seen(key, live)
    except AgentError as error:
        return Unknown("secret-unavailable", error.what)
    book = target.books.of(key)
    return replace(there, kept=_redacted(book, live, written, (), lambda value: target.secrets.masked(value)[:24]))


def _redacted(book: RuleBook, live: Any, written: Any, place: Place, hide: Callable[[Any], str]) -> Any:
    """Live, with what git does not write of it as keyed hashes."""
    if is_fingerprint(live) or is_fingerprint(written):
        return live
    if isinstance(live, Mapping) and isinstance(written, Mapping):
        return {
            name: _redacted(book, member, written[name], (*place, name), hide)
            if name in written
            else _hidden(member, hide)
            for name, member in live.items()
        }
    if isinstance(live, list) and isinstance(written, list):
        return _redacted_list(book, live, written, place, hide)
    return live if not isinstance(live, Mapping | list) or not live else _hidden(live, hide)


def _redacted_list(
    book: RuleBook, live: list[Any], written: list[Any], place: Place, hide: Callable[[Any], str]
) -> Any:
    rule = book.at(pattern_of(place)).list
    names = rule if isinstance(rule, tuple) else identifying(live, written)
    found = []
    any_of_them = merged(written)
    for index, member in enumerate(live):
        inside = (*place, str(index))
        if names is not None and isinstance(member, Mapping):
            same = (each for each in written if all(each.get(name) == member.get(name) for name in names))
            twin = next(same, {name: member.get(name) for name in names})
            found.append(_redacted(book, member, twin, inside, hide))
        elif isinstance(member, Mapping | list):
            # Where nothing names an element it may have moved: a plan tells of it what git writes of any of them.
            found.append(_redacted(book, member, any_of_them, inside, hide))
        else:
            found.append(member if rule != "set" or member in written else _hidden(member, hide))
    return found


def _hidden(value: Any, hide: Callable[[Any], str]) -> Any:
    return value if value is None or is_fingerprint(value) else {FINGERPRINT: hide(value)}


def _lists(target: Target, seen: Look) -> Iterator[Any]:
    """The lists that were read whole: what they lacked was not there."""
    if not seen.observed.complete or seen.observed.partial:
        return
    groups = set()
    for key in seen.observed.observations:
        kind = target.platform.kinds.get(key.kind)
        if kind is not None and kind.list is not None and kind.list.complete:
            groups.add(group_of(key, kind))
    yield from ([kind, [list(pair) for pair in scope]] for kind, scope in groups)


def _secrets(target: Target) -> Iterator[tuple[str, str]]:
    for name in sorted(target.config.secrets):
        try:
            yield name, target.secrets.fingerprint({"secretRef": name})
        except AgentError:
            continue  # a check tells it apart by its name then


def _row(row: InventoryRow) -> dict[str, Any]:
    words = {word: getattr(row, word) for word in (*_ROW, *_ORIGIN)}
    return words | {"seen_at": _whole(row.seen_at)}


def _whole(moment: float | None) -> int | None:
    """Whole seconds, which a document keeps exactly."""
    return None if moment is None else int(moment)


def _key(key: Key) -> list[Any]:
    return [key.kind, [list(pair) for pair in key.scope], key.name]


def _key_of(target: Target, words: Any) -> Key:
    kind, scope, name = words
    return Key(target.name, kind, tuple((word, text) for word, text in scope), name)


def _group(words: Any) -> Group:
    kind, scope = words
    return kind, tuple((word, text) for word, text in scope)

"""Calls that a person asks for: actions of a kind, queries, series of metrics. Called by ``cli/asking`` and ``apply``.

What reads is sent here, tried again like any read; what changes something is only built here, and sent by
``apply/actions`` once it is journalled. An action may need more than a name: :func:`subject_of` finds the id, the live
object and the parents that its words speak of, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from agent.definitions.expressions import PathTemplate, Template
from agent.definitions.platform import ActionRule, Kind, LogRule, MetricRule
from agent.definitions.scope import list_words
from agent.errors import LiveError, NotFound
from agent.live.answers import error_of, printable
from agent.live.api import Prepared, ReadApi, Reply, Row
from agent.live.purpose import Purpose
from agent.live.rows import id_of
from agent.model.identity import Key

_LABEL_MAX = 200
_POINTS_MAX = 100_000
_MILLISECONDS_FROM = 10**11  # an epoch in seconds reaches this in the year 5138
_MOMENT_MAX = 10**14


@dataclass(frozen=True, slots=True)
class Subject:
    """The object that a call is about. ``live`` and ``parents`` are read only where the call's words need them."""

    kind: Kind
    key: Key
    server_id: str | None = None
    live: Mapping[str, Any] | None = None
    parents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    spec: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One value. ``time`` is epoch seconds, None where the platform's word for it is not understood."""

    time: float | None
    value: Decimal | None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """Values over time, oldest first, with the labels that the definition names. Safe to print."""

    labels: Mapping[str, str]
    points: tuple[Point, ...]


def only_reads(rule: ActionRule) -> bool:
    """Whether a call changes nothing: then it needs no journal and no question."""
    return rule.reads or rule.method in ("GET", "HEAD")


def words_of(rule: ActionRule | LogRule | MetricRule) -> frozenset[str]:
    """The dotted words that a call's line and body hold."""
    if isinstance(rule, LogRule):
        lines: tuple[PathTemplate | Template | None, ...] = (rule.request, rule.websocket)
    else:
        lines = (rule.request, rule.body if isinstance(rule, ActionRule) else None)
    return frozenset(word for line in lines if line is not None for word in line.words)


async def subject_of(
    api: ReadApi, kind: Kind, key: Key, rule: ActionRule | LogRule | MetricRule, server_id: str | None = None
) -> Subject:
    """What the call needs to know of its object. Raises LiveError when it is not found, or more than one is meant."""
    words = words_of(rule)
    roots = {word.partition(".")[0] for word in words}
    subject = Subject(kind, key, server_id)
    if "live" in roots or (isinstance(rule, ActionRule) and rule.done is not None):
        live = await live_of(api, kind, key, server_id)
        subject = replace(subject, live=live, server_id=id_of(kind, live) or server_id)
    elif "id" in roots and server_id is None:
        subject = replace(subject, server_id=(await _row(api, kind, key)).id)
    parents = {}
    for word in kind.scope:
        wanted = any(each.startswith(f"{word.word}.") for each in words)
        name = dict(key.scope).get(word.word)
        if wanted and name is not None and word.kind is not None:
            parent = api.platform.kinds[word.kind]
            known = dict(key.scope)
            scope = tuple((each.word, known[each.word]) for each in parent.scope if each.word in known)
            parents[word.word] = await live_of(api, parent, Key(key.target, parent.name, scope, name), None)
    return replace(subject, parents=parents)


def prepare(api: ReadApi, rule: ActionRule, args: Mapping[str, Any], subject: Subject | None = None) -> Prepared:
    """The exact call; with a ``refusal`` when it cannot be built safely."""
    if subject is None:
        return api.built(lambda requests: requests.asking(rule, args))
    known = {"parents": subject.parents, "live": subject.live, "spec": subject.spec}
    return api.built(
        lambda requests: requests.asking(rule, args, subject.kind, subject.key, subject.server_id, **known)
    )


async def ask(api: ReadApi, rule: ActionRule, args: Mapping[str, Any], subject: Subject | None = None) -> Any:
    """Send a call that only reads and return its result. Raises LiveError."""
    reply = await api.fetch(prepare(api, rule, args, subject))
    if reply.answer != "ok":
        raise error_of(reply)
    return result_of(rule, reply)


def result_of(rule: ActionRule, reply: Reply) -> Any:
    """The part of the answer that is for people."""
    return reply.item if rule.result is None else rule.result.search(reply.body)


async def series_of(api: ReadApi, subject: Subject, args: Mapping[str, Any]) -> tuple[Series, ...]:
    """The series of one metric, at most 100,000 points of each. Raises LiveError."""
    rule = subject.kind.metrics
    if rule is None:
        raise LiveError(f"{subject.kind.name} has no metrics")
    prepared = api.built(
        lambda requests: requests.evidence(
            subject.kind, rule.request, subject.key, subject.server_id, args, parents=subject.parents
        )
    )
    reply = await api.fetch(prepared, Purpose.LOGS)
    if reply.answer != "ok":
        raise error_of(reply)
    found = rule.series.search(reply.body)
    if isinstance(found, Mapping):
        found = [found]
    if not isinstance(found, list):
        raise error_of(replace(reply, answer="broken", message="no list of series where one is due"))
    return tuple(_series(rule, one) for one in found)


async def live_of(api: ReadApi, kind: Kind, key: Key, server_id: str | None) -> Mapping[str, Any]:
    """The object itself, or its row where one object cannot be read; found by its name where no id is known.

    Raises LiveError when it is not found, or more than one has the name.
    """
    needs_id = kind.get is not None and "id" in kind.get.request.path_words
    if kind.get is None or (needs_id and server_id is None):
        row = await _row(api, kind, key)
        if kind.get is None:
            return row.item
        server_id = row.id
    reply = await api.get(kind, key, server_id, Purpose.LOOK)
    if reply.answer != "ok" or not isinstance(reply.item, Mapping):
        raise error_of(reply)
    return reply.item


async def _row(api: ReadApi, kind: Kind, key: Key) -> Row:
    """The one row of the kind's list that has this name in this scope."""
    if kind.list is None:
        raise LiveError(f"{key} cannot be looked for: {kind.name} has no list")
    named = list_words(kind)
    listing = await api.list(kind, tuple(pair for pair in key.scope if pair[0] in named), Purpose.LOOK)
    rows = [row for row in listing.rows if row.name == key.name and set(key.scope) <= set(row.scope)]
    if len(rows) == 1:
        return rows[0]
    if rows:
        ids = ", ".join(printable(row.id or "one without an id", 80) for row in rows[:10])
        raise LiveError(f"{len(rows)} objects are named {key}: {ids}", fix="choose one by --id")
    if not listing.complete:
        raise LiveError(f"{key} was not found, and the list is not whole: {listing.why}")
    raise NotFound(f"{key} is not among the {len(listing.rows)} objects of its list")


def _series(rule: MetricRule, one: Any) -> Series:
    labels = {}
    for name, expression in rule.labels.items():
        value = expression.search(one)
        if value is not None:
            labels[name] = printable(str(value), _LABEL_MAX)
    points = rule.points.search(one)
    read = [_point(each) for each in (points if isinstance(points, list) else [])[:_POINTS_MAX]]
    timed = all(point.time is not None for point in read)
    return Series(labels, tuple(sorted(read, key=lambda point: point.time or 0.0) if timed else read))


def _point(one: Any) -> Point:
    if not isinstance(one, Mapping):
        return Point(None, _number(one))
    unit = one.get("unit")
    return Point(_moment(one.get("time")), _number(one.get("value")), printable(unit, 40) if unit else "")


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def _moment(value: Any) -> float | None:
    """Epoch seconds or milliseconds, or ISO 8601; without an offset it is UTC."""
    number = _number(value)
    if number is not None:
        if abs(number) > _MOMENT_MAX:
            return None
        return float(number / 1000 if abs(number) >= _MILLISECONDS_FROM else number)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()

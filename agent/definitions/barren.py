"""Expressions that find nothing in a sample answer: JMESPath gives null for a typo, and a sample shows it.

Called by ``lint-platform`` for a definition that has loaded. The loader has seen that the first word of each
expression occurs; here each is carried out on every sample of what it is meant for. Reads nothing: bodies are handed
in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from agent.definitions.expressions import Expression
from agent.definitions.platform import Kind, Platform, Position

_WRITES = ("create", "apply", "update")


class Barren(NamedTuple):
    """An expression that found nothing: the kind (None at the top), the words that lead to it, and its text."""

    kind: str | None
    words: tuple[str, ...]
    source: str | None


def barren(platform: Platform, stem: str, body: Any) -> Iterator[Barren]:
    """What finds nothing in one sample; ``stem`` is its file name without the ending, which says what answered so."""
    subject, _, rest = stem.partition(".")
    what = rest.partition(".")[0]
    if subject.isdigit():
        yield from _of_failure(platform, int(subject), body)
    elif subject in platform.kinds:
        yield from _of_kind(platform, platform.kinds[subject], what, body)
    elif subject in platform.queries:
        yield from _finds(platform.queries[subject].result, body, None, "queries", subject, "result")
    elif subject == "event":
        yield from _of_event(platform, body)
    elif subject == "login":
        for scheme in platform.auth:
            if scheme.login is not None:
                for word in ("token", "lasts", "until"):
                    yield from _finds(getattr(scheme.login, word), body, None, "auth", scheme.name, word)
    elif subject == "upload":
        for kind in platform.kinds.values():
            for rule in kind.fields:
                if rule.upload is not None:
                    words = ("fields", rule.pointer, "upload", "value")
                    yield from _finds(rule.upload.value, body, kind.name, *words)


def _of_failure(platform: Platform, status: int, body: Any) -> Iterator[Barren]:
    yield from _finds(platform.errors.message, body, None, "errors", "message")
    if status != 401:  # a gateway often answers it, and knows no code
        yield from _finds(platform.errors.code, body, None, "errors", "code")
    if status == 429:
        yield from _finds(platform.budget.retry_after, body, None, "budget", "retryAfter")


def _of_kind(platform: Platform, kind: Kind, what: str, body: Any) -> Iterator[Barren]:
    if what == "list" and kind.list is not None:
        yield from _of_list(kind, body)
    elif what == "get" or what in _WRITES:
        operation = getattr(kind, what)
        expression = (operation.item if operation is not None else None) or platform.response.item
        item = expression.search(body) if expression is not None else body
        if not isinstance(item, Mapping):
            yield Barren(kind.name, (what, "item"), _text(expression))
        elif what == "get":
            yield from _finds(kind.id, item, kind.name, "id")
            yield from _conditions(kind, item)
    elif what == "logs" and kind.logs is not None:
        yield from _of_logs(kind, body)
    elif what == "metrics" and kind.metrics is not None:
        series = kind.metrics.series.search(body)
        for one in series if isinstance(series, list) and series else [None]:
            yield from _finds(kind.metrics.points, one, kind.name, "metrics", "points")
            for name, label in kind.metrics.labels.items():
                yield from _finds(label, one, kind.name, "metrics", "labels", name)
    elif what in kind.actions:
        yield from _finds(kind.actions[what].result, body, kind.name, "actions", what, "result")


def _of_list(kind: Kind, body: Any) -> Iterator[Barren]:
    assert kind.list is not None
    rows = kind.list.items.search(body) if kind.list.items is not None else body
    if not isinstance(rows, list) or not rows:
        yield Barren(kind.name, ("list", "items"), _text(kind.list.items))
        return
    for row in rows:
        for word in ("key", "id"):
            yield from _finds(getattr(kind, word), row, kind.name, word)
    yield from _conditions(kind, rows[0])
    for word in ("total", "pages"):
        yield from _position(getattr(kind.list.pages, word), body, kind.name, word)


def _of_logs(kind: Kind, body: Any) -> Iterator[Barren]:
    assert kind.logs is not None
    rule = kind.logs
    lines = rule.lines.search(body)
    if not isinstance(lines, list):
        yield Barren(kind.name, ("logs", "lines"), _text(rule.lines))
    elif lines:
        for word in ("time", "level", "text", "source"):
            yield from _finds(getattr(rule, word), lines[0], kind.name, "logs", "line", word)
    elif rule.status is not None:
        yield from _finds(rule.status, body, kind.name, "logs", "status")


def _of_event(platform: Platform, body: Any) -> Iterator[Barren]:
    taken = False
    for number, rule in enumerate(platform.events):
        if rule.when.holds(body):
            taken = True
            for expression in (*rule.with_.values(), *rule.metadata.values(), rule.id):
                yield from _finds(expression, body, None, "events", str(number))
    if not taken:
        yield Barren(None, ("events",), None)


def _conditions(kind: Kind, item: Any) -> Iterator[Barren]:
    """A condition must come to a verdict: null is what a misspelt member gives."""
    for word in ("ready", "failed"):
        condition: Expression | None = getattr(kind, word)
        if condition is not None and not isinstance(condition.search(item), bool):
            yield Barren(kind.name, (word,), _text(condition))


def _position(position: Position | None, body: Any, kind: str, word: str) -> Iterator[Barren]:
    if position is not None:
        yield from _finds(position.body, body, kind, "list", "pages", word)


def _finds(expression: Expression | None, value: Any, kind: str | None, *words: str) -> Iterator[Barren]:
    if expression is not None and expression.search(value) is None:
        yield Barren(kind, words, _text(expression))


def _text(expression: Expression | None) -> str | None:
    return expression.source if expression is not None else None

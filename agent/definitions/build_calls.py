"""From parsed words to calls: operations, pages, actions, logs, metrics, uploads.

Called by ``build_kinds.py`` and ``build_platform.py`` after inheritance. Pure translation: defaults are applied here,
and what does not fit together is reported by the checks, not here. An operation that twenty kinds inherit is built
once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from agent.definitions.expressions import Expression, PathTemplate, Template
from agent.definitions.places import BAD, Leaf, Words, get
from agent.definitions.platform import (
    ActionRule,
    Codec,
    Exists,
    LogRule,
    MetricRule,
    Operation,
    Pages,
    Position,
    ResponseRule,
    Upload,
)
from agent.definitions.shapes import Request

_NOWHERE = Request("GET", PathTemplate("/"))


class CallBuilder:
    """Builds calls with the platform's defaults for ``response`` and ``pages``."""

    def __init__(self, response: ResponseRule, pages: Pages) -> None:
        self._response = response
        self._pages = pages
        self._built: dict[tuple[str, int], tuple[Leaf, Operation]] = {}

    def operation(self, name: str, leaf: Leaf | None) -> Operation | None:
        """One of the six operations of a kind; None where it is absent."""
        if leaf is None or not isinstance(leaf.value, dict):
            return None
        key = (name, id(leaf))
        if key not in self._built:
            self._built[key] = (leaf, self._operation(name, leaf.value))
        return self._built[key][1]

    def _operation(self, name: str, words: Words) -> Operation:
        request: Request = get(words, "request", _NOWHERE)
        lists = name == "list"
        return Operation(
            method=request.method,
            request=request.template,
            codec=get(words, "as", "json"),
            accept=codecs(words),
            headers=values(get(words, "headers", {})),
            body=get(words, "body"),
            item=get(words, "item") or (None if lists else self._response.item),
            tolerate=frozenset(leaf.value for leaf in get(words, "tolerate", [])),
            reads=get(words, "reads", False),
            careful=get(words, "careful"),
            unverified=get(words, "unverified"),
            items=(get(words, "items") or self._response.items) if lists else None,
            holds=get(words, "holds", "full"),
            revision=get(words, "revision"),
            complete=get(words, "complete", True),
            pages=(pages(words["pages"]) if get(words, "pages") is not None else self._pages) if lists else Pages(),
            adds=get(words, "adds"),
            exists=_refusal(get(words, "exists")) or Exists(),
            in_use=_refusal(get(words, "inUse")),
            idempotency=get(words, "idempotency"),
            sends=get(words, "sends", "whole"),
            carries=tuple(leaf.value for leaf in get(words, "carries", [])),
            if_match=get(words, "ifMatch", False),
        )


def values(leaves: Words) -> dict[str, Any]:
    """The values of a map of leaves, without what was removed or reported."""
    return {name: leaf.value for name, leaf in leaves.items() if leaf.value is not None and leaf.value is not BAD}


def codecs(words: Words) -> tuple[Codec, ...]:
    """``accept`` in order of preference; JSON unless said."""
    return tuple(leaf.value for leaf in get(words, "accept", [])) or ("json",)


def pages(leaf: Leaf | None) -> Pages:
    """``pages`` of the platform or of a list."""
    words = leaf.value if leaf is not None else None
    if not isinstance(words, dict):
        return Pages()
    by: Literal["page", "offset", "cursor", "link"] = get(words, "by", "page")
    return Pages(
        by=by,
        at=get(words, "at"),
        size=get(words, "size"),
        ask=get(words, "ask"),
        first=get(words, "first", 1),
        total=_position(get(words, "total")),
        pages=_position(get(words, "pages")),
        next=_position(get(words, "next")),
        more=_position(get(words, "more")),
        short=get(words, "short", False),
    )


def _position(value: Any) -> Position | None:
    if isinstance(value, dict):
        header = get(value, "header")
        return Position(header=header.lower()) if header else None
    return Position(body=value) if value is not None else None


def _refusal(value: Any) -> Exists | None:
    if value is None:
        return None
    if isinstance(value, dict):
        statuses = frozenset(leaf.value for leaf in get(value, "status", []))
        return Exists(statuses, get(value, "when"))
    return Exists(frozenset(leaf.value for leaf in value))


def action(name: str, words: Words) -> ActionRule:
    """An action of a kind, or a query of the platform."""
    request: Request = get(words, "request", _NOWHERE)
    return ActionRule(
        name=name,
        method=request.method,
        request=request.template,
        codec=get(words, "as", "json"),
        accept=codecs(words),
        body=get(words, "body"),
        args=values(get(words, "args", {})),
        result=get(words, "result"),
        done=get(words, "done"),
        reads=get(words, "reads", False),
        careful=get(words, "careful"),
        unverified=get(words, "unverified"),
    )


def logs(words: Words) -> LogRule | None:
    """``logs`` of a kind; None where its lines could not be read."""
    lines: Expression | None = get(words, "lines")
    if lines is None:
        return None
    request: Request | None = get(words, "request")
    line = get(words, "line", {})
    return LogRule(
        request=request.template if request else None,
        websocket=get(words, "websocket"),
        args=values(get(words, "args", {})),
        lines=lines,
        time=get(line, "time"),
        level=get(line, "level"),
        text=get(line, "text"),
        source=get(line, "source"),
        status=get(words, "status"),
        every_seconds=get(words, "every"),
    )


def metrics(words: Words) -> MetricRule | None:
    """``metrics`` of a kind; None where a part could not be read."""
    request: Request | None = get(words, "request")
    series: Expression | None = get(words, "series")
    points: Expression | None = get(words, "points")
    if request is None or series is None or points is None:
        return None
    arguments: Mapping[str, Any] = values(get(words, "args", {}))
    return MetricRule(request.template, arguments, series, points, values(get(words, "labels", {})))


def upload(words: Words) -> Upload | None:
    """``upload`` of a field; None where its result could not be read."""
    value: Expression | None = get(words, "value")
    if value is None:
        return None
    request: Request = get(words, "request", _NOWHERE)
    body: Template | None = get(words, "body")
    return Upload(request.method, request.template, get(words, "as", "json"), body, value)

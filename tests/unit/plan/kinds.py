"""Kinds made by hand for tests of the planner: no platform's definition is needed to decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.definitions.expressions import Expression, PathTemplate, Template
from agent.definitions.platform import (
    BudgetRule,
    ErrorRule,
    FieldRule,
    Kind,
    Mark,
    Operation,
    Platform,
    ResponseRule,
    ScopeWord,
)
from agent.model.identity import Key
from agent.plan.rules import RuleBook

MARK = Mark(
    pointer="/tags",
    text=Template("owner.${target}/${uid}"),
    read="/tags",
    pattern=r"owner\.(?P<target>[^/]+)/(?P<uid>[a-z0-9]{12})",
    in_list=True,
)


def operation(method: str, path: str, **words: Any) -> Operation:
    return Operation(method, PathTemplate(path), **words)


def thing(**words: Any) -> Kind:
    """A kind with every operation, marks in ``/tags``, readiness and the fields given."""
    settings: dict[str, Any] = {
        "name": "Thing",
        "with_": {},
        "scope": (ScopeWord("room"),),
        "headers": {},
        "key": Expression("name"),
        "mark": MARK,
        "list": operation("GET", "/things?room={room}", holds="summary"),
        "get": operation("GET", "/things/{name}?room={room}"),
        "create": operation("POST", "/things"),
        "update": operation("PUT", "/things/{name}?room={room}"),
        "delete": operation("DELETE", "/things/{name}?room={room}"),
        "ready": Expression("status == 'active'"),
        "settle_seconds": 15.0,
        "fields": (FieldRule("/tags", list="set", own="listed"),),
        "schema": {"type": "object"},
    }
    return Kind(**(settings | words))


def platform(*kinds: Kind) -> Platform:
    return Platform(
        name="made-up",
        version="v1",
        folder="",
        digest="d" * 32,
        bundled=True,
        server="https://made-up.example",
        settings={},
        base=None,
        auth=(),
        probe=None,
        request_headers={},
        request_query={},
        request_body={},
        request_bytes_max=None,
        response=ResponseRule(),
        errors=ErrorRule(),
        budget=BudgetRule(),
        openapi=None,
        native=(),
        events=(),
        kinds={kind.name: kind for kind in kinds},
        queries={},
    )


def key(name: str, kind: str = "Thing") -> Key:
    return Key("main", kind, (("room", "blue"),), name)


def book(*fields: FieldRule, scope: Mapping[str, str] | None = None) -> RuleBook:
    return RuleBook(thing(fields=fields), scope or {})

"""The closed vocabulary of ``platform.yaml``, as data: each word, and the shape of its value.

``load.py`` reads a file through ``DEFINITION``; ``schemas/platform.schema.json`` says the same to editors, and a test
keeps the two equal. What must fit together across words is checked in ``check.py``. Adding a word: a line here, a
member of a dataclass in ``platform.py``, a line in ``build_kinds.py`` or ``build_platform.py``.
"""

from __future__ import annotations

import re
from typing import get_args

from agent.definitions.maps import Either, ListOf, Named, WordMap
from agent.definitions.platform import Answer, Codec, CompareWord, Replace
from agent.definitions.shapes import (
    HEADER,
    Anything,
    Body,
    Duration,
    Flag,
    Jmes,
    Line,
    OneOf,
    PathLine,
    Pointer,
    RawMap,
    Regex,
    Scalar,
    Shape,
    Text,
    Whole,
    pointer_fault,
)

FORMAT = 1
"""The newest version of this vocabulary that the agent knows."""

CONTEXT = (
    *("name", "id", "spec", "live", "with", "settings", "args", "file"),
    *("target", "uid", "content", "secret", "token", "parents"),
)
"""Names that a placeholder can use beside the scope words, hence names that a scope word may not have."""

MERGED_BY_NAME = frozenset({"kinds", "settings", "fields", "actions", "queries"})
ANSWERS: tuple[str, ...] = get_args(Answer)
CODECS: tuple[str, ...] = get_args(Codec)

KIND_NAME = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
WORD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
PLATFORM_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
VERSION_NAME = re.compile(r"v[0-9]+[a-z0-9]*")


def _scope_fault(word: str) -> str | None:
    return f"`{word}` is a name of the context and cannot be a scope word" if word in CONTEXT else None


_schema = RawMap("a JSON Schema", "{type: string}")
_reason = Text("a sentence that says why")
_kind = Text("the name of a kind, such as Workflow", KIND_NAME)
_codecs = ListOf(OneOf(CODECS), single=True)
_header = Text("the name of a header", HEADER)
_headers = Named("the name of a header", Body(text=True), HEADER)
_arguments = Named("the name of an argument", _schema, WORD_NAME)
_position = Either(Jmes(), WordMap("the place in an answer", {"header": _header}, ("header",)))
_members = ListOf(Text("the name of a member"), single=True)
_selections = Named("a word of metadata", Jmes(), WORD_NAME)

PAGES = WordMap(
    "pages",
    {
        "by": OneOf(("page", "offset", "cursor", "link")),
        "at": Text("the name of a parameter"),
        "size": Text("the name of a parameter"),
        "ask": Whole(1, 100_000),
        "first": Whole(0, 1),
        "total": _position,
        "pages": _position,
        "next": _position,
        "more": _position,
        "short": Flag(),
    },
    ("by",),
)
_pages = Either(OneOf(("none",)), PAGES)

_any_call: dict[str, Shape] = {
    "request": Line(),
    "as": OneOf(CODECS),
    "accept": _codecs,
    "headers": _headers,
    "body": Body(),
    "item": Jmes(),
    "tolerate": ListOf(OneOf(ANSWERS), single=True),
    "reads": Flag(),
    "careful": _reason,
    "unverified": _reason,
}
_status = Whole(100, 599)
_refused = Either(
    map=WordMap("a refusal", {"status": ListOf(_status, single=True), "when": Jmes()}, ("status",)),
    other=ListOf(_status, single=True),
)
_sending: dict[str, Shape] = {
    "sends": OneOf(("whole", "changes", "merge")),
    "carries": ListOf(Pointer()),
    "ifMatch": Flag(),
}
OPERATIONS: dict[str, WordMap] = {
    "list": WordMap(
        "list",
        _any_call
        | {
            "items": Jmes(),
            "holds": OneOf(("full", "summary")),
            "revision": Jmes(),
            "complete": Flag(),
            "pages": _pages,
        },
        ("request",),
    ),
    "get": WordMap("get", _any_call, ("request",)),
    "create": WordMap("create", _any_call | {"adds": Body(), "exists": _refused, "idempotency": _header}, ("request",)),
    "apply": WordMap("apply", _any_call | {"adds": Body()} | _sending, ("request",)),
    "update": WordMap("update", _any_call | {"adds": Body()} | _sending, ("request",)),
    "delete": WordMap("delete", _any_call | {"inUse": _refused}, ("request",)),
}

FIELD = WordMap(
    "a field",
    {
        "read": Pointer(),
        "write": Pointer(),
        "readOnly": Flag(),
        "writeOnly": Flag(),
        "secret": Flag(),
        "mask": Regex(),
        "immutable": Flag(),
        "list": Either(OneOf(("ordered", "set")), WordMap("a keyed list", {"key": _members}, ("key",))),
        "own": OneOf(("all", "listed")),
        "compare": OneOf(get_args(CompareWord)),
        "values": RawMap("a map from the value as written to that on the wire", "{fast: 1}"),
        "encode": OneOf(("base64", "json", "yaml", "lines", "env")),
        "ref": Text("Kind or Kind.member", re.compile(rf"{KIND_NAME.pattern}(?:\.[A-Za-z_][A-Za-z0-9_.]*)?")),
        "upload": WordMap(
            "upload",
            {"request": Line(), "as": OneOf(CODECS), "body": Body(), "value": Jmes()},
            ("request", "value"),
        ),
        "via": Named("the value as written", Line()),
        "default": Anything(),
    },
)
ACTION = WordMap(
    "an action",
    {
        "request": Line(),
        "as": OneOf(CODECS),
        "accept": _codecs,
        "body": Body(),
        "args": _arguments,
        "result": Jmes(),
        "done": Jmes(),
        "reads": Flag(),
        "careful": _reason,
        "unverified": _reason,
    },
)
LOGS = WordMap(
    "logs",
    {
        "request": Line(),
        "websocket": PathLine(),
        "args": _arguments,
        "lines": Jmes(),
        "line": WordMap("line", dict.fromkeys(("time", "level", "text", "source"), Jmes())),
        "status": Jmes(),
        "every": Duration(),
    },
    ("lines",),
)
METRICS = WordMap(
    "metrics",
    {
        "request": Line(),
        "args": _arguments,
        "series": Jmes(),
        "points": Jmes(),
        "labels": Named("the name of a label", Jmes()),
    },
    ("request", "series", "points"),
)
_scope = Named(
    "a word of metadata",
    Either(_kind, WordMap("a scope word", {"kind": _kind, "optional": Flag()})),
    WORD_NAME,
    _scope_fault,
)
KIND = WordMap(
    "a kind",
    {
        "abstract": Flag(),
        "like": _kind,
        "with": Named("a constant's name", Scalar(), WORD_NAME),
        "scope": _scope,
        "headers": _headers,
        "key": Jmes(),
        "unique": Flag(),
        "id": Jmes(),
        "mark": WordMap("a mark", {"in": Pointer(), "as": Body(text=True), "read": Pointer()}, ("in", "as")),
        **OPERATIONS,
        "ready": Jmes(),
        "failed": Jmes(),
        "gone": Jmes(),
        "settle": Duration(),
        "replace": OneOf(get_args(Replace)),
        "rename": Body(),
        "fields": Named("a JSON Pointer into spec", FIELD, key_fault=pointer_fault),
        "actions": Named("the name of an action", ACTION, WORD_NAME),
        "logs": LOGS,
        "metrics": METRICS,
        "unverified": _reason,
        "general": _reason,
    },
)

_auth = WordMap(
    "an auth scheme",
    {
        "header": _header,
        "query": Text("the name of a parameter"),
        "cookie": Text("the name of a cookie"),
        "basic": WordMap("basic", dict.fromkeys(("user", "password"), Body(text=True)), ("user", "password")),
        "value": Body(text=True),
        "login": WordMap("login", {"request": Line(), "as": OneOf(CODECS), "body": Body()}, ("request",)),
        "token": Jmes(),
        "lasts": Jmes(),
        "until": Jmes(),
    },
)
_budget = WordMap(
    "a budget",
    {
        "windows": ListOf(
            WordMap(
                "a window",
                {"requests": Whole(1), "every": Duration(), "burst": Whole(1)},
                ("requests", "every"),
            )
        ),
        "sharedBy": OneOf(("credential", "organization", "address")),
        "headers": WordMap("budget headers", dict.fromkeys(("limit", "remaining", "reset"), _header)),
        "retryAfter": Jmes(),
    },
)
_rule: dict[str, Shape] = {
    "when": Jmes(),
    "with": Named("a constant's name", Jmes(), WORD_NAME),
    "kind": _kind,
    "metadata": _selections,
}
_error_answers = Named("an error code or a status", OneOf(ANSWERS))
DEFINITION = WordMap(
    "a platform definition",
    {
        "platform": Text("a platform's name in lower case, such as acme", PLATFORM_NAME),
        "version": Text("a version, such as v1", VERSION_NAME),
        "format": Whole(1),
        "extends": Text("platform/version of another definition", re.compile(r"[a-z][a-z0-9-]*/v[0-9]+[a-z0-9]*")),
        "server": Text(
            "an origin, such as https://api.example.com", re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?")
        ),
        "settings": Named("the name of a setting", _schema, WORD_NAME),
        "base": PathLine(query=False),
        "auth": Named("the name of a scheme", _auth, re.compile(r"[A-Za-z][A-Za-z0-9_-]*")),
        "probe": Line(),
        "subject": WordMap("a subject", {"request": Line(), "is": Jmes()}, ("request", "is")),
        "request": WordMap(
            "request",
            {
                "headers": _headers,
                "query": Named("the name of a parameter", Body()),
                "body": Named("the name of a member", Body()),
                "bodyMax": Whole(1),
            },
        ),
        "response": WordMap("response", dict.fromkeys(("ok", "item", "items"), Jmes())),
        "errors": WordMap("errors", {"code": Jmes(), "message": Jmes(), "is": _error_answers}),
        "pages": _pages,
        "budget": _budget,
        "openapi": PathLine(),
        "native": ListOf(WordMap("a native rule", _rule, ("when", "metadata"))),
        "events": ListOf(WordMap("an event rule", _rule | {"id": Jmes()}, ("when",))),
        "kinds": Named("the name of a kind, such as Workflow", KIND, KIND_NAME),
        "queries": Named("the name of a query", ACTION, WORD_NAME),
    },
    ("platform", "version", "format"),
)

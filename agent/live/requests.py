"""Kind + key + context -> the exact bytes of a call. Pure: nothing is sent, no credential is added.

Called by ``api``. Every word in a path goes through :class:`PathTemplate`, which refuses empty names and dots; what
cannot be built safely raises :class:`UnsafePath` or :class:`Unbuildable` before anything leaves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from agent import __version__
from agent.definitions.expressions import MISSING, PathTemplate, Template
from agent.definitions.platform import ActionRule, Codec, ErrorRule, Kind, Login, Operation, Platform, ResponseRule
from agent.live.answers import Reading
from agent.live.codecs import accept_header, encode
from agent.model.identity import Key, uid_of

Pairs = tuple[tuple[str, str], ...]
Fields = tuple[tuple[bytes, bytes], ...]

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\x80-\xff]*")
_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE"})
_READS = frozenset({"GET", "HEAD"})
_USER_AGENT = f"datakeel/{__version__}".encode()


class Unbuildable(ValueError):
    """A header or body that a definition describes cannot be made from this context."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One call, ready but for its credential. ``target`` is the path and query on the wire, ``template`` their source.

    ``refusal`` says why it must not be sent at all; ``reads`` permits a method other than GET and HEAD in a plan.
    """

    method: str
    target: str
    template: str
    headers: Fields
    body: bytes | None = field(repr=False)
    reading: Reading
    reads: bool = False
    kind: Kind | None = field(default=None, repr=False)
    key: Key | None = None
    refusal: str = ""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class _Route:
    """What all calls of one operation share, made once."""

    method: str
    request: PathTemplate
    codec: Codec
    fixed: Fields
    templates: tuple[tuple[str, Template], ...]
    reading: Reading
    reads: bool


class Requests:
    """Builds the calls of one target. ``prefix`` is the path of its server address; ``scrub`` cleans messages."""

    def __init__(
        self,
        platform: Platform,
        target: str,
        settings: Mapping[str, Any],
        prefix: str,
        *,
        secrets: Mapping[str, Any],
        scrub: Callable[[str], str] = str,
    ) -> None:
        self.platform = platform
        self._target = target
        self._settings = settings
        self._secrets = secrets
        self._scrub = scrub
        base = "" if platform.base is None else platform.base.render({"settings": settings})[0]
        self.prefix = prefix + base.rstrip("/")
        self._routes: dict[tuple[str, str], _Route] = {}

    def listing(self, kind: Kind, operation: Operation, scope: Pairs) -> Prepared:
        """The first page; :meth:`page` makes the others."""
        return self._build(self._route(kind, "list", operation), self._context(kind, None, scope), kind, None)

    def page(self, first: Prepared, query: Pairs, target: str | None) -> Prepared:
        if target is not None:
            return replace(first, target=target)
        if not query:
            return first
        # The position of a page replaces what the request line itself says about it.
        path, _, rest = first.target.partition("?")
        names = {quote(name, safe="") for name, _ in query}
        kept = [pair for pair in rest.split("&") if pair and pair.partition("=")[0] not in names]
        return replace(first, target=f"{path}?{'&'.join([*kept, _encoded(query)])}")

    def reading_of(self, kind: Kind, operation: Operation, key: Key, server_id: str | None) -> Prepared:
        """The by-key read."""
        context = self._context(kind, key, key.scope, server_id)
        return self._build(self._route(kind, "get", operation), context, kind, key)

    def writing(
        self,
        name: str,
        operation: Operation,
        kind: Kind,
        key: Key,
        server_id: str | None,
        body: Mapping[str, Any] | None,
        *,
        parents: Mapping[str, Any],
        live: Mapping[str, Any] | None,
        etag: str | None,
    ) -> Prepared:
        """A write: what the operation adds over the body, or its own body, with what it carries from ``live``."""
        route = self._route(kind, name, operation)
        uid = uid_of(self.platform.name, key)
        context = self._context(kind, key, key.scope, server_id)
        context |= {"parents": parents, "uid": uid, "secret": self._secrets, "spec": body, "live": live}
        value: Any = None if body is None else dict(body)
        if operation.body is not None:
            value = operation.body.render(context)
        if operation.adds is not None:
            value = {**(value or {}), **operation.adds.render(context)}
        for pointer in operation.carries if value is not None else ():
            _carry(pointer, live, value)
        prepared = self._build(route, context, kind, key, value)
        extra: list[tuple[bytes, bytes]] = []
        if operation.if_match and etag is not None:
            extra.append(_field("If-Match", etag))
        if operation.idempotency is not None:
            extra.append(_field(operation.idempotency, uid))
        return replace(prepared, headers=(*prepared.headers, *extra)) if extra else prepared

    def probe(self) -> Prepared | None:
        if self.platform.probe is None:
            return None
        reading = self._reading("GET", self.platform.probe.source, ("json", "text"))
        route = _Route("GET", self.platform.probe, "json", self._fixed(("json",), {}), (), reading, True)
        return self._build(route, self._context(None, None, ()), None, None)

    def login(self, login: Login) -> Prepared:
        """The call that yields a token; the envelope of other answers does not apply to it."""
        reading = Reading(
            login.method, login.request.source, writes=False, errors=self.platform.errors, scrub=self._scrub
        )
        route = _Route(login.method, login.request, login.codec, self._fixed(("json",), {}), (), reading, True)
        context = {"settings": self._settings, "secret": self._secrets, "target": self._target}
        body = login.body.render(context) if login.body is not None else None
        return self._build(route, context, None, None, body, everywhere=False)

    def evidence(
        self,
        kind: Kind,
        request: PathTemplate,
        key: Key,
        server_id: str | None,
        args: Mapping[str, Any],
        *,
        parents: Mapping[str, Any] | None = None,
        streamed: bool = False,
    ) -> Prepared:
        """What people look at and nothing depends on: logs, series, and (``streamed``) the opening of a WebSocket."""
        reading = self._reading("GET", request.source, ("json", "text"))
        headers = {**self.platform.request_headers, **kind.headers}
        fixed = ((b"user-agent", _USER_AGENT),) if streamed else self._fixed(("json",), {})
        route = _Route("GET", request, "json", fixed, tuple(headers.items()), reading, True)
        context = self._context(kind, key, key.scope, server_id) | {"args": args, "parents": parents or {}}
        return self._build(route, context, kind, key)

    def asking(
        self,
        rule: ActionRule,
        args: Mapping[str, Any],
        kind: Kind | None = None,
        key: Key | None = None,
        server_id: str | None = None,
        **known: Any,
    ) -> Prepared:
        """An action, or a query (without a kind). ``known`` may hold ``parents``, ``live`` and ``spec``.

        Its answer is about the call, so that no identity is looked for in it.
        """
        reads = rule.reads or rule.method in _READS
        reading = self._reading(rule.method, rule.request.source, rule.accept, writes=not reads)
        headers = {**self.platform.request_headers, **(kind.headers if kind is not None else {})}
        fixed = self._fixed(rule.accept, {})
        route = _Route(rule.method, rule.request, rule.codec, fixed, tuple(headers.items()), reading, reads)
        context = self._context(kind, key, key.scope if key is not None else (), server_id)
        context |= {"args": args, "secret": self._secrets, **known}
        if key is not None:
            context["uid"] = uid_of(self.platform.name, key)
        body = rule.body.render(context) if rule.body is not None else None
        return self._build(route, context, None, None, None if body is MISSING else body)

    def _context(
        self, kind: Kind | None, key: Key | None, scope: Pairs, server_id: str | None = None
    ) -> dict[str, Any]:
        context: dict[str, Any] = {"settings": self._settings, "target": self._target, **dict(scope)}
        if kind is not None:
            context["with"] = kind.with_
        if key is not None:
            context["name"] = key.name
        if server_id is not None:
            context["id"] = server_id
        return context

    def _route(self, kind: Kind, name: str, operation: Operation) -> _Route:
        route = self._routes.get((kind.name, name))
        if route is None:
            writes = name not in ("list", "get")
            headers = {**self.platform.request_headers, **kind.headers, **operation.headers}
            reading = self._reading(operation.method, operation.request.source, operation.accept, writes=writes)
            reading = replace(
                reading,
                item=None if name == "list" else operation.item,
                must_have_item=operation.item is not None,
                exists=operation.exists if name == "create" else None,
                response=replace(reading.response, item=None) if name == "list" else reading.response,
            )
            route = _Route(
                operation.method,
                operation.request,
                operation.codec,
                self._fixed(operation.accept, headers),
                tuple((header, template) for header, template in headers.items() if template.words),
                reading,
                operation.reads and not writes,
            )
            self._routes[(kind.name, name)] = route
        return route

    def _reading(self, method: str, template: str, accept: tuple[Codec, ...], *, writes: bool = False) -> Reading:
        rules: tuple[ResponseRule, ErrorRule] = (self.platform.response, self.platform.errors)
        return Reading(method, template, writes, accept, rules[0], rules[1], scrub=self._scrub)

    def _fixed(self, accept: tuple[Codec, ...], headers: Mapping[str, Template]) -> Fields:
        """Headers that no context changes. An encoded answer is not asked for: it would hide its size."""
        return (
            (b"user-agent", _USER_AGENT),
            (b"accept", accept_header(accept).encode()),
            (b"accept-encoding", b"identity"),
            *(_field(name, template.render({})) for name, template in headers.items() if not template.words),
        )

    def _build(
        self,
        route: _Route,
        context: Mapping[str, Any],
        kind: Kind | None,
        key: Key | None,
        value: Any = None,
        *,
        everywhere: bool = True,
    ) -> Prepared:
        path, query = route.request.render(context)
        bodiless = route.method in _WITHOUT_BODY
        if everywhere and bodiless and self.platform.request_query:
            query = (*query, *_rendered_query(self.platform.request_query, context))
        if everywhere and not bodiless and self.platform.request_body:
            value = {**(value or {}), **_rendered(self.platform.request_body, context)}
        target = f"{self.prefix}{path}?{_encoded(query)}" if query else self.prefix + path
        headers = [*route.fixed]
        for name, template in route.templates:
            text = template.render(context)
            if text is not MISSING and text is not None:
                headers.append(_field(name, text))
        body = None
        if value is not None:
            body, content_type = encode(route.codec, value)
            headers.append((b"content-type", content_type.encode()))
        return Prepared(
            route.method,
            target,
            route.request.source,
            tuple(headers),
            body,
            route.reading,
            route.reads,
            kind,
            key,
        )


def list_words(kind: Kind) -> frozenset[str]:
    """Scope words that the list's request holds, in its line or in a header: the scope that a list is asked for."""
    if kind.list is None:
        return frozenset()
    told = set(kind.list.request.words)
    for template in (*kind.headers.values(), *kind.list.headers.values()):
        told.update(template.words)
    return frozenset(word.word for word in kind.scope if any(name.split(".")[0] == word.word for name in told))


def _encoded(pairs: Pairs) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in pairs)


def _rendered(templates: Mapping[str, Template], context: Mapping[str, Any]) -> dict[str, Any]:
    members = {name: template.render(context) for name, template in templates.items()}
    return {name: value for name, value in members.items() if value is not MISSING}


def _rendered_query(templates: Mapping[str, Template], context: Mapping[str, Any]) -> Pairs:
    return tuple((name, str(value)) for name, value in _rendered(templates, context).items() if value is not None)


def _field(name: str, value: Any) -> tuple[bytes, bytes]:
    text = value if isinstance(value, str) else str(value)
    if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(text):
        raise Unbuildable(f"the header {name!r} would hold characters that no header may hold")
    return name.lower().encode("ascii"), text.encode("latin-1")


def _carry(pointer: str, live: Mapping[str, Any] | None, body: Any) -> None:
    """Copy what the server wants to see again, such as a revision, from the last read into the body."""
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
    source: Any = live
    for token in tokens:
        if not isinstance(source, Mapping) or token not in source:
            return
        source = source[token]
    for token in tokens[:-1]:
        body[token] = body = dict(body.get(token) or {})
    body[tokens[-1]] = source

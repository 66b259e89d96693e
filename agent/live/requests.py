"""Kind + key + context -> the exact bytes of a call. Pure: nothing is sent, no credential is added.

Called by ``api``. Every word in a path goes through :class:`PathTemplate`, which refuses empty names and dots; what
cannot be built safely raises :class:`UnsafePath` or :class:`Unbuildable` before anything leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent import __version__
from agent.definitions.expressions import MISSING, PathTemplate, Template
from agent.definitions.platform import (
    ActionRule,
    Codec,
    ErrorRule,
    Kind,
    Login,
    Operation,
    Platform,
    ResponseRule,
    Upload,
)
from agent.live.answers import Reading
from agent.live.codecs import accept_header, encode
from agent.live.connection import Connection
from agent.live.rendering import (
    Pairs,
    Position,
    Unbuildable,
    asked_at,
    carry,
    encoded,
    fits,
    header_field,
    own_body,
    rendered,
    rendered_query,
    templated,
)
from agent.model.canonical import digest
from agent.model.identity import Key, uid_of

Fields = tuple[tuple[bytes, bytes], ...]

_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE"})
_READS = frozenset({"GET", "HEAD"})
_PROGRAM = f"datakeel/{__version__}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """One call, ready but for its credential. ``target`` is the path and query on the wire, ``template`` their source.

    ``refusal`` says why it must not be sent at all; ``reads`` permits a method other than GET and HEAD in a plan;
    ``said`` is what a list says in its body, to which each page adds its position.
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
    said: tuple[Codec, Any] | None = field(default=None, repr=False)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Around:
    """What a write speaks of besides its own object and body.

    ``parents`` are live objects of scope words, ``live`` and ``etag`` those of the last read, ``content`` is that of a
    run. ``attempt`` differs between two creates that must both make an object.
    """

    parents: Mapping[str, Any] = field(default_factory=dict)
    live: Mapping[str, Any] | None = None
    etag: str | None = None
    content: str | None = None
    attempt: str = ""


NOTHING = Around()


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
    """Builds the calls of one target. ``prefix`` is the path of its server address; ``scrub`` cleans messages.

    The connection's ``command`` is told in ``User-Agent``, as a comment (RFC 9110, 10.1.5): ``datakeel/1.2.3 (diff)``.
    So whoever keeps the platform's own log can tell what asked, and that a command which only looks sent nothing else.
    """

    def __init__(
        self,
        platform: Platform,
        connection: Connection,
        prefix: str,
        *,
        secrets: Mapping[str, Any],
        scrub: Callable[[str], str] = str,
    ) -> None:
        self.platform = platform
        self._target = connection.target
        self._settings = connection.settings
        self._secrets = secrets
        self._scrub = scrub
        self._user_agent = (f"{_PROGRAM} ({connection.command})" if connection.command else _PROGRAM).encode()
        base = "" if platform.base is None else platform.base.render({"settings": self._settings})[0]
        self.prefix = prefix + base.rstrip("/")
        self._routes: dict[tuple[str, str], _Route] = {}

    def listing(self, kind: Kind, operation: Operation, scope: Pairs) -> Prepared:
        """The first page; :meth:`page` makes the others."""
        context = self._context(kind, None, scope)
        value = own_body(operation.body, context)
        first = self._build(self._route(kind, "list", operation), context, kind, None, value)
        return first if first.method in _WITHOUT_BODY else replace(first, said=(operation.codec, value))

    def page(self, first: Prepared, position: Position, target: str | None) -> Prepared:
        """The call at a position: in the query, or in the body of a list that is asked for by POST."""
        if target is not None or not position:
            return first if target is None else replace(first, target=target)
        if first.said is None:
            return replace(first, target=asked_at(first.target, position))
        body, content_type = encode(first.said[0], {**(first.said[1] or {}), **dict(position)})
        headers = [pair for pair in first.headers if pair[0] != b"content-type"]
        return replace(first, body=body, headers=(*headers, (b"content-type", content_type.encode())))

    def reading_of(self, kind: Kind, operation: Operation, key: Key, server_id: str | None) -> Prepared:
        """The by-key read."""
        context = self._context(kind, key, key.scope, server_id)
        return self._build(self._route(kind, "get", operation), context, kind, key, own_body(operation.body, context))

    def writing(
        self,
        name: str,
        operation: Operation,
        kind: Kind,
        key: Key,
        server_id: str | None,
        body: Mapping[str, Any] | None,
        around: Around,
    ) -> Prepared:
        """A write: what the operation adds over the body, or its own body, with what it carries from ``live``."""
        route = self._route(kind, name, operation)
        uid = uid_of(self.platform.name, key)
        context = self._context(kind, key, key.scope, server_id)
        context |= {"parents": around.parents, "uid": uid, "secret": self._secrets, "spec": body, "live": around.live}
        if around.content is not None:
            context["content"] = around.content
        value = own_body(operation.body, context, None if body is None else dict(body))
        if operation.adds is not None:
            value = {**(value or {}), **operation.adds.render(context)}
        for pointer in operation.carries if value is not None else ():
            carry(pointer, around.live, value)
        prepared = self._build(route, context, kind, key, value)
        extra: list[tuple[bytes, bytes]] = []
        if operation.if_match and around.etag is not None:
            extra.append(header_field("If-Match", around.etag))
        if operation.idempotency is not None:
            extra.append(header_field(operation.idempotency, digest([uid, around.attempt])))
        return replace(prepared, headers=(*prepared.headers, *extra)) if extra else prepared

    def uploading(self, upload: Upload, kind: Kind, key: Key, file: Mapping[str, str]) -> Prepared:
        """The call that uploads a file for an object; its answer is about the file."""
        reading = self._reading(upload.method, upload.request.source, ("json",), writes=True)
        headers = {**self.platform.request_headers, **kind.headers}
        route = _Route(
            upload.method,
            upload.request,
            upload.codec,
            self._fixed(("json",), headers),
            templated(headers),
            reading,
            False,
        )
        context = self._context(kind, key, key.scope) | {"file": file, "secret": self._secrets}
        body = upload.body.render(context) if upload.body is not None else None
        return self._build(route, context, None, None, body)

    def probe(self, request: PathTemplate) -> Prepared:
        """A read of nothing in particular, which tells something of the credential."""
        reading = self._reading("GET", request.source, ("json", "text"))
        headers = self.platform.request_headers
        fixed = self._fixed(("json",), headers)
        route = _Route("GET", request, "json", fixed, templated(headers), reading, True)
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
        fixed = ((b"user-agent", self._user_agent),) if streamed else self._fixed(("json",), {})
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
        # A body without its credential would be refused, and what refuses it would have seen the call.
        for word in rule.body.words if rule.body is not None else ():
            root, _, credential = word.partition(".")
            if root == "secret" and credential not in self._secrets:
                raise Unbuildable(f"it needs the credential `{credential}`, which the target does not have")
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
                in_use=operation.in_use,
                response=replace(reading.response, item=None) if name == "list" else reading.response,
            )
            route = _Route(
                operation.method,
                operation.request,
                operation.codec,
                self._fixed(operation.accept, headers),
                templated(headers),
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
            (b"user-agent", self._user_agent),
            (b"accept", accept_header(accept).encode()),
            (b"accept-encoding", b"identity"),
            *(header_field(name, template.render({})) for name, template in headers.items() if not template.words),
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
            query = (*query, *rendered_query(self.platform.request_query, context))
        if everywhere and not bodiless and self.platform.request_body:
            value = {**(value or {}), **rendered(self.platform.request_body, context)}
        target = f"{self.prefix}{path}?{encoded(query)}" if query else self.prefix + path
        headers = [*route.fixed]
        for name, template in route.templates:
            text = template.render(context)
            if text is not MISSING and text is not None:
                headers.append(header_field(name, text))
        body = None
        if value is not None:
            body, content_type = encode(route.codec, value)
            fits(body, self.platform.request_bytes_max)
            headers.append((b"content-type", content_type.encode()))
        source, reading, reads = route.request.source, route.reading, route.reads
        return Prepared(route.method, target, source, tuple(headers), body, reading, reads, kind, key)

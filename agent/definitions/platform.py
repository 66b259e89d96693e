"""The typed form of a platform definition: what ``load.py`` builds and every later step reads.

Words and meanings are those of ``design/platform-definitions.md`` section 3. Everything here is frozen, resolved
(``like``, ``extends``, defaults applied) and compiled: a consumer never looks at YAML, never parses an expression and
never asks which platform it serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.definitions.expressions import Expression, PathTemplate, Template

Codec = Literal["json", "yaml", "form", "multipart", "msgpack", "text", "bytes"]
Answer = Literal[
    "ok",
    "notFound",
    "exists",
    "conflict",
    "invalid",
    "denied",
    "unauthenticated",
    "throttled",
    "unreachable",
    "broken",
]
Replace = Literal["never", "deleteFirst", "createFirst"]
CompareWord = Literal["exact", "case", "space", "number", "duration", "time", "tail", "empty"]


@dataclass(frozen=True, slots=True)
class Login:
    """``login`` of an auth scheme: a call whose answer holds a token. ``lasts`` in seconds or ``until`` a moment."""

    request: PathTemplate
    method: str
    codec: Codec
    body: Template | None
    token: Expression
    lasts: Expression | None = None
    until: Expression | None = None


@dataclass(frozen=True, slots=True)
class AuthScheme:
    """One way to prove who we are; used when every secret in ``secrets`` is supplied by the target.

    Exactly one of ``header``, ``query``, ``cookie``, ``basic`` says where the credential travels.
    """

    name: str
    secrets: tuple[str, ...]
    header: str | None = None
    query: str | None = None
    cookie: str | None = None
    basic: tuple[Template, Template] | None = None
    value: Template | None = None
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where the end of a listing is told: a JMESPath into the body, or a response header."""

    body: Expression | None = None
    header: str | None = None


@dataclass(frozen=True, slots=True)
class Pages:
    """How a list is paged. ``by='none'``: one answer holds all."""

    by: Literal["none", "page", "offset", "cursor", "link"] = "none"
    at: str | None = None
    size: str | None = None
    ask: int | None = None
    first: int = 1
    total: Position | None = None
    pages: Position | None = None
    next: Position | None = None
    more: Position | None = None
    short: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``requests`` calls in any ``seconds``; ``burst`` at once where given."""

    requests: int
    seconds: float
    burst: int | None = None


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """All windows hold at once. Header names are lower case."""

    windows: tuple[Window, ...] = (Window(60, 60.0),)
    shared_by: Literal["credential", "organization", "address"] = "credential"
    header_limit: str | None = None
    header_remaining: str | None = None
    header_reset: str | None = None
    retry_after: Expression | None = None


@dataclass(frozen=True, slots=True)
class ResponseRule:
    """Defaults of all operations: the condition that a 2xx body is a success, and where the object or rows are."""

    ok: Expression | None = None
    item: Expression | None = None  # None: the body itself
    items: Expression | None = None


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """Where an error body keeps its code and message; ``answers`` maps a code or a status (as text) to an answer."""

    code: Expression | None = None
    message: Expression | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)

    @property
    def declared(self) -> bool:
        return self.code is not None or self.message is not None


@dataclass(frozen=True, slots=True)
class Exists:
    """Which refusal means something special (a create's: it is there; a delete's: it is in use).

    One of the statuses, and ``when`` if given.
    """

    statuses: frozenset[int] = frozenset({409})
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a kind. ``request`` renders path and query; ``method`` is upper case.

    For lists: ``items``, ``holds``, ``revision``, ``complete``, ``pages``. For writes: ``adds`` (members laid over the
    spec), ``body`` (replaces it), ``exists``, ``in_use``, ``sends``, ``carries``, ``if_match``, ``idempotency``.
    """

    method: str
    request: PathTemplate
    codec: Codec = "json"
    accept: tuple[Codec, ...] = ("json",)
    headers: Mapping[str, Template] = field(default_factory=dict)
    body: Template | None = None
    item: Expression | None = None
    tolerate: frozenset[str] = frozenset()
    reads: bool = False
    careful: str | None = None
    unverified: str | None = None
    # list
    items: Expression | None = None
    holds: Literal["full", "summary"] = "full"
    revision: Expression | None = None
    complete: bool = True
    pages: Pages = Pages()
    # create, apply, update
    adds: Template | None = None
    exists: Exists = Exists()
    in_use: Exists | None = None  # of a delete: when its refusal means that another object depends on this one
    idempotency: str | None = None
    sends: Literal["whole", "changes", "merge"] = "whole"
    carries: tuple[str, ...] = ()
    if_match: bool = False


@dataclass(frozen=True, slots=True)
class ScopeWord:
    """A word of ``metadata`` that names the parent. ``kind`` None: a name with no object behind it."""

    word: str
    kind: str | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Ownership carried by the object: ``pointer`` in the body, ``text`` with ``${uid}``, ``${target}``, …

    ``pattern`` is ``text`` as a regular expression with named groups ``uid``, ``target``, ``name``, ``content``, to
    read a mark back. ``in_list``: the pointer leads to a list that gets one more element. ``is_run``: the text holds
    ``${content}``, so that other content is another object.
    """

    pointer: str
    text: Template
    read: str
    pattern: str
    in_list: bool
    is_run: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in git that becomes what ``value`` yields from the answer."""

    method: str
    request: PathTemplate
    codec: Codec
    body: Template | None
    value: Expression


@dataclass(frozen=True, slots=True)
class Ref:
    """The leaf names an object of ``kind``; with ``member``, that member of its live object goes on the wire."""

    kind: str
    member: str | None = None


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What is special about one pointer into ``spec``; ``*`` stands for every element or member.

    ``pointer``, ``read`` and ``write`` may hold ``{word}`` of the scope (``/{type}``); ``{with.…}`` is resolved at
    load. A ``*`` in ``read`` or ``write`` stands for what the ``*`` of ``pointer`` matched. The most specific wins,
    word by word.
    """

    pointer: str
    read: str | None = None
    write: str | None = None
    read_only: bool = False
    write_only: bool = False
    secret: bool | None = None  # False: none, whatever its name sounds like
    mask: str | None = None
    immutable: bool = False
    list: Literal["ordered", "set"] | tuple[str, ...] | None = None  # a tuple: the key members of a keyed list
    own: Literal["all", "listed"] = "all"
    compare: CompareWord | None = None
    values: Mapping[str, Any] | None = None  # canonical JSON of the written value -> wire value
    encode: Literal["base64", "json", "yaml", "lines", "env"] | None = None
    ref: Ref | None = None
    upload: Upload | None = None
    via: Mapping[str, tuple[str, PathTemplate]] | None = None  # canonical JSON of the value -> method, request
    default: Any = None
    has_default: bool = False

    @property
    def tells_plain(self) -> bool:
        """Whether the definition knows what stands there, and that it is no secret (``model/secret_names``)."""
        return self.secret is False or bool(self.ref or self.values or self.upload or self.via or self.has_default)


@dataclass(frozen=True, slots=True)
class ActionRule:
    """A call that a person asks for (``actions``), or a read that is not a kind (``queries``)."""

    name: str
    method: str
    request: PathTemplate
    codec: Codec = "json"
    accept: tuple[Codec, ...] = ("json",)
    body: Template | None = None
    args: Mapping[str, Any] = field(default_factory=dict)
    result: Expression | None = None
    done: Expression | None = None
    reads: bool = False
    careful: str | None = None
    unverified: str | None = None


@dataclass(frozen=True, slots=True)
class LogRule:
    """Evidence for people: polled (``request``) or followed (``websocket``). ``line`` holds JMESPath per member."""

    request: PathTemplate | None
    websocket: PathTemplate | None
    args: Mapping[str, Any]
    lines: Expression
    time: Expression | None
    level: Expression | None
    text: Expression | None
    source: Expression | None
    status: Expression | None = None
    every_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class MetricRule:
    request: PathTemplate
    args: Mapping[str, Any]
    series: Expression
    points: Expression
    labels: Mapping[str, Expression]


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of object. Managed when it has ``create`` or ``apply``; observed with ``list`` or ``get`` only.

    ``schema`` is the plain JSON Schema of ``spec`` (None for observed kinds) and ``schema_path`` its path for messages.
    ``general`` is the warning that every manifest of a catch-all kind gets; None for ordinary kinds.
    """

    name: str
    with_: Mapping[str, Any]
    scope: tuple[ScopeWord, ...]
    headers: Mapping[str, Template]
    key: Expression
    unique: bool = True
    id: Expression | None = None
    mark: Mark | None = None
    list: Operation | None = None
    get: Operation | None = None
    create: Operation | None = None
    apply: Operation | None = None
    update: Operation | None = None
    delete: Operation | None = None
    ready: Expression | None = None
    failed: Expression | None = None
    gone: Expression | None = None
    settle_seconds: float = 5.0
    replace: Replace = "never"
    rename: Template | None = None
    fields: tuple[FieldRule, ...] = ()
    actions: Mapping[str, ActionRule] = field(default_factory=dict)
    logs: LogRule | None = None
    metrics: MetricRule | None = None
    unverified: str | None = None
    general: str | None = None
    schema: Mapping[str, Any] | None = None
    schema_path: str = ""

    @property
    def managed(self) -> bool:
        return self.create is not None or self.apply is not None

    @property
    def is_run(self) -> bool:
        """Whether its objects are runs: one for each content, never changed, not started again while it is the same."""
        return self.mark is not None and self.mark.is_run


@dataclass(frozen=True, slots=True)
class NativeRule:
    """Recognises a platform's own document: ``when`` holds, then ``kind``, or the kind whose ``with`` equals ``with_``.

    ``metadata`` yields the identity; ``consumed`` are the members that leave the document (the rest is the spec).
    """

    when: Expression
    kind: str | None
    with_: Mapping[str, Expression]
    metadata: Mapping[str, Expression]
    consumed: frozenset[str]


@dataclass(frozen=True, slots=True)
class EventRule:
    """Reads an inbound webhook: which object to look at next. Nothing in it is believed."""

    when: Expression
    kind: str | None
    with_: Mapping[str, Expression]
    metadata: Mapping[str, Expression]
    id: Expression | None = None


@dataclass(frozen=True, slots=True)
class SubjectRule:
    """The read that tells whom a credential speaks for, and where its answer says so."""

    request: PathTemplate
    is_: Expression


@dataclass(frozen=True, slots=True)
class Platform:
    """One definition. ``digest`` covers platform.yaml and all schemas; ``bundled`` ones may bring their own server."""

    name: str
    version: str
    folder: str
    digest: str
    bundled: bool
    server: str | None
    settings: Mapping[str, Any]
    base: PathTemplate | None
    auth: tuple[AuthScheme, ...]
    probe: PathTemplate | None
    request_headers: Mapping[str, Template]
    request_query: Mapping[str, Template]
    request_body: Mapping[str, Template]
    request_bytes_max: int | None
    response: ResponseRule
    errors: ErrorRule
    budget: BudgetRule
    openapi: str | None
    native: tuple[NativeRule, ...]
    events: tuple[EventRule, ...]
    kinds: Mapping[str, Kind]
    queries: Mapping[str, ActionRule]
    subject: SubjectRule | None = None

    @property
    def api_version(self) -> str:
        """``acme/v1``: what a manifest writes as apiVersion."""
        return f"{self.name}/{self.version}"

"""list, get, logs, create, update, delete for any kind of any platform: what every other part sees of a REST API.

Nothing that a platform or a network does is raised from ``list``, ``get`` and ``send``: it comes back as an answer.
:class:`ReadApi` has no method that changes anything, and its transport would refuse one; :class:`WriteApi` adds the
two that writes need. Reads are tried up to three times; a write is sent once.
"""

from __future__ import annotations

import random as random_module
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from agent.clock import Clock
from agent.definitions.expressions import ExpressionError, UnsafePath
from agent.definitions.platform import Kind, Login, Operation, Platform
from agent.errors import LiveError
from agent.live.answers import Reading, Reply, error_of, refused
from agent.live.auth import Authorizer, Secrets, choose_scheme
from agent.live.budget import Budget
from agent.live.connection import Connection, parse_server
from agent.live.exchange import Exchange, judged
from agent.live.lists import Lists
from agent.live.logs import LogLine, lines_of
from agent.live.purpose import Purpose
from agent.live.rendering import Unbuildable
from agent.live.requests import NOTHING, Around, Prepared, Requests
from agent.live.rows import Listing, Row, Sealed, mismatch, name_of
from agent.live.transport import Transport
from agent.model.histogram import Histogram
from agent.model.identity import Key
from agent.secrets import Redactor

if TYPE_CHECKING:
    import httpx

    from agent.live.streams import Streams

__all__ = ["Connection", "Listing", "LogLine", "Prepared", "ReadApi", "Reply", "Row", "WriteApi", "open_api"]

Verb = Literal["create", "apply", "update", "delete"]

_ATTEMPTS = 3
_BACKOFF_SECONDS = 0.5
_RETRIES_FREE = 10
_RETRIES_SHARE = 0.1


def open_api(
    platform: Platform,
    connection: Connection,
    *,
    clock: Clock,
    budget: Budget,
    random: random_module.Random,
    writable: bool,
    transport: httpx.AsyncBaseTransport | None = None,
    redactor: Redactor | None = None,
) -> ReadApi | WriteApi:
    """One target's API. Raises ConfigError for a server or a credential that cannot be used; sends nothing yet.

    ``redactor`` scrubs what the platform says, and learns of each credential and of each token that a login brings.
    """
    origin = parse_server(connection.server or platform.server or "", allow_http=connection.allow_http)
    scheme = choose_scheme(platform, connection)
    redactor = redactor or Redactor()
    secrets = Secrets(connection.credentials, redactor)
    requests = Requests(platform, connection, origin.prefix, secrets=secrets, scrub=redactor.scrub)
    wire = Transport(connection, origin, budget, may_write=writable, wire=transport)

    async def log_in(login: Login) -> Reply:
        prepared = requests.login(login)
        outcome, _ = await wire.exchange(prepared, Purpose.LOGIN, None)
        return judged(prepared.reading, outcome, budget)

    authorizer = Authorizer(scheme, secrets, connection.settings, clock, redactor, log_in)

    def streams() -> Streams:
        from agent.live.streams import Streams  # one command in a hundred opens a WebSocket

        return Streams(connection, origin, budget, authorizer, wire.calls, redactor.scrub)

    kind_of_api = WriteApi if writable else ReadApi
    return kind_of_api(
        platform,
        connection.target,
        origin.text,
        Exchange(wire, authorizer, budget, clock),
        requests,
        budget,
        clock,
        random,
        redactor,
        streams,
    )


class ReadApi:
    """Reads of one target. ``calls`` counts what was sent, by purpose; made by :func:`open_api`."""

    def __init__(
        self,
        platform: Platform,
        target: str,
        origin: str,
        exchange: Exchange,
        requests: Requests,
        budget: Budget,
        clock: Clock,
        random: random_module.Random,
        redactor: Redactor,
        streams: Callable[[], Streams],
    ) -> None:
        self.platform = platform
        self.target = target
        self.budget = budget
        self.streams = streams
        self._origin = origin
        self._exchange = exchange
        self._requests = requests
        self._clock = clock
        self._random = random
        self._redactor = redactor
        self._lists = Lists(platform, target, origin, requests, self._read)
        self._reads = 0
        self._retries = 0

    @property
    def server(self) -> str:
        """The origin that everything is sent to."""
        return self._origin

    @property
    def calls(self) -> Counter[str]:
        return self._exchange.calls

    @property
    def answers(self) -> Counter[tuple[str, str]]:
        """What was sent, by purpose and status (or ``lost``, ``unsent``, ``cancelled``)."""
        return self._exchange.answers

    @property
    def took(self) -> Histogram:
        return self._exchange.took

    @property
    def authorizer(self) -> Authorizer:
        """How its calls prove who they are, and when that ends."""
        return self._exchange.authorizer

    @property
    def refuses_writes(self) -> bool:
        """Whether the platform refused the credential of a write a moment ago; then all other writes pause (C1)."""
        return self._exchange.refuses_writes

    async def list(
        self,
        kind: Kind,
        scope: tuple[tuple[str, str], ...],
        purpose: Purpose = Purpose.LIST,
        known: Sealed = (),
        *,
        anywhere: bool = False,
        most: int | None = None,
    ) -> Listing:
        """All rows of a kind in a scope, and whether they are all that there are; none where it is as ``known``.

        ``anywhere``: a word that the request may name and ``scope`` does not is any, as the row says. ``most``: no page
        is asked for once there are so many rows.
        """
        return await self._lists.walked(kind, scope, purpose, known, anywhere=anywhere, most=most)

    async def get(self, kind: Kind, key: Key, server_id: str | None = None, purpose: Purpose = Purpose.READ) -> Reply:
        """One object by key or id. An answer about another object is ``broken``."""
        operation = kind.get
        if operation is None:
            return refused(Reading("GET", "", writes=False), f"{kind.name} has no read of one object")
        try:
            prepared = self._requests.reading_of(kind, operation, key, server_id)
        except (UnsafePath, ExpressionError, Unbuildable, LiveError) as error:
            return refused(Reading(operation.method, operation.request.source, writes=False), str(error))
        reply = await self._read(prepared, purpose)
        return _identified(reply, kind, key, server_id if "id" in operation.request.path_words else None)

    async def logs(
        self,
        kind: Kind,
        key: Key,
        server_id: str | None,
        args: Mapping[str, Any],
        parents: Mapping[str, Any] | None = None,
    ) -> tuple[LogLine, ...]:
        """The lines that the platform has now. Raises LiveError: a person waits for them, nothing depends on them."""
        if kind.logs is None or kind.logs.request is None:
            raise LiveError(f"the logs of {kind.name} are not polled" if kind.logs else f"{kind.name} has no logs")
        request = kind.logs.request
        prepared = self.built(lambda requests: requests.evidence(kind, request, key, server_id, args, parents=parents))
        reply = await self.fetch(prepared, Purpose.LOGS)
        if reply.answer != "ok":
            raise error_of(reply)
        lines = lines_of(kind.logs, reply.body, self._redactor.scrub)
        if lines is None:
            raise error_of(replace(reply, answer="broken", message="no list of log lines where one is due"))
        return lines

    def built(self, build: Callable[[Requests], Prepared]) -> Prepared:
        """A call beside the operations. One that cannot be built safely comes back with its ``refusal``."""
        try:
            return build(self._requests)
        except (UnsafePath, ExpressionError, Unbuildable, LiveError) as error:
            return Prepared("GET", "", "", (), None, Reading("GET", "", writes=False), refusal=str(error))

    async def fetch(self, prepared: Prepared, purpose: Purpose = Purpose.READ) -> Reply:
        """A call that :meth:`built` made, if it reads."""
        if prepared.refusal or prepared.reading.writes:
            return refused(prepared.reading, prepared.refusal or "a call that writes is not sent as a read")
        return await self._read(prepared, purpose)

    async def prove_credential(self) -> Reply:
        """The platform's cheap authenticated read: ``ok`` when the credential is good for something."""
        if self.platform.probe is None:
            return refused(Reading("GET", "", writes=False), "the definition names no probe")
        return await self._read(self._requests.probe(self.platform.probe), Purpose.PROBE)

    async def close(self) -> None:
        await self._exchange.close()

    async def _read(self, prepared: Prepared, purpose: Purpose) -> Reply:
        """Up to three attempts, with full jitter between them, while not too large a share of all reads are repeats."""
        self._reads += 1
        attempt = 1
        while True:
            reply = await self._exchange(prepared, purpose)
            if not reply.passing or attempt >= _ATTEMPTS or not self._may_retry():
                return reply
            self._retries += 1
            if reply.answer != "throttled":
                await self._clock.sleep(self._random.uniform(0, _BACKOFF_SECONDS * 2**attempt))
            attempt += 1

    def _may_retry(self) -> bool:
        return self._retries < _RETRIES_FREE + _RETRIES_SHARE * self._reads


class WriteApi(ReadApi):
    """The same, for a target that may be changed."""

    def prepare(
        self,
        operation: Verb,
        kind: Kind,
        key: Key,
        server_id: str | None,
        body: Mapping[str, Any] | None,
        around: Around = NOTHING,
        *,
        rule: Operation | None = None,
    ) -> Prepared:
        """The exact call, without sending it. One that cannot be built safely comes back with its ``refusal``.

        ``rule`` stands for the kind's own operation where a leaf has endpoints of its own.
        """
        name = operation if rule is None else f"{rule.method} {rule.request.source}"
        rule = rule or getattr(kind, operation)
        if rule is None:
            raise LiveError(f"{kind.name} has no {operation}")
        try:
            return self._requests.writing(name, rule, kind, key, server_id, body, around)
        except (UnsafePath, ExpressionError, Unbuildable, LiveError) as error:
            reading = Reading(rule.method, rule.request.source, writes=True)
            return Prepared(
                rule.method, "", rule.request.source, (), None, reading, kind=kind, key=key, refusal=str(error)
            )

    async def send(
        self, prepared: Prepared, purpose: Purpose = Purpose.WRITE, before: Callable[[], None] = lambda: None
    ) -> Reply:
        """Send once. Never repeated, but for a 401 that proves that nothing was done and a credential that is new.

        ``before`` is called right before the first byte leaves; what it raises is raised here, and nothing was sent.
        """
        if prepared.refusal:
            return refused(prepared.reading, prepared.refusal)
        reply = await self._exchange(prepared, purpose, before)
        kind, key = prepared.kind, prepared.key
        if reply.answer != "ok" or kind is None or key is None or not isinstance(reply.item, Mapping):
            return reply
        wrong = mismatch(kind, key, reply.item) if name_of(kind, reply.item) is not None else ""
        return replace(reply, answer="broken", landed="unknown", message=wrong) if wrong else reply


def _identified(reply: Reply, kind: Kind, key: Key, server_id: str | None) -> Reply:
    if reply.answer != "ok":
        return reply
    wrong = mismatch(kind, key, reply.item, server_id)
    return replace(reply, answer="broken", landed="no", message=wrong) if wrong else reply

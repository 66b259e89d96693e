"""The one door to the network: admits, authorizes, sends once under a deadline, and turns foreign errors into answers.

Called by ``api`` only. What it never does: follow a redirect, keep a cookie, leave the pinned origin, send a path other
than the bytes that were built, send a mutating call for a reader, repeat anything, or log a header or a body.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from agent.errors import ConfigError, Refused
from agent.live.auth import Authorization
from agent.live.budget import Budget
from agent.live.connection import Connection, Origin
from agent.live.haste import Overtaken
from agent.live.purpose import CALLS_OF_TASK, Purpose
from agent.live.requests import Prepared
from agent.live.sockets import SocketTransport
from agent.model.histogram import CALL_BOUNDS, Histogram
from agent.tracing import note, span

REPLY_MAX = 16 << 20
_SAFE = frozenset({"GET", "HEAD"})
_CONNECT_SECONDS = 5.0
_GZIP_OR_ZLIB = 47

# Targets that no client reads otherwise than they are written. Others are held against what httpx makes of them.
_CHARS, _ESCAPE = r"A-Za-z0-9\-._~!$&'()*+,;=:@", "%[0-9A-Fa-f]{2}"
_PATH = rf"(?:/(?!\.\.?(?:[/?]|\Z))(?:[{_CHARS}]++|{_ESCAPE})++)++/?"
_PLAIN = re.compile(rf"{_PATH}(?:\?(?:[{_CHARS}/?]++|{_ESCAPE})*+)?")
_PLAIN_MAX = 8192

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the server said. Header names are lower case; ``fault`` names a body that could not be taken in."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer. ``sent`` False: not one byte of the call reached the platform."""

    sent: bool
    message: str
    wanted: bool = True  # False: nobody needs it any more, so that it is not tried again


class Transport:
    """Calls to one pinned origin. ``wire`` is the httpx transport underneath; tests and the simulation bring their own.

    ``may_write`` False refuses every method but GET and HEAD, unless a call is declared to read.
    """

    def __init__(
        self,
        connection: Connection,
        origin: Origin,
        budget: Budget,
        *,
        may_write: bool,
        wire: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self.calls: Counter[str] = Counter()
        self.answers: Counter[tuple[str, str]] = Counter()  # by purpose and status, or how there was none
        self.took = Histogram(CALL_BOUNDS)
        self._origin = origin
        self._base = origin.text
        self._host = (b"host", origin.authority.encode())
        self._budget = budget
        self._may_write = may_write
        self._origin_is_proved = False
        self._deadline = connection.deadline_seconds
        self._slots = asyncio.Semaphore(max(1, connection.concurrency))
        self._wire = wire if wire is not None else _wire_of(connection, origin)

    async def exchange(
        self,
        prepared: Prepared,
        purpose: Purpose,
        authorize: Callable[[], Awaitable[Authorization]] | None,
        before: Callable[[], None] = lambda: None,
    ) -> tuple[Answered | Lost, Authorization]:
        """Admit and send one call. Raises Refused for what must not be sent, and what ``authorize`` raises.

        ``before`` is called when nothing is left to wait for, right before the first byte; what it raises ends the call
        unsent. A write is journalled there, so that no intent lies open while the budget lets it wait.

        Every call that got an answer must be given to :meth:`Budget.note` by the caller, who knows its body. A login
        (no ``authorize``) takes no slot: those who wait for its token hold them all.
        """
        if prepared.method not in _SAFE and not prepared.reads and not self._may_write:
            raise Refused(f"{prepared.method} {prepared.template} was asked of a connection that only reads")
        target = prepared.target
        self._prove(target)
        try:
            admitted = await self._budget.admit(purpose)
            sent = False
            try:
                if authorize is None:
                    outcome = await self._send(prepared, target, Authorization(), purpose)
                    proof = Authorization()
                else:
                    async with self._slots:
                        await self._budget.pause_over(purpose)
                        proof = await authorize()
                        if proof.query:
                            target = f"{target}{'&' if '?' in target else '?'}{proof.query}"
                            self._prove(target)
                        self._budget.sending(admitted)
                        before()
                        sent = True
                        outcome = await self._send(prepared, target, proof, purpose)
                sent = isinstance(outcome, Answered) or outcome.sent
                return outcome, proof
            finally:
                self._budget.finish(sent=sent)
        except Overtaken:
            return Lost(False, "not sent: a newer commit is there", wanted=False), Authorization()

    async def close(self) -> None:
        await self._wire.aclose()

    def _prove(self, target: str) -> None:
        """Raise Refused for what would not arrive as it was built. The first call proves the origin as well.

        Sockets send the very bytes, and only to the origin, so then the form of the target is all that is left.
        """
        if not self._origin_is_proved or len(target) > _PLAIN_MAX or _PLAIN.fullmatch(target) is None:
            self._pinned(target)
            self._origin_is_proved = True

    def _pinned(self, target: str) -> httpx.URL:
        """The URL, proved to be the origin and the very bytes that were built: clients fold dots, and we must not."""
        origin = self._origin
        try:
            url = httpx.URL(self._base + target)
            port = url.port or (443 if url.scheme == "https" else 80)
            pinned = url.scheme == origin.scheme and url.raw_host.decode() == origin.host and port == origin.port
            same = url.raw_path == target.encode("ascii") and not url.userinfo and not url.fragment
        except (httpx.InvalidURL, UnicodeError) as error:
            raise Refused("a request line that cannot be sent") from error
        if not pinned or not same or not target.startswith("/") or target.startswith("//"):
            raise Refused("a request line that would not arrive as it was built")
        return url

    async def _send(self, prepared: Prepared, target: str, proof: Authorization, purpose: Purpose) -> Answered | Lost:
        """Once, counted by what came of it."""
        loop = asyncio.get_running_loop()
        began, code = loop.time(), "cancelled"
        try:
            with span("call", method=prepared.method, path=prepared.template, purpose=purpose.value) as within:
                outcome = await self._sent(prepared, target, proof, purpose)
                if isinstance(outcome, Answered):
                    code = str(outcome.status) if 100 <= outcome.status <= 599 else "other"
                else:
                    code = "lost" if outcome.sent else "unsent"
                note(within, code=code)
            return outcome
        finally:
            self.answers[purpose.value, code] += 1
            self.took.note(loop.time() - began)

    async def _sent(self, prepared: Prepared, target: str, proof: Authorization, purpose: Purpose) -> Answered | Lost:
        self.calls[purpose.value] += 1
        of_task = CALLS_OF_TASK.get()
        if of_task is not None:
            of_task[0] += 1
        body = prepared.body or b""
        fields = [self._host, *prepared.headers, *proof.headers]
        if prepared.body is not None or prepared.method not in ("GET", "HEAD", "DELETE"):
            fields.append((b"content-length", b"%d" % len(body)))
        try:
            async with asyncio.timeout(self._deadline):
                return await self._receive(prepared.method, target, fields, body)
        except TimeoutError:
            return Lost(True, f"no whole answer within {self._deadline:g} s")
        except _NOT_SENT as error:
            return Lost(False, f"{_REASONS.get(type(error), 'not reached')}{_detail(error)}")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            return Lost(True, _REASONS.get(type(error), "the connection was lost before the answer was whole"))

    async def _receive(self, method: str, target: str, fields: list[tuple[bytes, bytes]], body: bytes) -> Answered:
        if isinstance(self._wire, SocketTransport):
            status, told, stream = await self._wire.call(method, target.encode("ascii"), fields, body)
        else:
            sent = httpx.Request(method, self._pinned(target), headers=fields, stream=httpx.ByteStream(body))
            response = await self._wire.handle_async_request(sent)
            assert isinstance(response.stream, httpx.AsyncByteStream)
            status, told, stream = response.status_code, response.headers.raw, response.stream
        try:
            headers: dict[str, str] = {}
            for raw_name, raw_value in told:
                name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
            content, fault = await _read(stream, headers.get("content-encoding", "").strip().lower())
            return Answered(status, headers, content, fault)
        finally:
            await stream.aclose()


_REASONS: dict[type[BaseException], str] = {
    httpx.ConnectError: "no connection",
    httpx.ConnectTimeout: "no connection in time",
    httpx.PoolTimeout: "no free connection in time",
    httpx.ProxyError: "the proxy refused",
    httpx.ReadTimeout: "no answer in time",
    httpx.RemoteProtocolError: "an answer that is not HTTP, or was cut short",
    httpx.LocalProtocolError: "a request that is not HTTP",
}


def _detail(error: Exception) -> str:
    """Only our own sentences about a connection; messages of proxies are foreign text."""
    text = str(error)
    return f": {text}" if isinstance(error, httpx.ConnectError) and text and text.isprintable() else ""


async def _read(stream: httpx.AsyncByteStream, coding: str) -> tuple[bytes, str]:
    """The decoded body, or why it was not taken: too large at either end, or in a coding that was not asked for."""
    if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        return b"", "an encoded body that was not asked for"
    inflate = zlib.decompressobj(_GZIP_OR_ZLIB) if coding not in ("", "identity") else None
    parts: list[bytes] = []
    size = 0
    async for chunk in stream:
        if inflate is not None:
            try:
                chunk = inflate.decompress(chunk, REPLY_MAX + 1 - size)
            except zlib.error:
                return b"", "a compressed body that is damaged"
            if inflate.unconsumed_tail or inflate.unused_data:
                return b"", "a compressed body that is too large or has more behind its end"
        size += len(chunk)
        if size > REPLY_MAX:
            return b"", f"a body of more than {REPLY_MAX >> 20} MiB"
        parts.append(chunk)
    if inflate is not None and size and not inflate.eof:
        return b"", "a compressed body that was cut short"
    return b"".join(parts), ""


def _wire_of(connection: Connection, origin: Origin) -> httpx.AsyncBaseTransport:
    """Plain sockets; httpx's own pool where a proxy stands between."""
    connect = min(_CONNECT_SECONDS, connection.deadline_seconds / 2)
    tls = tls_of(connection) if origin.scheme == "https" else None
    proxy = connection.proxy or (_proxy_of_environment(origin) if connection.trust_env else None)
    if proxy is None:
        return SocketTransport(origin.host, origin.port, tls, connect_seconds=connect, keep=connection.concurrency)
    limits = httpx.Limits(
        max_connections=connection.concurrency + 1,
        max_keepalive_connections=connection.concurrency,
        keepalive_expiry=30,
    )
    try:
        inner = httpx.AsyncHTTPTransport(
            verify=tls if tls is not None else ssl.create_default_context(),
            trust_env=False,
            http2=False,
            limits=limits,
            proxy=httpx.Proxy(proxy),
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ConfigError(f"the proxy of target {connection.target} cannot be used") from error
    return _WithConnectTimeout(inner, connect)


class _WithConnectTimeout(httpx.AsyncBaseTransport):
    """httpx's pool takes its timeouts from each request."""

    def __init__(self, inner: httpx.AsyncBaseTransport, seconds: float) -> None:
        self._inner = inner
        self._timeout = {"connect": seconds, "pool": seconds}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["timeout"] = self._timeout
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def tls_of(connection: Connection) -> ssl.SSLContext:
    import os

    import certifi

    cafile: str | None = str(connection.ca_file) if connection.ca_file is not None else None
    if cafile is None and connection.trust_env:
        cafile = os.environ.get("SSL_CERT_FILE")
    try:
        context = ssl.create_default_context(cafile=cafile or certifi.where())
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"the certificates of target {connection.target} cannot be read") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _proxy_of_environment(origin: Origin) -> str | None:
    """Where ``trust_env`` is configured: HTTPS_PROXY and NO_PROXY as every program understands them."""
    from urllib.request import getproxies, proxy_bypass

    if proxy_bypass(origin.host):
        return None
    proxies = getproxies()
    return proxies.get(origin.scheme) or proxies.get("all")

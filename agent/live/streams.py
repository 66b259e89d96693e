"""WebSockets of a platform: opened under the budget and the credential of every other call, and only read.

``Streams`` is made by ``open_api`` when first asked for; ``following`` turns what comes into lines. The only importer
of websockets. What it never does: follow a redirect, leave the pinned origin, use a proxy, inflate a frame, or hold
more than sixteen of them.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException
from websockets.uri import parse_uri

from agent.errors import LiveError, PlatformFault, Refused, Unintelligible
from agent.live.answers import classify, error_of, failed
from agent.live.auth import Authorization, Authorizer, CredentialRefused, LoginFailed
from agent.live.budget import Budget
from agent.live.connection import Connection, Origin
from agent.live.purpose import Purpose
from agent.live.requests import Prepared
from agent.live.transport import tls_of

FRAME_MAX = 1 << 20
_QUEUE_MAX = 16
# What we say when a frame cannot be taken: a broken protocol, bytes that are no text, too large.
_OUR_REFUSALS = {
    1002: "a frame that is not WebSocket",
    1007: "a frame that is not UTF-8",
    1009: "a frame of more than 1 MiB",
}
_ENDED = 1000


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """Seconds. ``ping``: between two pings, and how long an answer to one may take."""

    open: float = 10.0
    close: float = 2.0
    ping: float = 20.0


class StreamLost(PlatformFault):
    """The connection ended without the platform's word that all is told; another may go on."""


class Frames:
    """One open stream, frame by frame."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def next(self, seconds: float) -> str | None:
        """The next frame; None once the platform has closed the stream in order.

        Raises TimeoutError when none comes in time, :class:`StreamLost`, and Unintelligible for what is no text.
        """
        try:
            async with asyncio.timeout(seconds):
                frame = await self._connection.recv()
        except ConnectionClosed as error:
            if error.sent is not None and error.sent.code in _OUR_REFUSALS and not error.rcvd_then_sent:
                raise Unintelligible(f"the stream brought {_OUR_REFUSALS[error.sent.code]}") from None
            if error.rcvd is not None and error.rcvd.code == _ENDED:
                return None
            told = "lost" if error.rcvd is None else f"closed with code {error.rcvd.code}"
            raise StreamLost(f"the stream was {told}") from None
        if not isinstance(frame, str):
            raise Unintelligible("the stream brought a binary frame where text is due")
        return frame


class _Direct(connect):
    """Follows no redirect: its answer is judged like any other refusal."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Streams:
    """Opens the WebSockets of one target."""

    def __init__(
        self,
        connection: Connection,
        origin: Origin,
        budget: Budget,
        authorizer: Authorizer,
        calls: Counter[str],
        scrub: Callable[[str], str],
    ) -> None:
        self.scrub = scrub
        self.times = StreamTimes()
        self._connection = connection
        self._origin = origin
        self._budget = budget
        self._authorizer = authorizer
        self._calls = calls

    @asynccontextmanager
    async def open(self, prepared: Prepared) -> AsyncIterator[Frames]:
        """An open stream; closed when the block ends. Raises LiveError, and ConfigError for a credential."""
        logging.getLogger("websockets").setLevel(logging.WARNING)  # below it prints credentials
        if prepared.refusal:
            raise LiveError(prepared.refusal)
        if self._connection.proxy is not None:
            raise LiveError("this target is reached through a proxy, and streams are not")
        connection = await self._connected(prepared)
        try:
            yield Frames(connection)
        finally:
            try:
                await connection.close()
            except (WebSocketException, OSError):
                connection.transport.abort()

    async def _connected(self, prepared: Prepared) -> ClientConnection:
        """One handshake, and once more when a 401 found the credential out of date."""
        reading = prepared.reading
        for attempt in (1, 2):
            await self._budget.admit(Purpose.LOGS)
            sent = False
            try:
                proof = await self._authorizer.authorize()
                handshake = self._handshake(prepared, proof)
                sent = True
                self._calls[Purpose.LOGS.value] += 1
                return await handshake
            except LoginFailed as error:
                raise error_of(error.reply) from None
            except CredentialRefused as error:
                raise LiveError(str(error)) from None
            except InvalidStatus as error:
                response = error.response
                headers = {name.lower(): value for name, value in response.headers.raw_items()}
                reply = classify(reading, response.status_code, headers, bytes(response.body or b""))
                self._budget.note(headers, reply.body, response.status_code)
                if 200 <= response.status_code < 300:
                    reply = failed(reading, "broken", "an answer in HTTP where a WebSocket is due")
                if reply.answer != "unauthenticated" or attempt == 2 or not await self._authorizer.refused(proof):
                    raise error_of(reply) from None
            except (ssl.SSLError, TimeoutError, OSError) as error:
                raise error_of(failed(reading, "unreachable", _why(error))) from error
            except WebSocketException as error:
                message = "the answer to the handshake is no WebSocket's"
                raise error_of(failed(reading, "broken", message)) from error
            finally:
                self._budget.finish(sent=sent)
        raise AssertionError("two attempts end above")

    def _handshake(self, prepared: Prepared, proof: Authorization) -> connect:
        """The handshake, ready to be awaited, with the pinned origin and with the very bytes that were built."""
        origin, target, times = self._origin, prepared.target, self.times
        if proof.query:
            target = f"{target}{'&' if '?' in target else '?'}{proof.query}"
        secure = origin.scheme == "https"
        uri = f"{'wss' if secure else 'ws'}://{origin.authority}{target}"
        try:
            parsed = parse_uri(uri)
        except (InvalidURI, ValueError) as error:
            raise Refused("a request line that cannot be sent") from error
        pinned = (parsed.secure, parsed.host, parsed.port) == (secure, origin.host, origin.port)
        if not pinned or parsed.resource_name != target or parsed.username is not None or target.startswith("//"):
            raise Refused("a request line that would not arrive as it was built")
        return _Direct(
            uri,
            compression=None,
            additional_headers=[
                (name.decode("ascii"), value.decode("latin-1")) for name, value in prepared.headers + proof.headers
            ],
            user_agent_header=None,
            proxy=None,
            open_timeout=min(times.open, self._connection.deadline_seconds),
            ping_interval=times.ping,
            ping_timeout=times.ping,
            close_timeout=times.close,
            max_size=FRAME_MAX,
            max_queue=_QUEUE_MAX,
            ssl=tls_of(self._connection) if secure else None,
        )


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no connection in time"
    return "no connection"

"""Receivers of webhooks: judge who sends, bound what comes, hand the body on. Content is looked at by whom it is for.

Called by ``hooks`` for each request. A platform proves itself by a word that only it and we know: in the address
(``/hooks/platform/TARGET/WORD``), as a bearer token, or as the key of an HMAC over the raw body. Refusals are cheap,
have no body and are counted; nothing is answered that would tell whether a thing exists.
"""

from __future__ import annotations

import asyncio
import hmac
import math
import re
from collections import Counter
from collections.abc import Callable

import structlog
from starlette.requests import ClientDisconnect, Request

from agent.clock import Clock
from agent.server.keys import Secrets

STATUSES = (202, 400, 401, 413, 415, 429)
"""Everything that a receiver answers."""
BODY_MAX = 1024 * 1024
_BODY_SECONDS = 10.0
_BURST, _PER_SECOND = 1000.0, 100.0
_BYTES_OF_ONE = 16 * 1024  # a bigger body counts as several requests
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})")
_JSON = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json", re.IGNORECASE)

_log = structlog.get_logger("datakeel.server")


class Rate:
    """A bucket of requests that fills again by and by."""

    def __init__(self, clock: Clock, burst: float = _BURST, per_second: float = _PER_SECOND) -> None:
        self._clock = clock
        self._burst = burst
        self._per_second = per_second
        self._level = burst
        self._at = clock.monotonic()

    def allows(self) -> bool:
        now = self._clock.monotonic()
        self._level = min(self._burst, self._level + (now - self._at) * self._per_second)
        self._at = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True

    def charge(self, more: float) -> None:
        self._level -= more


class Receiver:
    """The webhooks of one target. ``take`` is given the body and says ``accepted``, ``ignored`` or ``malformed``.

    ``secrets`` None: whoever reaches the address may send, which is for addresses of this machine only. ``counts`` are
    answers by status.
    """

    def __init__(self, name: str, take: Callable[[bytes], str], secrets: Secrets | None, clock: Clock) -> None:
        self.counts: Counter[int] = Counter()
        self._name = name
        self._take = take
        self._secrets = secrets
        # Whoever only claims to have signed must not use up what proven senders may send.
        self._proven, self._claimed = Rate(clock), Rate(clock)
        self._clock = clock
        self._told: dict[int, float] = {}

    async def answer(self, request: Request, word: str | None) -> int:
        """The status of the answer; ``word`` is what stood in the address behind the target."""
        status = await self._judged(request, word)
        self.counts[status] += 1
        now = self._clock.monotonic()
        if status != 202 and now - self._told.get(status, -math.inf) >= 1.0:  # a line a second for each reason
            self._told[status] = now
            _log.warning("hook.refused", target=self._name, status=status, so_far=self.counts[status])
        return status

    async def _judged(self, request: Request, word: str | None) -> int:
        if not _is_json(request):
            return 415
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > BODY_MAX:
            return 413
        valid = await self._secrets.valid() if self._secrets is not None else ()
        proven = self._secrets is None or _knows(request, word, valid)
        signature = _SIGNATURE.fullmatch(request.headers.get("x-hub-signature-256", ""))
        if not proven and signature is None:
            return 401
        rate = self._proven if proven else self._claimed
        if not rate.allows():
            return 429
        body = await _body(request)
        if isinstance(body, int):
            return body
        rate.charge(len(body) // _BYTES_OF_ONE)
        if not proven and signature is not None and not _signed(body, signature[1], valid):
            return 401
        return 400 if self._take(body) == "malformed" else 202


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    return bool(_JSON.fullmatch(kind)) and request.headers.get("content-encoding", "identity").lower() == "identity"


def _knows(request: Request, word: str | None, valid: tuple[bytes, ...]) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = word if word is not None else token if scheme.lower() == "bearer" else ""
    return any(hmac.compare_digest(given.encode("utf-8", "replace"), secret) for secret in valid)


def _signed(body: bytes, signature: str, valid: tuple[bytes, ...]) -> bool:
    return any(hmac.compare_digest(hmac.digest(secret, body, "sha256").hex(), signature) for secret in valid)


async def _body(request: Request) -> bytes | int:
    """The raw body, or the status that refuses it: too big, too slow, cut off."""
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > BODY_MAX:
                    return 413
                pieces.append(piece)
    except (TimeoutError, ClientDisconnect):
        return 400
    return b"".join(pieces)

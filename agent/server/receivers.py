"""Receivers of webhooks: judge who sends, bound what comes, hand the body on. Content is looked at by whom it is for.

Called by ``hooks`` for each request; ``proofs`` tells by what a sender proves itself. Refusals are cheap, have no body
and are counted; nothing is answered that would tell whether a thing exists.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections import Counter
from collections.abc import Callable

import structlog
from starlette.requests import ClientDisconnect, Request

from agent.clock import Clock
from agent.server.keys import Secrets
from agent.server.proofs import PLATFORM, Manner

STATUSES = (202, 400, 401, 413, 415, 429)
"""Everything that a receiver answers."""
BODY_MAX = 1024 * 1024
_BODY_SECONDS = 10.0
_BURST, _PER_SECOND = 1000.0, 100.0
_BYTES_OF_ONE = 16 * 1024  # a bigger body counts as several requests
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
    """One receiver. ``take`` is given body and name of an event, and says ``accepted``, ``ignored`` or ``malformed``.

    ``name`` is how its address ends: ``platform/TARGET``, ``git/SOURCE``. ``secrets`` None: whoever reaches the address
    may send, which is for addresses of this machine only. ``counts`` are answers by status.
    """

    def __init__(
        self,
        name: str,
        take: Callable[[bytes, str], str],
        secrets: Secrets | None,
        clock: Clock,
        manner: Manner = PLATFORM,
    ) -> None:
        self.counts: Counter[int] = Counter()
        self.name = name
        self._take = take
        self._secrets = secrets
        self._manner = manner
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
            _log.warning("hook.refused", receiver=self.name, status=status, so_far=self.counts[status])
        return status

    async def _judged(self, request: Request, word: str | None) -> int:
        if not _is_json(request):
            return 415
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > BODY_MAX:
            return 413
        valid = await self._secrets.valid() if self._secrets is not None else ()
        proven = self._secrets is None or self._manner.knows(request, word, valid)
        claim = None if proven else self._manner.claim(request)
        if not proven and claim is None:
            return 401
        rate = self._proven if proven else self._claimed
        if not rate.allows():
            return 429
        body = await _body(request)
        if isinstance(body, int):
            return body
        rate.charge(len(body) // _BYTES_OF_ONE)
        if claim is not None and not claim.holds(body, valid):
            return 401
        return 400 if self._take(body, self._manner.event(request)) == "malformed" else 202


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    return bool(_JSON.fullmatch(kind)) and request.headers.get("content-encoding", "identity").lower() == "identity"


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

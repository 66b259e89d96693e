"""What an answer tells about the rate limit, read with suspicion. Pure; called by ``budget``.

Platforms write resets as seconds, epoch seconds, epoch milliseconds or dates, and sometimes as nonsense
(``design/fault-model.md`` A10 to A12). Nonsense is named and ignored, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from agent.definitions.platform import BudgetRule

_COUNT = re.compile(r"([0-9]{1,12})(?:\s*[,;].*)?")
_SECONDS = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_MILLISECONDS_ABOVE = 1e12
_EPOCH_ABOVE = 1e9


@dataclass(frozen=True, slots=True)
class Told:
    """``reset_seconds`` from now, never negative. ``nonsense`` are the headers that could not be understood."""

    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None
    nonsense: tuple[str, ...] = ()


def read_limits(rule: BudgetRule, headers: Mapping[str, str], now: float) -> Told:
    """The limit headers of any answer. ``now`` is the wall clock; the server's own ``Date`` is preferred to it."""
    nonsense: list[str] = []
    limit = _count(rule.header_limit, headers, nonsense)
    remaining = _count(rule.header_remaining, headers, nonsense)
    reset = _reset(rule.header_reset, headers, now, nonsense)
    return Told(limit, remaining, reset, tuple(nonsense))


def read_wait(rule: BudgetRule, headers: Mapping[str, str], body: Any, now: float) -> tuple[float | None, str]:
    """Seconds that a 429 asks for, and the header that was nonsense. Retry-After, then the body, then the reset."""
    nonsense = ""
    text = headers.get("retry-after", "").strip()
    if text:
        if _SECONDS.fullmatch(text):
            return float(text), nonsense
        moment = moment_of(text)
        if moment is not None:
            return max(0.0, moment - _server_now(headers, now)), nonsense
        nonsense = "retry-after"
    wait = _number(rule.retry_after.search(body)) if rule.retry_after is not None and body is not None else None
    if wait is not None:
        return wait, nonsense
    return _reset(rule.header_reset, headers, now, []), nonsense


def _count(name: str | None, headers: Mapping[str, str], nonsense: list[str]) -> int | None:
    if name is None or name not in headers:
        return None
    found = _COUNT.fullmatch(headers[name].strip())
    if found is None:
        nonsense.append(name)
        return None
    return int(found[1])


def _reset(name: str | None, headers: Mapping[str, str], now: float, nonsense: list[str]) -> float | None:
    if name is None or name not in headers:
        return None
    text = headers[name].strip()
    if _SECONDS.fullmatch(text):
        value = float(text)
        if value > _MILLISECONDS_ABOVE:
            return max(0.0, value / 1000 - _server_now(headers, now))
        if value > _EPOCH_ABOVE:
            return max(0.0, value - _server_now(headers, now))
        return value
    moment = moment_of(text)
    if moment is None:
        nonsense.append(name)
        return None
    return max(0.0, moment - _server_now(headers, now))


def _server_now(headers: Mapping[str, str], now: float) -> float:
    """Moments of the server are compared with the server's clock, so that ours may be wrong."""
    moment = moment_of(headers.get("date", ""))
    return now if moment is None else moment


@lru_cache(maxsize=64)
def moment_of(text: str) -> float | None:
    """Epoch seconds of an HTTP date or an ISO date."""
    if not text or not text.isascii() or len(text) > 64:
        return None
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = parse(text)
            return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return float(min(value, 10**9)) if value >= 0 else None
    if isinstance(value, str) and _SECONDS.fullmatch(value.strip()):
        return float(value)
    return None

"""What single answers tell beside their content: whose clock is wrong, when a token ends, what the limit is. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime

from agent.definitions.platform import BudgetRule, Window
from agent.live.rate_headers import Told, moment_of, read_limits
from agent.model.examined import Finding
from agent.report.values import duration

SKEW_SECONDS = 5.0
"""How far two clocks may be apart before anybody cares: HTTP tells whole seconds, and a call takes its time."""
ENDS_SOON_SECONDS = 7 * 86_400.0
_EXPIRY = re.compile(r"(?:token|credential|key|session)[a-z-]*expir|expir[a-z-]*(?:token|credential|key|session)")
_DAY = 86_400


def clock(headers: Mapping[str, str], before: float, after: float) -> Finding | None:
    """Our clock against the platform's ``Date``; ``before`` and ``after`` the call by ours, in epoch seconds."""
    try:
        theirs = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    # The second that it tells has passed in part: the answer was made between `theirs` and a second later.
    ahead = before - theirs - 1 if before > theirs + 1 else after - theirs if after < theirs else 0.0
    facts = {"clock_ahead_seconds": round(ahead, 1)}
    if abs(ahead) <= SKEW_SECONDS:
        return Finding("clock", "ok", "as the platform's", facts=facts)
    side = "ahead of" if ahead > 0 else "behind"
    said = f"{duration(abs(ahead))} {side} the platform's: what expires, and when a window opens, is judged by it"
    return Finding("clock", "warn", said, "let NTP set this machine's clock (timedatectl set-ntp true)", facts=facts)


def expiry_told(headers: Mapping[str, str], now: float) -> float | None:
    """When the credential ends, by a header that says so (``…-token-expiration``), in epoch seconds."""
    for name, text in headers.items():
        moment = moment_of(text.replace(" UTC", "+00:00")) if _EXPIRY.search(name) else None
        if moment is not None and moment > now - 10 * 365 * _DAY:
            return moment
    return None


def expiry(names: str, ends: float | None, now: float) -> Finding:
    """A credential that the platform accepts, or has refused, by when it ends."""
    if ends is None:
        return Finding("credential", "ok", f"{names} is accepted, and does not tell when it ends")
    left, facts = ends - now, {"credential_ends": int(ends)}
    if left <= 0:
        said = f"{names} has ended {duration(-left)} ago"
        return Finding("credential", "bad", said, "make a new token, and put it where the reference leads", facts=facts)
    soon = left < ENDS_SOON_SECONDS
    fix = "make a new token before it does" if soon else None
    return Finding("credential", "warn" if soon else "ok", f"{names} ends in {duration(left)}", fix, facts=facts)


def limits(rule: BudgetRule, windows: Sequence[Window], headers: Mapping[str, str], now: float, target: str) -> Finding:
    """What the platform says of its rate limit against the windows that are kept."""
    kept = " and ".join(f"{window.requests} in {duration(window.seconds)}" for window in windows) or "none"
    named = [name for name in (rule.header_limit, rule.header_remaining, rule.header_reset) if name is not None]
    told: Told = read_limits(rule, headers, now)
    if told.nonsense:
        said = f"{', '.join(told.nonsense)} cannot be understood; kept: {kept}"
        return Finding("limits", "warn", said, "correct `budget.headers` of the definition")
    if told.limit is None:
        missing = f"{', '.join(named)} did not come" if named else "the definition names no header that tells one"
        return Finding("limits", "warn" if named else "ok", f"{missing}; kept: {kept}")
    facts = {"rate_limit": told.limit, "rate_remaining": told.remaining}
    left = f", {told.remaining} left" if told.remaining is not None else ""
    smallest = min((window.requests for window in windows), default=None)
    if smallest is not None and told.limit < smallest:
        said = f"the platform says {told.limit}{left}; kept: {kept}"
        fix = f"targets.{target}.budget: [{{requests: {told.limit}, every: 1m}}]"
        return Finding("limits", "warn", said, fix, facts=facts)
    return Finding("limits", "ok", f"the platform says {told.limit}{left}; kept: {kept}", facts=facts)

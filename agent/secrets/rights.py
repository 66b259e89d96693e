"""What a token says of itself: the scopes, the end and the subject of a JSON web token, read and not verified.

Used by ``cli/opening`` for a check, which needs a token that reads (row C4 of the fault model), and by ``live/auth``
for the metric that tells when one ends, and to notice that one is another's. Nothing is permitted by it: most tokens
say nothing.
"""

from __future__ import annotations

import re
from typing import Any

from agent.secrets.secret import Secret

# RFC 9068 and RFC 8693 call it `scope`; others of their time call it `scp`, `scopes` or `permissions`.
_CLAIMS = ("scope", "scp", "scopes", "permissions")
# The tenant as Microsoft Entra and Auth0 tell it: a user may be known by the same word in two.
_TENANTS = ("tid", "org_id")
_WRITES = re.compile(r"(?i)(?:^|[^a-z])(?:write|admin|manage|create|update|delete|owner|all)(?:$|[^a-z])|\*")
_PAYLOAD_MAX = 16 * 1024
_END_OF_TIME = 253_402_300_800  # the year 10000, beyond which no clock of ours goes


def rights_to_write(token: Secret) -> tuple[str, ...]:
    """The scopes of a token that let it change something; none where it says nothing."""
    claims = _claims(token)
    words: list[object] = []
    for said in (claims.get(name) for name in _CLAIMS):
        words += said.split() if isinstance(said, str) else said if isinstance(said, list) else ()
    return tuple(word for word in words if isinstance(word, str) and _WRITES.search(word))


def expiry_of(token: Secret) -> float | None:
    """When the token ends by its own word (``exp`` of RFC 7519), in epoch seconds; None where it says nothing."""
    end = _claims(token).get("exp")
    return float(end) if isinstance(end, int | float) and not isinstance(end, bool) and 0 < end < _END_OF_TIME else None


def subject_of(token: Secret) -> str | None:
    """Whom the token speaks for by its own word (``sub`` of RFC 7519), below its tenant; None where it says nothing."""
    claims = _claims(token)
    told = [claims.get(name) for name in (*_TENANTS, "sub")]
    return "/".join(word for word in told if isinstance(word, str) and word) if isinstance(told[-1], str) else None


def _claims(token: Secret) -> dict[str, Any]:
    import base64
    import json

    parts = token.reveal().split(".")
    if len(parts) != 3 or not parts[0].startswith("eyJ") or len(parts[1]) > _PAYLOAD_MAX:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}

"""What a token says of its own rights: the scopes of a JSON web token, read and not verified.

Used by ``cli/opening`` for a check, which needs a token that reads (row C4 of the fault model). Nothing is decided by
it: most tokens say nothing, and a token that says too much gets a warning.
"""

from __future__ import annotations

import re

from agent.secrets.secret import Secret

# RFC 9068 and RFC 8693 call it `scope`; others of their time call it `scp`, `scopes` or `permissions`.
_CLAIMS = ("scope", "scp", "scopes", "permissions")
_WRITES = re.compile(r"(?i)(?:^|[^a-z])(?:write|admin|manage|create|update|delete|owner|all)(?:$|[^a-z])|\*")
_PAYLOAD_MAX = 16 * 1024


def rights_to_write(token: Secret) -> tuple[str, ...]:
    """The scopes of a token that let it change something; none where it says nothing."""
    import base64
    import json

    parts = token.reveal().split(".")
    if len(parts) != 3 or not parts[0].startswith("eyJ") or len(parts[1]) > _PAYLOAD_MAX:
        return ()
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return ()
    if not isinstance(claims, dict):
        return ()
    words: list[object] = []
    for said in (claims.get(name) for name in _CLAIMS):
        words += said.split() if isinstance(said, str) else said if isinstance(said, list) else ()
    return tuple(word for word in words if isinstance(word, str) and _WRITES.search(word))

"""Who may look: who knows the token, or whom a proxy that is named vouches for.

Called by ``app`` before each route that is not open. A token is given as ``Authorization: Bearer``, or as the password
of Basic authentication under any name, so that a browser can ask a person for it. A proxy's header counts only when the
connection itself comes from one of its addresses.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.types import Scope

from agent.server.answers import header_of
from agent.server.keys import Secrets

CHALLENGE = {"WWW-Authenticate": 'Basic realm="datakeel", charset="UTF-8"'}


class Access:
    """``everybody``: whoever reaches the address may look."""

    def __init__(
        self,
        *,
        everybody: bool = False,
        token: Secrets | None = None,
        user_header: str | None = None,
        proxies: Sequence[IPv4Network | IPv6Network] = (),
    ) -> None:
        self._everybody = everybody
        self._token = token
        self._user_header = user_header.encode("latin-1") if user_header is not None else None
        self._proxies = tuple(proxies)

    async def allows(self, scope: Scope) -> bool:
        """Whether this request may look."""
        if self._everybody or self._is_vouched_for(scope):
            return True
        given = _given(header_of(scope, b"authorization") or "")
        if self._token is None or given is None:
            return False
        return any(hmac.compare_digest(given, valid) for valid in await self._token.valid())

    def _is_vouched_for(self, scope: Scope) -> bool:
        if self._user_header is None or not (header_of(scope, self._user_header) or "").strip():
            return False
        client = scope.get("client")
        try:
            address = ip_address(client[0]) if client else None
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return address is not None and any((mapped or address) in network for network in self._proxies)


def _given(authorization: str) -> bytes | None:
    """The token of an ``Authorization`` header; None where it has none."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode("latin-1")
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(rest.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return password if colon else None

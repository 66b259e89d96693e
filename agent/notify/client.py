"""One request to a forge: bounded in size and time, and its answer as a value, an error, or a reason to ask again.

The proxy and the certificates of the environment are used, as CI jobs have them. Redirects are not followed, so that
the token goes to the configured API only.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any

import httpx

from agent.clock import Clock
from agent.notify.forge import PAGE_ROWS, PAGES_MAX, ForgeError, Transient, too_many
from agent.report.escape import clean

_SECONDS = 30.0  # of one request, all in all
_BYTES_MAX = 32 << 20
_ASK_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_MESSAGE_MAX = 200


class Client:
    """The API of one forge with one credential. Use it as a context, so that its connections are closed."""

    def __init__(self, api: str, headers: Mapping[str, str], clock: Clock) -> None:
        self.api = api.rstrip("/")
        self._clock = clock
        self._http = httpx.AsyncClient(
            headers={"User-Agent": "datakeel", **headers},
            timeout=_SECONDS,
            follow_redirects=False,
            verify=_certificates(),
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._http.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str | int] | None = None,
        rights: str = "",
        accept: frozenset[int] = frozenset(),
    ) -> Any:
        """The JSON of the answer. ``path`` is below the API, or a whole address. ``rights`` are what a 403 may lack.

        A status in ``accept`` is an answer too. Raises ForgeError and Transient.
        """
        import asyncio

        address = path if path.startswith(("http://", "https://")) else f"{self.api}{path}"
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if content is not None else {}
        try:
            async with asyncio.timeout(_SECONDS):
                async with self._http.stream(
                    method, address, content=content, headers=headers, params=query
                ) as response:
                    raw = await _read(response)
        except httpx.InvalidURL as error:
            raise ForgeError(f"{clean(address, 200)} is not an address", fix="see --api") from error
        except (httpx.TransportError, TimeoutError) as error:
            raise Transient(f"{method} {_shown(address)}: no answer ({type(error).__name__})") from error
        if response.is_success or response.status_code in accept:
            return _json(raw, method, address)
        raise self._refusal(response, raw, f"{method} {_shown(address)}", rights)

    async def rows(
        self, path: str, what: str, *, query: Mapping[str, str | int] | None = None, rights: str = "", within: str = ""
    ) -> AsyncIterator[dict[str, Any]]:
        """Every element of a list, page after page; ``within`` names the member that holds it, ``what`` is in it.

        Raises ForgeError, also where it has no end, and Transient.
        """
        for page in range(1, PAGES_MAX + 1):
            paged = {**(query or {}), "per_page": PAGE_ROWS, "page": page}
            answer = await self.ask("GET", path, query=paged, rights=rights)
            rows = answer.get(within) if within and isinstance(answer, dict) else answer
            for row in rows or ():
                yield row
            if not rows or len(rows) < PAGE_ROWS:
                return
        raise too_many(what)

    def _refusal(self, response: httpx.Response, raw: bytes, call: str, rights: str) -> Exception:
        status = response.status_code
        told = _message(raw)
        what = f"{call} answered {status}" + (f": {told}" if told else "")
        wait = self._wait_of(response)
        if status in _ASK_AGAIN or (status == 403 and wait is not None):
            return Transient(what, wait or 0.0)
        if status == 401:
            return ForgeError(what, code="forge-unauthorized", fix="the token is wrong or has ended; give another one")
        if status in (403, 404):
            fix = f"give the token the right to {rights}" if rights else "give the token the right to do this"
            why = "a forge answers 404 also for what a token may not see" if status == 404 else None
            return ForgeError(what, code="forge-forbidden", why=why, fix=fix)
        if 300 <= status < 400:
            return ForgeError(what, fix="write the address of the API that it leads to: --api")
        return ForgeError(what)

    def _wait_of(self, response: httpx.Response) -> float | None:
        """What the answer asks to wait: ``Retry-After``, or the reset of a window that is used up."""
        after = response.headers.get("retry-after", "")
        if after.isdecimal():
            return float(after)
        reset = response.headers.get("x-ratelimit-reset") or response.headers.get("ratelimit-reset") or ""
        left = response.headers.get("x-ratelimit-remaining") or response.headers.get("ratelimit-remaining")
        if left == "0" and reset.isdecimal():
            return max(0.0, float(reset) - self._clock.now())
        return None


@cache
def _certificates() -> ssl.SSLContext:
    """Those of the environment (``SSL_CERT_FILE``), else certifi's; reading them takes longer than a request."""
    return httpx.create_ssl_context()


async def _read(response: httpx.Response) -> bytes:
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > _BYTES_MAX:
            raise ForgeError(f"the forge's answer is larger than {_BYTES_MAX} bytes")
        parts.append(part)
    return b"".join(parts)


def _json(raw: bytes, method: str, address: str) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        what = f"{method} {_shown(address)} answered what is not JSON"
        raise ForgeError(what, fix="is --api the address of the API, not of its pages?") from error


def _message(raw: bytes) -> str:
    """The sentence of the forge: GitHub's ``message``, GitLab's ``message`` or ``error``."""
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    told = (answer.get("message") or answer.get("error")) if isinstance(answer, dict) else None
    return clean(told if isinstance(told, str) else json.dumps(told), _MESSAGE_MAX) if told else ""


def _shown(address: str) -> str:
    return clean(address.partition("?")[0], 200)

"""One message as an HTTP request: a CloudEvents document, signed as https://www.standardwebhooks.com describes.

Or, with a ``body`` of the configuration, whatever an API takes: a deployment marker, a ticket. Redirects are not
followed, so that neither message nor credential goes anywhere else.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from agent.clock import Clock
from agent.errors import ConfigError
from agent.model.alert import Message
from agent.notify.sending import NotSent, words_of

SECONDS = 15.0  # of one request, all in all
_ANSWER_MAX = 64 << 10
_WORD = re.compile(r"\{([a-z_]+)\}")
_ASK_AGAIN = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class Webhook:
    """``url``, ``secret`` and ``token`` are read at each attempt, so that a rotation needs no restart."""

    url: Callable[[], str]
    clock: Clock
    secret: Callable[[], str] | None = None
    token: Callable[[], str] | None = None
    body: Any = None
    client: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(trust_env=False, follow_redirects=False)

    async def __call__(self, message: Message) -> None:
        """Raises NotSent."""
        try:
            request = self._request(message)
        except ConfigError as error:  # a secret that cannot be read now may be there soon
            raise NotSent(error.what) from error
        try:
            url, content, headers = request
            async with (
                asyncio.timeout(SECONDS),
                self.client() as client,
                client.stream("POST", url, content=content, headers=headers) as answer,
            ):
                await _drained(answer)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise NotSent("its address is none") from error
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, OSError) as error:
            raise NotSent(f"no answer ({type(error).__name__})") from error
        if not answer.is_success:
            status = answer.status_code
            never = 400 <= status < 500 and status not in _ASK_AGAIN | {401, 403, 404}
            raise NotSent(f"answered {status}", wait_seconds=_wait_of(answer), never=never)

    def _request(self, message: Message) -> tuple[str, bytes, dict[str, str]]:
        if self.body is None:
            content, kind = _bytes(message.event), "application/cloudevents+json"
        else:
            content, kind = _bytes(filled(self.body, words_of(message.event))), "application/json"
        headers = {"User-Agent": "datakeel", "Content-Type": kind}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token()}"
        if self.secret is not None:
            headers |= signed(self.secret(), message.id, int(self.clock.now()), content)
        return self.url(), content, headers


def signed(secret: str, id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of https://github.com/standard-webhooks/standard-webhooks: HMAC-SHA256 over id, time and body.

    A secret that begins with ``whsec_`` is base64, any other is its own bytes. Raises ConfigError.
    """
    key = secret.encode()
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConfigError(
                "a secret that begins with whsec_ goes on in base64", code="credential-invalid"
            ) from error
    mac = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def filled(body: Any, words: Mapping[str, Any]) -> Any:
    """The body with each ``{word}`` of its texts replaced; a text that is one word and nothing else keeps its type."""
    if isinstance(body, Mapping):
        return {name: filled(member, words) for name, member in body.items()}
    if isinstance(body, list | tuple):
        return [filled(member, words) for member in body]
    if not isinstance(body, str):
        return body
    whole = _WORD.fullmatch(body)
    if whole is not None and whole[1] in words:
        return words[whole[1]]
    return _WORD.sub(lambda found: _text(words[found[1]]) if found[1] in words else found[0], body)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _bytes(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


async def _drained(answer: httpx.Response) -> None:
    """What it says is not ours to keep; a flood of it is not taken in."""
    size = 0
    async for part in answer.aiter_raw():
        size += len(part)
        if size > _ANSWER_MAX:
            return


def _wait_of(answer: httpx.Response) -> float:
    after = answer.headers.get("retry-after", "")
    return float(after) if after.isdecimal() and len(after) < 7 else 0.0

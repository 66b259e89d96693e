"""How a sender of webhooks proves that it knows the secret: by saying it, or by signing the raw body with it.

Used by ``receivers``. All comparisons are of bytes and in constant time. Replays are no concern here: a delivery that
comes again says again to look, which costs what one look costs.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from starlette.requests import Request

_HEX = re.compile(r"(?:sha256=)?([0-9a-f]{64})")
_ENCODED_KEY = b"whsec_"  # Standard Webhooks: what follows is the key in base64


class Claim(NamedTuple):
    """A signature that is not checked yet; ``before`` is what was signed in front of the body."""

    signature: bytes
    before: bytes = b""

    def holds(self, body: bytes, secrets: Iterable[bytes]) -> bool:
        return any(
            hmac.compare_digest(hmac.digest(_key(secret), self.before + body, "sha256"), self.signature)
            for secret in secrets
        )


@dataclass(frozen=True, slots=True)
class Manner:
    """Headers in lower case: ``tokens`` hold the secret itself, ``signatures`` an HMAC-SHA256, ``events`` a word."""

    signatures: tuple[str, ...] = ("x-hub-signature-256",)
    tokens: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    def knows(self, request: Request, word: str | None, secrets: Iterable[bytes]) -> bool:
        """Whether the secret stands in the address (``word``), in ``Authorization: Bearer``, or in a header of ours."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = [word] if word is not None else [token] if scheme.lower() == "bearer" else []
        given += [request.headers[name] for name in self.tokens if name in request.headers]
        said = [text.encode("utf-8", "replace") for text in given]
        return any(hmac.compare_digest(one, secret) for one in said for secret in secrets)

    def claim(self, request: Request) -> Claim | None:
        """The first signature that is there and has the form of one."""
        return next((claim for name in self.signatures for claim in _claims(request, name)), None)

    def event(self, request: Request) -> str:
        """What the sender calls the event; empty when it does not."""
        return next((request.headers[name] for name in self.events if name in request.headers), "")


PLATFORM = Manner()
FORGE = Manner(
    # GitHub and whoever does as it does; Forgejo and Gitea; Standard Webhooks, which newer versions of GitLab speak.
    signatures=(
        *("x-hub-signature-256", "x-forgejo-signature", "x-gitea-signature", "webhook-signature"),
        "x-hub-signature",  # Bitbucket's is of SHA-256 too; one of SHA-1 has not the form
    ),
    tokens=("x-gitlab-token",),
    events=("x-github-event", "x-gitlab-event", "x-forgejo-event", "x-gitea-event", "x-event-key"),
)


def _claims(request: Request, name: str) -> Iterator[Claim]:
    text = request.headers.get(name, "")
    if name != "webhook-signature":
        found = _HEX.fullmatch(text)
        if found is not None and found[0].startswith("sha256=") is name.startswith("x-hub-"):
            yield Claim(bytes.fromhex(found[1]))
        return
    before = f"{request.headers.get('webhook-id', '')}.{request.headers.get('webhook-timestamp', '')}."
    for one in text.split(" ")[:1]:
        version, _, encoded = one.partition(",")
        signature = _decoded(encoded)
        if version == "v1" and len(signature) == 32:
            yield Claim(signature, before.encode("latin-1", "replace"))


def _key(secret: bytes) -> bytes:
    if not secret.startswith(_ENCODED_KEY):
        return secret
    return _decoded(secret.removeprefix(_ENCODED_KEY).decode("ascii", "replace")) or secret


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""

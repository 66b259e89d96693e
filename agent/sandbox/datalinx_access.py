"""Who may call the emulated Datalinx AI: logins with their tokens, service accounts with their keys.

From the page: both headers, the login's body and its answer, 3600 seconds. Guesses: the first user has the address of
the page's example and the sandbox's own token for a password; a role with the word `viewer` reads only; where both
headers come, the key counts. The page says nothing of a refresh: one logs in again. Called by
:mod:`agent.sandbox.datalinx`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from agent.sandbox.clock import moment
from agent.sandbox.datalinx_answers import invalid, refusal_for
from agent.sandbox.datalinx_collections import Collections
from agent.sandbox.datalinx_kinds import KINDS
from agent.sandbox.messages import Answer, Refusal, Request, json_answer, json_bytes
from agent.sandbox.shelf import Record, Shelf
from agent.sandbox.world import Author, Token, World

FIRST_USER = "user@example.com"
LASTS = 3600
_USER, _ACCOUNT = KINDS["user"], KINDS["service-account"]


class Access:
    def __init__(self, world: World, shelf: Shelf, collections: Collections) -> None:
        self._world = world
        self._shelf = shelf
        self._collections = collections

    def authenticate(self, request: Request) -> Token:
        key = request.headers.get("x-api-key")
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        value = bearer.strip() if key is None and scheme.lower() == "bearer" else key
        token = self._world.tokens.get(value or "")
        if token is None or _is_login(token) != (key is None):
            raise refusal_for(401)
        if token.expires is not None and self._world.clock.now() >= token.expires:
            raise Refusal(401, "TOKEN_EXPIRED", "Token has expired")
        return token

    # Logins

    def login(self, sent: Mapping[str, Any]) -> Answer:
        """The answer has no envelope, as the page prints it."""
        email, password = sent.get("email"), sent.get("password")
        if not isinstance(email, str) or not isinstance(password, str):
            raise invalid("'email' and 'password' are required")
        user = next((each for each in self._collections.all(_USER, "") if each["body"]["email"] == email), None)
        if user is None or not self._is_password(user, password):
            raise Refusal(401, "INVALID_CREDENTIALS", "Invalid email or password")
        now = self._world.clock.now()
        for token in list(self._world.tokens.values()):
            if _is_login(token) and token.expires is not None and now >= token.expires:
                self._world.revoke_token(token.value)
        made = self._world.create_token(
            float(LASTS), owner=email, scopes=_scopes(user["body"]), value=self._signed(email, now)
        )
        return json_answer(200, {"access_token": made.value, "token_type": "bearer", "expires_in": LASTS})

    def _is_password(self, user: Record, password: str) -> bool:
        known = user["body"].get("password")
        if known is not None:
            return hmac.compare_digest(str(known).encode(), password.encode())
        token = self._world.tokens.get(password)
        return user["name"] == FIRST_USER and token is not None and not _is_login(token)

    def _signed(self, email: str, now: float) -> str:
        claims = {
            "sub": email,
            "iat": int(now),
            "exp": int(now) + LASTS,
            "jti": f"{self._world.random.getrandbits(64):x}",
        }
        text = f"{_encoded(json_bytes({'alg': 'HS256', 'typ': 'JWT'}))}.{_encoded(json_bytes(claims))}"
        key = f"{self._world.seed}/datalinx".encode()
        return f"{text}.{_encoded(hmac.new(key, text.encode(), hashlib.sha256).digest())}"

    # Service accounts

    def shown(self, account: Record) -> dict[str, Any]:
        """Without the key."""
        return self._collections.shown({**account, "body": _without_key(account["body"])})

    def create(self, sent: Mapping[str, Any], author: Author) -> dict[str, Any]:
        """The only answer, but that of `rotate-key`, in which the key is to be read."""
        account = self._collections.create(_ACCOUNT, "", _without_key(sent), author)
        return {**self.shown(account), "api_key": self._new_key(account)}

    def rotate(self, account: Record) -> dict[str, Any]:
        self._revoke(account)
        return {**self.shown(account), "api_key": self._new_key(account)}

    def delete(self, account: Record, author: Author) -> None:
        self._revoke(account)
        self._collections.delete(_ACCOUNT, "", account, author)

    def key_info(self, account: Record) -> dict[str, Any]:
        kept = self._shelf.get("key", "", account["id"]) or {}
        value = kept.get("value", "")
        return {"id": account["id"], "api_key": f"{value[:6]}********", "created_at": moment(kept.get("created", 0))}

    def _new_key(self, account: Record) -> str:
        value = f"dlx_{self._world.random.getrandbits(160):040x}"
        self._world.create_token(None, owner=account["name"], scopes=_scopes(account["body"]), value=value)
        self._shelf.keep("key", "", account["id"], {"value": value, "created": self._world.clock.now()})
        return value

    def _revoke(self, account: Record) -> None:
        kept = self._shelf.get("key", "", account["id"])
        if kept is not None:
            self._world.revoke_token(kept["value"])
            self._shelf.keep("key", "", account["id"], None)


def _is_login(token: Token) -> bool:
    return token.value.count(".") == 2 and token.value.startswith("eyJ")


def _scopes(body: Mapping[str, Any]) -> tuple[str, ...]:
    roles = body.get("roles") if isinstance(body.get("roles"), list) else [body.get("role")]
    return ("read",) if any(isinstance(role, str) and "viewer" in role for role in roles or ()) else ("read", "write")


def _without_key(body: Mapping[str, Any]) -> dict[str, Any]:
    return {word: value for word, value in body.items() if word != "api_key"}


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

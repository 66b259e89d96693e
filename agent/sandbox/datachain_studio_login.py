"""Device login of the emulated DataChain Studio: how the vendor's command line comes to a token, and gives it back.

The API page only names `datachain auth login`; the requests are those of its client. Nobody has to click here: a login
counts as approved when the time to readiness has passed. Used by :mod:`agent.sandbox.datachain_studio`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.sandbox.datachain_studio_bodies import invalid, read_body, refusal_for, required
from agent.sandbox.messages import Answer, Request, json_answer
from agent.sandbox.world import Token, World

_LASTS = 900
"""Seconds until a login that nobody approves is void (a guess)."""
_DAYS = 365
_SCOPES = ("EXPERIMENTS", "DATASETS", "MODELS")
"""Those that the vendor's login library knows."""


@dataclass(frozen=True, slots=True)
class _Login:
    """What was asked for, and when."""

    time: float
    scopes: tuple[str, ...]
    teams: tuple[str, ...] | None
    seconds: float | None


class DeviceLogin:
    def __init__(self, world: World) -> None:
        self._world = world
        self._open: dict[str, _Login] = {}

    def answer(self, request: Request) -> Answer | None:
        """The answer to one of the three requests, None for any other. Two of them carry no token yet."""
        does = {
            ("api", "device-login"): self._begin,
            ("api", "device-login", "token"): self._token,
            ("api", "device-logout"): self._end,
        }.get(request.segments)
        if does is None:
            return None
        if request.method != "POST":
            raise refusal_for(405)
        return does(request)

    def _begin(self, request: Request) -> Answer:
        body = read_body(request)
        required(body, "client_name")
        code = f"{self._world.random.getrandbits(160):040x}"
        self._open[code] = _Login(self._world.clock.now(), _scopes(body), _teams(body), _seconds(body))
        site = f"http://{request.headers.get('host', 'localhost')}{request.path.removesuffix('/api/device-login')}"
        return json_answer(
            200,
            {
                "device_code": code,
                "user_code": code[:8].upper(),
                "verification_uri": f"{site}/auth/device-login",
                "token_uri": f"{site}/api/device-login/token",
                "token_name": body.get("token_name") or f"sandbox-{code[:6]}",
                "expires_in": _LASTS,
            },
        )

    def _token(self, request: Request) -> Answer:
        """Good once; the client asks again every five seconds while it is told to wait."""
        code = required(read_body(request), "code")
        login, now = self._open.get(code), self._world.clock.now()
        if login is None or now >= login.time + _LASTS:
            self._open.pop(code, None)
            return json_answer(400, {"detail": "authorization_expired"})
        if now < login.time + self._world.switches.ready_after:
            return json_answer(400, {"detail": "authorization_pending"})
        del self._open[code]
        token = self._world.create_token(login.seconds, scopes=login.scopes, workspaces=login.teams)
        return json_answer(200, {"access_token": token.value})

    def _end(self, request: Request) -> Answer:
        value = request.headers.get("authorization", "").partition(" ")[2].strip()
        token: Token | None = self._world.tokens.get(value)
        if token is None:
            raise refusal_for(401)
        self._world.revoke_token(value)
        return json_answer(200, {})


def _scopes(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Those asked for; who asks for none gets all that the sandbox has."""
    asked = tuple(scope.upper() for scope in _texts(body, "scopes"))
    unknown = sorted(set(asked) - set(_SCOPES))
    if unknown:
        raise invalid(f"no scope is named {', '.join(unknown)}")
    return asked or ("read", "write")


def _teams(body: Mapping[str, Any]) -> tuple[str, ...] | None:
    return tuple(_texts(body, "team_names")) or None


def _texts(body: Mapping[str, Any], word: str) -> list[str]:
    found = body.get(word) or []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise invalid(f"'{word}' must be a list of texts")
    return found


def _seconds(body: Mapping[str, Any]) -> float | None:
    if body.get("never_expires") is True:
        return None
    days = body.get("expires_in_days", _DAYS)
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        raise invalid("'expires_in_days' must be a whole number from 1")
    return days * 86_400.0

"""How a call proves who we are: the closed set of schemes, and logins whose token expires.

The transport asks for an :class:`Authorization` after a call was admitted, right before it is sent, so that a token
never grows old in a queue. Credentials are read anew every few seconds and after a refusal; no value is ever logged.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote

from agent.clock import Clock
from agent.definitions.expressions import MISSING
from agent.definitions.platform import AuthScheme, Login, Platform
from agent.errors import ConfigError
from agent.live.answers import Reply
from agent.live.bearer import Bearer
from agent.live.connection import Connection
from agent.live.requests import Fields
from agent.secrets import Redactor, Secret, expiry_of, subject_of

Told = TypeVar("Told")

_KEPT_SECONDS = 10.0
_REFRESH_AT = 0.8
# Calls that are refused together read the reference again together.
_AGAIN_SECONDS = 2.0
# A login that was refused, or whose fresh token was, is not repeated for a while: repeats lock accounts.
_COOL_SECONDS = 60.0
_HEADER_VALUE = re.compile(r"[\x20-\x7e]+")
_COOKIE_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a call carries: headers, or one query pair already encoded.

    ``said`` is whom it speaks for, by its own word. ``source`` is equal as long as the credential is the same, for
    which a login yields one token after the other.
    """

    headers: Fields = field(default=(), repr=False)
    query: str = field(default="", repr=False)
    said: str | None = field(default=None, repr=False, compare=False)
    source: object = field(default=None, repr=False, compare=False)


class LoginFailed(Exception):
    """No token could be had; ``reply`` is what the login call came to, as an answer to the call that needed it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.answer)
        self.reply = reply


class CredentialRefused(Exception):
    """It is not sent with this credential; the text says why.

    A write was refused for it a moment ago, and reading its reference again brought no other; or it is not known to
    speak for whoever made what the inventory holds.
    """


class Secrets(Mapping[str, str]):
    """The credentials as ``${secret.…}`` sees them: read when asked for, and known to the redactor from then on."""

    def __init__(self, sources: Mapping[str, Callable[[], Secret]], redactor: Redactor) -> None:
        self._sources = sources
        self._redactor = redactor
        self.expiries: dict[str, float] = {}  # by name, of those that say so themselves
        self.subjects: dict[str, str] = {}  # the same of whom they speak for

    def __getitem__(self, name: str) -> str:
        secret = self._sources[name]()
        self._redactor.add(secret)
        _note(self.expiries, name, expiry_of(secret))
        _note(self.subjects, name, subject_of(secret))
        return secret.reveal()

    def __contains__(self, name: object) -> bool:
        # Not by reading it: a credential may be a command.
        return name in self._sources

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)

    async def warm(self, names: Iterable[str]) -> None:
        """Follow in a thread those whose next use starts a program: the loop must not wait for it. ConfigError."""
        for name in names:
            if getattr(self._sources.get(name), "waits", False):
                await asyncio.to_thread(self._sources[name])

    def forget(self) -> None:
        """A refusal: what a command answered a while ago is asked for again."""
        for source in self._sources.values():
            forget = getattr(source, "forget", None)
            if forget is not None:
                forget()


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    got_at: float
    refresh_at: float
    said: str | None = field(repr=False)
    source: tuple[str, ...] = field(repr=False)  # the credentials that it was given for


class Authorizer:
    """The scheme of one target. ``log_in`` sends a login call and returns its reply."""

    def __init__(
        self,
        scheme: AuthScheme | None,
        secrets: Secrets,
        settings: Mapping[str, Any],
        clock: Clock,
        redactor: Redactor,
        log_in: Callable[[Login], Awaitable[Reply]],
    ) -> None:
        self._scheme = scheme
        self._secrets = secrets
        self._settings = settings
        self._clock = clock
        self._redactor = redactor
        self._log_in = log_in
        self.bearer = Bearer()
        self._lock = asyncio.Lock()
        self._token: _Token | None = None
        self._failure: tuple[float, Reply] | None = None
        self._kept: tuple[float, Authorization] | None = None
        self._looking = asyncio.Lock()
        self._refused: tuple[float, Authorization] | None = None
        self._same: tuple[float, Authorization] | None = None

    async def authorize(self) -> Authorization:
        """Raises LoginFailed, ConfigError when a credential cannot be read, and CredentialRefused for another's."""
        proof = await self._current()
        doubt = self.bearer.doubt(proof.said, proof.source)
        if doubt is not None:
            raise CredentialRefused(doubt)
        return proof

    async def said(self) -> str | None:
        """Whom the credential speaks for by its own word. A login is made only where there was none yet."""
        if self._scheme is not None and self._scheme.login is not None and self._token is not None:
            return self._token.said
        return (await self._current()).said

    def is_secret(self, text: str) -> bool:
        """Whether it holds something that must not be shown or kept."""
        return self._redactor.scrub(text) != text

    async def source(self) -> object:
        """What is equal as long as the credential is the same."""
        return (await self._current()).source

    async def _current(self) -> Authorization:
        scheme = self._scheme
        if scheme is None:
            return Authorization()
        now = self._clock.monotonic()
        if scheme.login is not None:
            return self._rendered(scheme, await self._fresh_token(scheme.login))
        if self._kept is None or now - self._kept[0] >= _KEPT_SECONDS:
            await self._secrets.warm(scheme.secrets)
            self._kept = (now, self._rendered(scheme, None))
        return self._kept[1]

    async def authorize_write(self) -> Authorization:
        """The same for a write. While one refusal is looked into all wait; after it, CredentialRefused for a while."""
        async with self._looking:
            pass
        proof = await self.authorize()
        if self.refuses_writes and self._refused is not None and self._refused[1] == proof:
            raise CredentialRefused("the platform refuses the credential; nothing more is sent with it for now")
        return proof

    @property
    def expiries(self) -> Mapping[str, float]:
        return self._secrets.expiries

    @property
    def refuses_writes(self) -> bool:
        """Whether the platform refused a write for its credential, and nothing has been tried since (C1)."""
        return self._refused is not None and self._clock.monotonic() - self._refused[0] < _COOL_SECONDS

    def refused_for_good(self, used: Authorization) -> None:
        """A write was refused, and there is no other credential to try it with."""
        self._refused = (self._clock.monotonic(), used)

    def accepted(self) -> None:
        """A write was answered otherwise."""
        self._refused = None

    async def refused(self, used: Authorization) -> bool:
        """A 401 for ``used``. True when another try may come out otherwise: the credential is no longer the same."""
        async with self._looking:
            return await self._is_another_now(used)

    async def _is_another_now(self, used: Authorization) -> bool:
        scheme = self._scheme
        if scheme is None:
            return False
        now = self._clock.monotonic()
        if scheme.login is None:
            if self._kept is not None and self._kept[1] != used:
                return True  # another call that was refused has read it anew meanwhile
            if self._same is not None and self._same[1] == used and now - self._same[0] < _AGAIN_SECONDS:
                return False
            self._secrets.forget()
            self._kept = None
            another = await self._current() != used
            self._same = None if another else (now, used)
            return another
        token = self._token
        if token is None or self._rendered(scheme, token) != used:
            return True
        if now - token.got_at < _COOL_SECONDS:
            return False
        self._token = None
        self._secrets.forget()
        return True

    async def _fresh_token(self, login: Login) -> _Token:
        token = self._token
        if token is not None and self._clock.monotonic() < token.refresh_at:
            return token
        async with self._lock:
            token, now = self._token, self._clock.monotonic()
            if token is not None and now < token.refresh_at:
                return token
            if self._failure is not None and now - self._failure[0] < _COOL_SECONDS:
                raise LoginFailed(self._failure[1])
            names = self._scheme.secrets if self._scheme is not None else ()
            await self._secrets.warm(names)
            source = tuple([self._secrets[name] for name in names])
            reply = await self._log_in(login)
            self._token = self._token_of(login, reply, source)
            self._failure = None
            return self._token

    def _token_of(self, login: Login, reply: Reply, source: tuple[str, ...]) -> _Token:
        now = self._clock.monotonic()
        if reply.answer != "ok":
            refusal = reply.answer in ("unauthenticated", "denied", "invalid", "notFound")
            told = replace(
                reply,
                answer="unauthenticated" if refusal else reply.answer,
                landed="no",
                message=f"login: {reply.message or reply.answer}",
            )
            if refusal:
                self._failure = (now, told)
            raise LoginFailed(told)
        value = login.token.search(reply.body)
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise LoginFailed(replace(reply, answer="broken", landed="no", message="login: the answer has no token"))
        secret = Secret(value)
        self._redactor.add(secret)
        until = now + _REFRESH_AT * _life(login, reply.body, self._clock.now())
        return _Token(value, now, until, subject_of(secret), source)

    def _rendered(self, scheme: AuthScheme, token: _Token | None) -> Authorization:
        carried = self._carried(scheme, token.value if token is not None else None)
        if token is not None:
            return replace(carried, said=token.said, source=token.source)
        told = [self._secrets.subjects[name] for name in scheme.secrets if name in self._secrets.subjects]
        return replace(carried, said=next(iter(told), None), source=(carried.headers, carried.query))

    def _carried(self, scheme: AuthScheme, token: str | None) -> Authorization:
        context = {"secret": self._secrets, "settings": self._settings, "token": token}
        if scheme.basic is not None:
            user, password = (str(template.render(context)) for template in scheme.basic)
            pair = base64.b64encode(f"{user}:{password}".encode())
            return Authorization(((b"authorization", b"Basic " + pair),))
        value = scheme.value.render(context) if scheme.value is not None else MISSING
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise ConfigError(f"the credential of scheme {scheme.name} cannot be sent", code="credential-invalid")
        if scheme.header is not None:
            return Authorization(((scheme.header.lower().encode("ascii"), value.encode("ascii")),))
        if scheme.query is not None:
            return Authorization(query=f"{quote(scheme.query, safe='')}={quote(value, safe='')}")
        if not _COOKIE_VALUE.fullmatch(value):
            raise ConfigError(f"the credential of scheme {scheme.name} is no cookie value", code="credential-invalid")
        return Authorization(((b"cookie", f"{scheme.cookie}={value}".encode("ascii")),))


def choose_scheme(platform: Platform, connection: Connection) -> AuthScheme | None:
    """The first scheme whose secrets the target supplies. Raises ConfigError when there are schemes and none fits."""
    for scheme in platform.auth:
        if all(name in connection.credentials for name in scheme.secrets):
            return scheme
    if not platform.auth:
        return None
    wanted = " or ".join("+".join(scheme.secrets) for scheme in platform.auth)
    raise ConfigError(
        f"target {connection.target} supplies no credential that {platform.api_version} can use",
        code="credential-missing",
        fix=f"add {wanted} under its `credentials`",
    )


def _life(login: Login, body: Any, wall: float) -> float:
    """Seconds that a token lives; without a word about it, until it is refused."""
    if login.lasts is not None:
        seconds = _number(login.lasts.search(body))
        return seconds if seconds is not None else float("inf")
    if login.until is None:
        return float("inf")
    value = login.until.search(body)
    moment = _number(value)
    if moment is None and isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return float("inf")
        moment = (parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)).timestamp()
    elif moment is not None and moment > 1e12:
        moment /= 1000
    return max(0.0, moment - wall) if moment is not None else float("inf")


def _note(known: dict[str, Told], name: str, told: Told | None) -> None:
    """What a credential does not say any more is not known any more."""
    if told is None:
        known.pop(name, None)
    else:
        known[name] = told


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
        return None
    return float(value)

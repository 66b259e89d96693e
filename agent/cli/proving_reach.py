"""How the platform is reached at all: the path that its calls stand below, and how a credential travels.

Used by ``proving`` when the first call finds nothing, or when credentials are given and the document declares no use of
them. Whatever answers becomes a finding; the rest of the probe goes on with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from agent.cli.proving_calls import Calls, Probed, told
from agent.definitions.expressions import PathTemplate, Template
from agent.definitions.platform import AuthScheme, Platform
from agent.drafting.seen import Finding
from agent.live.answers import Reply
from agent.live.api import Connection
from agent.secrets import Redactor

_BASES = ("/api", "/api/v1", "/api/v2", "/v1", "/rest")
_WAYS: tuple[tuple[frozenset[str], dict[str, Any]], ...] = (
    (frozenset({"user", "password"}), {"basic": {"user": "${secret.user}", "password": "${secret.password}"}}),
    (frozenset({"token"}), {"header": "Authorization", "value": "Bearer ${secret.token}"}),
    (frozenset({"key"}), {"header": "X-Api-Key", "value": "${secret.key}"}),
)


class Reach:
    """Opens the calls of a probe and finds out how."""

    def __init__(
        self, platform: Platform, connection: Connection, redactor: Redactor, most: int, found: Probed
    ) -> None:
        self.platform = platform
        self._connection, self._redactor, self._most, self._found = connection, redactor, most, found
        self._way: dict[str, Any] | None = None
        if not platform.auth and connection.credentials:
            self._way = _way_for(connection.credentials.keys())
            if self._way is not None:
                self.platform = replace(platform, auth=(_scheme(self._way),))
        self._spent = 0
        self.calls = self._open()

    @property
    def count(self) -> int:
        """How many calls were sent."""
        return self._spent + self.calls.count

    async def prove(self) -> None:
        """Ask the cheap read; where nothing is there, ask it below the usual paths. Raises Stopped."""
        reply = await self.calls.credential()
        if reply is None:
            return
        if reply.status == 404 and self.platform.base is None:
            reply = await self._below(reply)
        good = reply.answer == "ok"
        what = "answers" if good else f"answers {told(reply)}"
        self._found.note(None, Finding(("probe",), "proved" if good else "wrong", what))
        if good and self._way is not None:
            change = {self.platform.auth[0].name: self._way}
            self._found.note(
                None, Finding(("auth",), "wrong", "the document declares none, and this one is taken", change)
            )
        for scheme in self.platform.auth[:1] if good and self._way is None else ():
            self._found.note(None, Finding(("auth", scheme.name), "proved", "the credential is taken"))

    async def close(self) -> None:
        await self.calls.close()

    async def _below(self, first: Reply) -> Reply:
        original = self.platform
        for base in _BASES:
            self.platform = replace(original, base=PathTemplate(base))
            await self._reopen()
            reply = await self.calls.credential()
            if reply is not None and reply.answer == "ok":
                what = "nothing is at the paths of the document; below this one they answer"
                self._found.note(None, Finding(("base",), "wrong", what, base))
                return reply
        self.platform = original
        await self._reopen()
        return first

    async def _reopen(self) -> None:
        await self.calls.close()
        self._spent += self.calls.count
        self.calls = self._open()

    def _open(self) -> Calls:
        return Calls(self.platform, self._connection, self._redactor, self._most - self._spent)


def _way_for(credentials: Collection[str]) -> dict[str, Any] | None:
    return next((way for names, way in _WAYS if names == set(credentials)), None)


def _scheme(way: dict[str, Any]) -> AuthScheme:
    if "basic" in way:
        user, password = (Template(way["basic"][word]) for word in ("user", "password"))
        return AuthScheme("basic", ("user", "password"), basic=(user, password))
    secrets = tuple(_secrets(way["value"]))
    return AuthScheme(secrets[0], secrets, header=way["header"], value=Template(way["value"]))


def _secrets(text: str) -> Iterator[str]:
    yield from (part.partition("}")[0] for part in text.split("${secret.")[1:])

"""The world behind the emulated APIs: records, tokens, the append-only list of commits, switches, hooks for a judge.

Made by :mod:`agent.sandbox.app`, reached by tests as `app.state.sandbox`. Every change, by request or by a person, goes
through :meth:`World.commit`, so that whoever judges a run sees all of them, in order. Knows no platform's rules.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.sandbox.clock import Clock, RealClock
from agent.sandbox.faults import Faults
from agent.sandbox.messages import Platform
from agent.sandbox.rate_limit import RateLimiter
from agent.sandbox.requests_log import RequestsLog
from agent.sandbox.storage import Key, Storage
from agent.sandbox.switches import Switches
from agent.sandbox.webhooks import Webhooks

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change: the User-Agent of a request, or a person's name."""

    name: str
    person: bool = False
    method: str = ""
    request: int | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """One change that happened. `before` and `after` are what a read shows; None is "not there"."""

    number: int
    time: float
    agent: str
    person: bool
    method: str
    platform: str
    type: str
    workspace: str | None
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    tags: tuple[str, ...]
    """Of the resource as it was where it is gone, else as it is: here an agent leaves its mark."""
    request: int | None


@dataclass(frozen=True, slots=True)
class Token:
    value: str
    owner: str
    expires: float | None
    scopes: tuple[str, ...] = ("read", "write")
    workspaces: tuple[str, ...] | None = None
    """None: all of them."""


class World:
    """Everything a sandbox remembers. Not thread-safe: one event loop owns it."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        seed: int = 0,
        limits: bool = True,
        state: Path | None = None,
        requests_log: Path | None = None,
        keep: int | None = 100_000,
    ) -> None:
        self.clock: Clock = clock or RealClock()
        self.seed = seed
        self.limits = limits
        self.limiter = RateLimiter()
        self.switches = Switches()
        self.requests = RequestsLog(requests_log, keep=keep)
        self.faults = Faults(random.Random(f"{seed}/faults"))  # noqa: S311 - repeatable, guards nothing
        self.random = random.Random(f"{seed}/world")  # noqa: S311 - repeatable, guards nothing
        self.records: dict[Key, Mapping[str, Any]] = {}
        self.commits: list[Commit] = []
        self.tokens: dict[str, Token] = {}
        self.platforms: dict[str, Platform] = {}
        self.webhooks = Webhooks()
        self.closing = False
        self._listeners: list[Callable[[Commit], None]] = []
        self._storage = Storage(state) if state is not None else None
        if self._storage is not None:
            self._load(self._storage)

    # Changes

    def commit(
        self,
        key: Key,
        record: Mapping[str, Any] | None,
        author: Author,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> Commit:
        """The one way in which anything on a platform changes. Durable when it returns; then the hooks are told."""
        platform, type_name, scope, name = key
        tags = (after if after is not None else before or {}).get("tags") or ()
        made = Commit(
            number=len(self.commits) + 1,
            time=self.clock.now(),
            agent=author.name,
            person=author.person,
            method=author.method,
            platform=platform,
            type=type_name,
            workspace=scope or None,
            name=name,
            before=before,
            after=after,
            tags=tuple(tag for tag in tags if isinstance(tag, str)),
            request=author.request,
        )
        if self._storage is not None:
            self._storage.write(key, record, made.number, asdict(made))
        self._set(key, record)
        self.commits.append(made)
        for listener in self._listeners:
            listener(made)
        return made

    def keep(self, key: Key, record: Mapping[str, Any] | None) -> None:
        """Remember something that is no resource, such as a token or a webhook: stored, not a commit."""
        if self._storage is not None:
            self._storage.write(key, record)
        self._set(key, record)

    def on_commit(self, listener: Callable[[Commit], None]) -> None:
        """Called with each commit, inside the request that makes it. What it raises ends the request: a judge may."""
        self._listeners.append(listener)

    # Tokens

    def create_token(
        self,
        duration: str | float | None = "720h",
        *,
        owner: str = "datakeel-sandbox",
        scopes: tuple[str, ...] = ("read", "write"),
        workspaces: tuple[str, ...] | None = None,
        value: str | None = None,
    ) -> Token:
        """What `dataos-ctl auth token create --duration 720h` does; no REST path for it is printed. None: for ever.
        Scopes are a guess: the page only has the status 403."""
        seconds = duration_seconds(duration) if isinstance(duration, str) else duration
        token = Token(
            value=value or f"{self.random.getrandbits(160):040x}",
            owner=owner,
            expires=None if seconds is None else self.clock.now() + seconds,
            scopes=scopes,
            workspaces=workspaces,
        )
        self.tokens[token.value] = token
        self.keep(("", "token", "", token.value), asdict(token))
        return token

    def revoke_token(self, value: str) -> None:
        if self.tokens.pop(value, None) is not None:
            self.keep(("", "token", "", value), None)

    # A person clicks

    def person_create(
        self, document: Mapping[str, Any], *, person: str = "a person", platform: str | None = None
    ) -> Mapping[str, Any]:
        """Create a resource past the API's limits and faults. Returns what a read shows; Refusal as by request."""
        return self._platform(platform).person_create(document, person)

    def person_edit(
        self,
        type: str,
        name: str,
        change: Mapping[str, Any],
        *,
        workspace: str | None = None,
        person: str = "a person",
        platform: str | None = None,
    ) -> Mapping[str, Any]:
        """Merge `change` (RFC 7396) into the document as it was written. Returns what a read shows."""
        return self._platform(platform).person_edit(type, name, workspace, change, person)

    def person_delete(
        self,
        type: str,
        name: str,
        *,
        workspace: str | None = None,
        person: str = "a person",
        platform: str | None = None,
    ) -> None:
        self._platform(platform).person_delete(type, name, workspace, person)

    def resources(self, platform: str | None = None) -> list[Mapping[str, Any]]:
        """Everything that is there now, as reads show it."""
        return self._platform(platform).resources()

    def close(self) -> None:
        self.closing = True
        self.requests.close()
        if self._storage is not None:
            self._storage.close()
            self._storage = None

    def _platform(self, name: str | None) -> Platform:
        if name is None and len(self.platforms) != 1:
            raise ValueError(f"say which platform: {', '.join(self.platforms)}")
        return self.platforms[name] if name is not None else next(iter(self.platforms.values()))

    def _set(self, key: Key, record: Mapping[str, Any] | None) -> None:
        if record is None:
            self.records.pop(key, None)
        else:
            self.records[key] = record

    def _load(self, storage: Storage) -> None:
        for key, record in storage.records():
            self.records[key] = record
            if key[:2] == ("", "token"):
                workspaces = record["workspaces"]
                self.tokens[key[3]] = Token(
                    value=record["value"],
                    owner=record["owner"],
                    expires=record["expires"],
                    scopes=tuple(record["scopes"]),
                    workspaces=None if workspaces is None else tuple(workspaces),
                )
        for line in storage.commits():
            self.commits.append(Commit(**{**line, "tags": tuple(line["tags"])}))


def duration_seconds(text: str) -> float:
    """`30m`, `1h`, `1d`, `720h`, `45s` in seconds. ValueError for anything else."""
    matched = re.fullmatch(r"([0-9]{1,9})([smhd])", text, re.ASCII)
    if matched is None:
        raise ValueError(f"not a duration such as 1h, 30m or 1d: {text[:40]!r}")
    return int(matched[1]) * _UNITS[matched[2]]

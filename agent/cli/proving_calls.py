"""The calls of a probe: pages of a list and single objects, counted, inside the budget, reads alone.

Used by ``proving`` and ``proving_pages``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from agent.clock import SystemClock
from agent.definitions.platform import Kind, Operation, Pages, Platform
from agent.drafting.seen import Finding
from agent.live.answers import Reply
from agent.live.api import Connection, Prepared, ReadApi, open_api
from agent.live.budget import Budget
from agent.live.paging import Walk
from agent.model.identity import Key
from agent.secrets import Redactor

Pairs = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Probed:
    """What was found, kind by kind (None: at the top), the samples by file name, and the calls that it took.

    ``unasked`` are kinds that were not looked at, with the reason; ``stopped`` says why nothing more was asked.
    """

    findings: dict[str | None, list[Finding]] = field(default_factory=dict)
    samples: dict[str, Any] = field(default_factory=dict)
    unasked: dict[str, str] = field(default_factory=dict)
    stopped: str = ""
    calls: int = 0

    def note(self, kind: str | None, finding: Finding) -> None:
        """Keep a finding; what was found of a word before, in the same way, is not told twice."""
        known = self.findings.setdefault(kind, [])
        if not any((one.path, one.verdict) == (finding.path, finding.verdict) for one in known):
            known.append(finding)

    def is_wrong(self, kind: str) -> bool:
        """Whether anything of a kind is not as the definition says."""
        return any(one.verdict == "wrong" for one in self.findings.get(kind, ()))

    def proved(self) -> Iterator[tuple[str, ...]]:
        """The words that something proved and nothing contradicted."""
        every = [finding for findings in self.findings.values() for finding in findings]
        wrong = {finding.path for finding in every if finding.verdict == "wrong"}
        yield from (one.path for one in every if one.verdict == "proved" and one.path not in wrong)


@dataclass(frozen=True, slots=True)
class Asked:
    """One page: the answer, and its rows where the definition says; None where there is no list."""

    reply: Reply
    rows: list[Any] | None = None


class Stopped(Exception):
    """Nothing more is asked: the calls are used up, the credential is refused, or nobody answers."""


class Calls:
    """What is asked of one server; at most ``most`` times."""

    def __init__(self, platform: Platform, connection: Connection, redactor: Redactor, most: int) -> None:
        clock = SystemClock()
        budget = Budget(platform.budget.windows, 0.0, clock, None, "probe", rule=platform.budget)
        chance = random.SystemRandom()
        self.platform = platform
        self._most = most
        self._api: ReadApi = open_api(
            platform, connection, clock=clock, budget=budget, random=chance, writable=False, redactor=redactor
        )

    @property
    def count(self) -> int:
        """How many were sent."""
        return sum(self._api.calls.values())

    @property
    def server(self) -> str:
        """The origin that everything is sent to."""
        return self._api.server

    async def credential(self) -> Reply | None:
        """The cheap read that needs the credential; None where the definition has none."""
        probe = self.platform.probe
        if probe is None:
            return None
        return await self._fetch(self._api.built(lambda requests: requests.probe(probe)))

    def walk(self, kind: Kind, operation: Operation, pages: Pages, scope: Pairs) -> Walk:
        """A walk over a list, at its first page."""
        first = self._api.built(lambda requests: requests.listing(kind, operation, scope))
        return Walk(pages, self.server, first.path if not first.refusal else "/")

    async def page(self, kind: Kind, operation: Operation, scope: Pairs, walk: Walk) -> Asked:
        """The page of a list at the position of a walk."""
        return await self.page_at(kind, operation, scope, walk.position, walk.target)

    async def page_at(
        self, kind: Kind, operation: Operation, scope: Pairs, position: Any, target: str | None = None
    ) -> Asked:
        """A page of a list at a position, or behind an address that an answer gave."""
        prepared = self._api.built(lambda requests: requests.listing(kind, operation, scope))
        if not prepared.refusal:
            first = prepared
            prepared = self._api.built(lambda requests: requests.page(first, position, target))
        reply = await self._fetch(prepared)
        if reply.answer != "ok":
            return Asked(reply)
        expression = operation.items or self.platform.response.items
        rows = reply.body if expression is None else expression.search(reply.body)
        return Asked(reply, rows if isinstance(rows, list) else None)

    async def read(self, kind: Kind, operation: Operation, scope: Pairs, name: str, server_id: str | None) -> Reply:
        """One object by its name or id."""
        key = Key("probe", kind.name, scope, name)
        return await self._fetch(self._api.built(lambda requests: requests.reading_of(kind, operation, key, server_id)))

    async def close(self) -> None:
        await self._api.close()

    async def _fetch(self, prepared: Prepared) -> Reply:
        if not prepared.refusal and self.count >= self._most:
            raise Stopped(f"{self._most} calls are used up; --max-calls allows more")
        reply = await self._api.fetch(prepared)
        if reply.answer == "unauthenticated":
            raise Stopped(f"the credential is refused: {reply.message or reply.status}")
        if reply.answer == "unreachable":
            raise Stopped(f"the server is not reached: {reply.message}")
        return reply


def told(reply: Reply) -> str:
    """What a call came to, in a few words."""
    status = str(reply.status) if reply.status is not None else reply.answer
    return f"{status}: {reply.message}"[:200] if reply.message else status

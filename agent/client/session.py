"""What one client works with: the platform, its API, and what the program said once for all calls."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from agent.apply.secrets import SecretValues
from agent.client.errors import ApiError, RateLimitError, translated
from agent.client.kinds import Kinds
from agent.clock import Clock
from agent.definitions.platform import Platform
from agent.errors import AgentError, LiveError, UsageError
from agent.live.api import WriteApi
from agent.live.purpose import Purpose
from agent.live.relatives import Relatives
from agent.model.identity import Key
from agent.plan.rules import RuleBook, RuleBooks
from agent.secrets import Redactor


@dataclass(frozen=True, slots=True)
class Session:
    """``defaults`` fill scope words that a call leaves out. ``release`` gives back what was opened beside the
    connection.
    """

    platform: Platform
    target: str
    api: WriteApi
    kinds: Kinds
    books: RuleBooks
    defaults: Mapping[str, str]
    secrets: SecretValues
    redactor: Redactor
    clock: Clock
    random: random.Random
    release: Callable[[], None]
    ended: list[bool] = field(default_factory=list)

    def book(self, key: Key) -> RuleBook:
        return self.books.of(key)

    def relatives(self) -> Relatives:
        """Other objects that a call speaks of; looked up anew for each call of a program."""
        return Relatives(self.api)

    @contextmanager
    def asking(self, purpose: Purpose) -> Iterator[None]:
        """One call of a program: its errors are those of the client, and tell no secret."""
        if self.ended:
            raise UsageError("this client is closed", fix="make another one")
        try:
            yield
        except LiveError as error:
            raised = translated(error)
            if isinstance(raised, RateLimitError) and raised.retry_after is None:
                raised.retry_after = self.api.budget.wait_needed(purpose)
            self._scrub(raised)
            if raised is error:
                raise
            raise raised from error
        except AgentError as error:
            self._scrub(error)
            raise

    def _scrub(self, error: AgentError) -> None:
        """A program may name an object, or write a value, by what is a secret elsewhere."""
        error.what, error.args = self.redactor.scrub(error.what), tuple(map(self._scrubbed, error.args))
        error.got = self._scrubbed(error.got)
        if isinstance(error, ApiError):
            error.message = self.redactor.scrub(error.message)

    def _scrubbed(self, value: Any) -> Any:
        return self.redactor.scrub(value) if isinstance(value, str) else value

    async def close(self) -> None:
        """Once; the connections and the ledger."""
        if not self.ended:
            self.ended.append(True)
            await self.api.close()
            self.release()

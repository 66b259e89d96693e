"""One call with its credential: admitted, sent, judged; once more when a 401 found the credential out of date.

Between ``api``, which knows what is asked, and ``transport``, which sends bytes. A write that is refused for its
credential stops the writes after it (row C1 of the fault model): none is sent that could only be refused as well. And
where call after call fails, those that follow are not sent for a moment (row A14).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from agent.clock import Clock
from agent.definitions.platform import Answer
from agent.errors import ConfigError, Refused
from agent.live.answers import Reading, Reply, classify, failed, refused
from agent.live.auth import Authorizer, CredentialRefused, LoginFailed
from agent.live.budget import Budget
from agent.live.circuit import Circuits
from agent.live.purpose import Purpose
from agent.live.requests import Prepared
from agent.live.transport import Answered, Lost, Transport
from agent.model.histogram import Histogram


class Exchange:
    """What a target's API sends its calls through. Never raises for what a platform or a network does."""

    def __init__(self, transport: Transport, authorizer: Authorizer, budget: Budget, clock: Clock) -> None:
        self.circuits = Circuits()
        self._clock = clock
        self._transport = transport
        self.authorizer = authorizer
        self._budget = budget

    @property
    def calls(self) -> Counter[str]:
        return self._transport.calls

    @property
    def answers(self) -> Counter[tuple[str, str]]:
        return self._transport.answers

    @property
    def took(self) -> Histogram:
        return self._transport.took

    @property
    def refuses_writes(self) -> bool:
        """Whether a write was refused for its credential a moment ago."""
        return self.authorizer.refuses_writes

    async def __call__(self, prepared: Prepared, purpose: Purpose, before: Callable[[], None] = lambda: None) -> Reply:
        """``before`` is called right before the first byte leaves; what it raises is raised here."""
        circuit = self.circuits.of(prepared.target)
        writes = prepared.reading.writes
        if not circuit.lets(self._clock.monotonic()):
            # As the last call, but for a write, which is known not to have landed.
            resting: Answer = "unreachable" if writes else "broken"
            return failed(prepared.reading, resting, f"{circuit.why} (not asked again yet)", passing=False)
        authorize = self.authorizer.authorize_write if writes else self.authorizer.authorize
        for attempt in (1, 2):
            try:
                first = before if attempt == 1 else lambda: None
                outcome, proof = await self._transport.exchange(prepared, purpose, authorize, first)
            except CredentialRefused as error:
                return failed(prepared.reading, "unauthenticated", str(error), passing=False)
            except LoginFailed as error:
                return replace(error.reply, method=prepared.method, template=prepared.template)
            except ConfigError as error:
                return failed(prepared.reading, "unauthenticated", error.what, passing=False)
            except Refused as error:
                return refused(prepared.reading, error.what)
            reply = judged(prepared.reading, outcome, self._budget)
            failure = (reply.message or reply.answer) if reply.passing and reply.answer != "throttled" else None
            circuit.note(self._clock.monotonic(), failure)
            if reply.answer != "unauthenticated":
                if writes and reply.status is not None:
                    self.authorizer.accepted()
                return reply
            if attempt == 2 or not await self.authorizer.refused(proof):
                if writes:
                    self.authorizer.refused_for_good(proof)
                return reply
        raise AssertionError("two attempts end above")

    async def close(self) -> None:
        await self._transport.close()


def judged(reading: Reading, outcome: Answered | Lost, budget: Budget) -> Reply:
    """The outcome of a call as a reply; the budget learns from it."""
    if not isinstance(outcome, Answered):
        return failed(reading, "broken" if outcome.sent else "unreachable", outcome.message, passing=outcome.wanted)
    reply = classify(reading, outcome.status, outcome.headers, outcome.body)
    if outcome.fault and reply.answer != "throttled":
        reply = replace(failed(reading, "broken", outcome.fault, passing=reply.passing), status=outcome.status)
    budget.note(outcome.headers, reply.body, outcome.status)
    return reply

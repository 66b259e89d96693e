"""Looks that people ask for while the agent runs: taken up from the store, and answered after the pass that tells.

Used by ``cli/wiring`` beside the loop; ``datakeel sync`` writes the requests and waits for their answers. A pass is
never delayed: what it was is put down here, and judged between passes, since that may take a look into git.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from agent.clock import Clock
from agent.errors import AgentError, StoreError
from agent.model.outcome import Report, Result
from agent.model.request import LookRequest
from agent.plan.caution import SOON
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.store.store import Store

EVERY_SECONDS = 1.0
"""How often the store is asked: a thousandth of a core at the most, and what a person hardly notices."""

_log = structlog.get_logger("datakeel")


@dataclass(slots=True)
class Asked:
    """``look`` makes the loop look at a target; ``status_of`` tells what ``apply`` would have ended with.

    ``mine`` are the targets that this agent works at: only their requests are taken up.
    """

    store: Store
    clock: Clock
    look: Callable[[str], None]
    status_of: Callable[[Report], int]
    mine: Callable[[], Collection[str]]
    _open: dict[int, LookRequest] = field(default_factory=dict)
    _seen_at: dict[int, float] = field(default_factory=dict)
    _done: dict[int, int] = field(default_factory=dict)  # changes that landed since it was asked
    _passes: list[tuple[Target, Report]] = field(default_factory=list)  # that have ended and were not judged yet

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                self._take_up()
                while self._passes:
                    await self._judge(*self._passes.pop(0))
            except StoreError as error:
                _log.warning("requests.unread", message=error.what)
            await self.clock.sleep(EVERY_SECONDS)

    def after(self, target: Target, report: Report, wish: Wish) -> None:
        """A pass has ended. One that did not ask git, or looked at a part only, answers nobody."""
        if self._open and wish.revision is None and wish.selects is None and not wish.hurried:
            self._passes.append((target, report))

    def _take_up(self) -> None:
        mine = self.mine()
        requests = {one.number: one for one in self.store.asked() if one.target in mine}
        fresh = requests.keys() - self._seen_at.keys()
        self._open = requests
        self._seen_at = {number: at for number, at in self._seen_at.items() if number in requests}
        if fresh:
            self.store.mark_seen(fresh)
            self._seen_at |= dict.fromkeys(fresh, self.clock.now())
            for name in {requests[number].target for number in fresh}:
                self.look(name)

    async def _judge(self, target: Target, report: Report) -> None:
        for number, request in list(self._open.items()):
            if request.target != target.name or report.started_at < self._seen_at.get(number, 0.0):
                continue
            if not await _is_about(target, report, request.revision):
                continue
            self._done[number] = self._done.get(number, 0) + report.count(Result.DONE)
            if is_settled(report):
                self.store.answer(number, self._answer(report, self._done.pop(number)))
                del self._open[number]

    def _answer(self, report: Report, done: int) -> dict[str, Any]:
        return {"status": self.status_of(report), **counts_of(report), "applied": done}


async def _is_about(target: Target, report: Report, revision: str | None) -> bool:
    """Whether the pass was over this commit, or over one that came after it."""
    walked = report.revision.commit
    if revision is None or walked.startswith(revision):
        return True
    try:
        whole: str = (await target.blocking(lambda: target.source.resolve(revision))).commit
        found: bool | None = await target.blocking(lambda: target.source.is_ancestor(whole, walked))
    except AgentError:
        return False  # not fetched yet, or of another branch: the request goes on waiting
    return found is True


_OPEN = SOON | {"Unknown", "NeedsDecision", "KindUnreadable"}
"""Reasons of holds over which nobody can say yet whether the commit is applied."""


def is_settled(report: Report) -> bool:
    """Whether the pass has told all that there is to tell: everything came to an end, or something failed."""
    if report.error or report.count(Result.NOT_DONE):
        return True
    waits = (Result.UNKNOWN, Result.SKIPPED)
    soon = any(each.result in waits or each.change.reason in _OPEN for each in report.outcomes)
    return not soon and not (report.plan is not None and report.plan.later)


def counts_of(report: Report) -> Mapping[str, Any]:
    """A pass in numbers, for whoever asked for it."""
    held = [each for each in report.outcomes if each.result is Result.HELD and not each.change.configured]
    return {
        "revision": report.revision.commit,
        "short": report.revision.short,
        "held": len(held),
        "failed": report.count(Result.NOT_DONE),
        "unknown": report.count(Result.UNKNOWN) + report.count(Result.SKIPPED),
        "invalid": sum(1 for problem in report.problems if problem.severity == "error"),
        "pass_id": report.pass_id,
        "error": report.error,
    }

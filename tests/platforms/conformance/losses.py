"""Answers that are lost, and reads that lag: there is one object in the end. Each scene has a world of its own."""

from __future__ import annotations

import httpx

from agent.model.change import Action
from agent.model.outcome import Result
from agent.reconcile.wish import Wish
from tests.platforms.conformance.derived import absence_is_provable, again, changed, comes_back, is_found_by_name
from tests.platforms.conformance.emulated import BETWEEN_PASSES, Emulated, Fell, told
from tests.platforms.conformance.wire import READS, Sent
from tests.simulation.kill import Killed

_LOOKS = (3.0, 12.0, 25.0)
"""Seconds after a create at which passes look, while a call of 30 s at the most may still land."""


async def lost(at: Emulated, created: Sent) -> None:
    """The answer to a create is lost after it took effect: found by mark or name, never made twice.

    Without either, and where a written leaf never comes back, a person is asked: nobody can tell whose it is.
    """
    at.world.faults.add({"fault": "answer-lost", "method": created.method, "path": created.path, "times": 1})
    await _unknown(at)
    report = await at.settles()
    at.count(created.makes, 1)
    if at.creates(created) != 1:
        raise Fell(f"the create was sent {at.creates(created)} times")
    made = at.living(created.makes)[0].after or {}
    found = at.kind.mark is not None or (is_found_by_name(at.kind) and comes_back(at.example, at.document, made))
    if found:
        await at.rest()
    elif [each.result for each in report.outcomes] != [Result.HELD]:
        raise Fell(f"nobody was asked: {told(report) or 'nothing was planned'}")


async def unsent(at: Emulated, created: Sent) -> None:
    """The connection is lost before a create takes effect: proved absent, then made once; else a person is asked."""
    at.world.faults.add({"fault": "reset", "method": created.method, "path": created.path, "times": 1})
    await _unknown(at)
    report = await at.settles()
    if absence_is_provable(at.kind):
        at.count(created.makes, 1)
        if at.creates(created) != 2:
            raise Fell(f"the create was sent {at.creates(created)} times")
        await at.rest()
        return
    at.count(created.makes, 0)
    if [each.result for each in report.outcomes] != [Result.HELD]:
        raise Fell(f"nobody was asked: {told(report) or 'nothing was planned'}")


async def late(at: Emulated, created: Sent) -> None:
    """A create whose connection is lost takes effect later, after looks that did not find it: it is not sent again
    meanwhile, and is found then. There is one object in the end, and whoever made it looks after it.
    """
    under_way = at.wire.delays(created)
    at.commit(at.document)
    report = await at.one_pass()
    if [each.result for each in report.outcomes if each.change.action is Action.CREATE] != [Result.UNKNOWN]:
        raise Fell(f"a lost answer was taken for an answer: {told(report)}")
    began = at.clock.now()
    for until in _LOOKS:
        await at.clock.sleep(began + until - at.clock.now())
        seen = len(at.wire.sent)
        report = await at.one_pass(Wish(fresh=True))
        if any(each.result is not Result.HELD for each in report.outcomes):
            raise Fell(f"not waited for: {told(report)}")
        at.wrote_nothing_since(seen)
    await under_way()
    report = await at.settles()
    at.count(created.makes, 1)
    if at.creates(created) != 1 and at.kind.apply is None:
        raise Fell(f"the create was sent {at.creates(created)} times")
    made = at.living(created.makes)[0].after or {}
    if at.kind.mark is not None or (is_found_by_name(at.kind) and comes_back(at.example, at.document, made)):
        await at.rest()
    elif [each.result for each in report.outcomes] != [Result.HELD]:
        raise Fell(f"nobody was asked: {told(report) or 'nothing was planned'}")


async def _unknown(at: Emulated) -> None:
    at.commit(at.document)
    report = await at.one_pass()
    if not at.world.faults.played:
        raise Fell("the fault was not met")
    if [each.result for each in report.outcomes if each.change.action is Action.CREATE] != [Result.UNKNOWN]:
        raise Fell(f"a lost answer was taken for an answer: {told(report)}")
    at.world.faults.clear()


async def lag(at: Emulated, created: Sent) -> None:
    """Reads lag behind writes, and the process that knew of the write has died: not found right after a create is not
    absent, an old value right after an update is no drift, still there right after a delete is no failure."""
    await at.clock.sleep(BETWEEN_PASSES)  # what was there before is old enough to be seen
    at.world.faults.add({"fault": "stale", "seconds": 0.8 * at.kind.settle_seconds, "method": "GET"})
    at.commit(at.document)
    await _dies_after_a_write(at)
    await _waits(at)
    if at.example.change and (at.kind.update is not None or at.kind.apply is not None):
        at.commit(changed(at.document, again(at.example.change)))
        await _dies_after_a_write(at)
        await _waits(at)
    at.count(created.makes, 1)
    if at.creates(created) != 1 and at.kind.apply is None:
        raise Fell(f"the create was sent {at.creates(created)} times")
    if at.kind.delete is None:
        return
    at.commit()
    wish = Wish(confirm_deletes=1, careful=True)
    await _dies_after_a_write(at, wish)
    for _ in range(3):
        report = await at.one_pass(wish)
        await at.clock.sleep(at.kind.settle_seconds)
    if report.outcomes:
        raise Fell(f"not forgotten: {told(report)}")
    if at.kind.gone is None:
        at.count(created.makes, 0)


async def _dies_after_a_write(at: Emulated, wish: Wish | None = None) -> None:
    """A pass that ends with its process, at the first read after something was changed."""
    seen = len(at.world.commits)

    def dies(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method in READS and len(at.world.commits) > seen:
            raise Killed("right after the answer to a write")
        return response

    at.wire.after = dies
    try:
        report = await at.one_pass(wish)
    except Killed:
        at.wire.after = None
        at.reborn()
        return
    raise Fell(f"nothing was written and then read: {told(report)}")


async def _waits(at: Emulated) -> None:
    """The next pass, at once, writes nothing; nor do those that follow."""
    seen = len(at.wire.sent)
    report = await at.one_pass(Wish(fresh=True))
    if any(each.result is not Result.HELD for each in report.outcomes):
        raise Fell(f"not waited for: {told(report)}")
    at.wrote_nothing_since(seen)
    await at.rest((True,))

"""What somebody else made: adopted, left alone, or in the way. Each scene has a world of its own."""

from __future__ import annotations

import httpx

from agent.model.change import Action
from agent.model.outcome import Result
from tests.platforms.conformance.derived import changed, comes_back, immutable_change, is_found_by_name
from tests.platforms.conformance.emulated import Emulated, Fell, told
from tests.platforms.conformance.wire import PERSON, Sent, is_same_call


async def adopt(at: Emulated, created: Sent) -> None:
    """A person made what git says: it is adopted without a second object, and only a mark is written.

    Where a name identifies nothing, the person's object is another one and stays as it is. Where a written leaf never
    comes back, nothing can be told to be identical: a person is asked.
    """
    await at.person_makes(created)
    theirs = at.world.commits[-1]
    at.commit(at.document)
    if not is_found_by_name(at.kind):
        await at.written(Action.CREATE)
        await at.rest()
        at.count(created.makes, 2)
        _untouched(at, theirs.name)
        return
    if not comes_back(at.example, at.document, theirs.after or {}):
        await at.held("Conflict")
        at.count(created.makes, 1)
        return
    seen = len(at.world.commits)
    report = await at.one_pass()
    if [(each.change.action, each.result) for each in report.outcomes] != [(Action.ADOPT, Result.DONE)]:
        raise Fell(f"not adopted: {told(report)}")
    writes = len(at.world.commits) - seen
    if writes != (1 if at.kind.mark is not None else 0):
        raise Fell(f"{writes} changes for an adoption")
    at.count(created.makes, 1)
    if at.creates(created):
        raise Fell("a create was sent for what was there")
    await at.rest()


async def differs(at: Emulated, created: Sent) -> None:
    """A person made something else under the name: held, nothing written. `adopt: always` makes it what git says."""
    await at.person_makes(created)
    at.commit(changed(at.document, at.example.change))
    await at.held("Conflict")
    if at.kind.update is None and at.kind.apply is None:
        return  # whether it may be adopted at all is the matter of `fixed`
    at.reborn("always")
    report = await at.one_pass()
    if [(each.change.action, each.result) for each in report.outcomes] != [(Action.ADOPT, Result.DONE)]:
        raise Fell(f"not adopted: {told(report)}")
    at.count(created.makes, 1)
    if "changed" not in str(at.world.commits[-1].after):
        raise Fell(f"adopted, but not as git says: {at.world.commits[-1].after}")
    await at.rest()


async def fixed(at: Emulated, created: Sent) -> None:
    """A person made something else, and what differs cannot change in place: held under `adopt: always` too, for an
    adoption never replaces."""
    await at.person_makes(created)
    at.reborn("always")
    at.commit(changed(at.document, immutable_change(at.example) or at.example.change))
    seen = len(at.wire.sent)
    report = await at.one_pass()
    if [each.result for each in report.outcomes] != [Result.HELD]:
        raise Fell(f"not held: {told(report) or 'nothing was planned'}")
    at.wrote_nothing_since(seen)


async def owned(at: Emulated, created: Sent) -> None:
    """An object with another owner's mark is left alone, under `adopt: always` too."""
    mark = at.kind.mark
    assert mark is not None
    name = at.document["metadata"]["name"]
    text = str(mark.text.render({"target": "elsewhere", "uid": "0therowner00", "name": name, "content": "00000000"}))
    await at.person_makes(created, mark=text)
    theirs = at.world.commits[-1]
    at.reborn("always")
    at.commit(at.document)
    if is_found_by_name(at.kind):
        await at.held("OwnedByOther")
        at.count(created.makes, 1)
    else:
        await at.settles()
    _untouched(at, theirs.name)


async def exists(at: Emulated, created: Sent) -> None:
    """Somebody makes it between the look and the create: whose it is is unknown, and the next pass settles it."""
    made = 0

    async def first(request: httpx.Request) -> None:
        nonlocal made
        if is_same_call(request, created) and not made:
            made = 1
            await at.person_makes(created)

    at.wire.before = first
    differing = bool(at.example.change)
    at.commit(changed(at.document, at.example.change) if differing else at.document)
    report = await at.one_pass()
    # A platform without an answer of its own for it refuses the create in its own words.
    refused = [each.terminal for each in report.outcomes] == [True]
    if not made or not (refused or [each.result for each in report.outcomes] == [Result.UNKNOWN]):
        raise Fell(f"not told: {told(report)}")
    at.count(created.makes, 1)
    report = await at.settles()
    theirs = at.living(created.makes)[0]
    conflict = [each.code for each in report.outcomes] == ["Conflict"]
    if conflict != (differing or not comes_back(at.example, at.document, theirs.after or {})):
        raise Fell(f"settled otherwise: {told(report) or 'adopted'}")
    at.count(created.makes, 1)
    if differing:
        _untouched(at, theirs.name)


def _untouched(at: Emulated, name: str) -> None:
    """Nobody but the person has ever changed this object."""
    others = [each for each in at.world.commits[at.start :] if each.name == name and each.agent != PERSON]
    if others:
        raise Fell(f"changed by us: {[(each.method, each.name) for each in others]}")

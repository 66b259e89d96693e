"""Answers that are not true: cut lists, and success that is none. A world for each scene."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from agent.model.outcome import Report, Result
from agent.reconcile.wish import Wish
from agent.sandbox import Commit
from tests.platforms.conformance.derived import absence_is_provable
from tests.platforms.conformance.emulated import BETWEEN_PASSES, TWIN, Emulated, Fell, told
from tests.platforms.conformance.wire import READS, Sent, as_success

_UNTOLD = ({"fault": "empty-list"},)
"""A list that is empty by mistake and says so: too much is missing at once."""


async def short(at: Emulated, created: Sent) -> None:
    """A list that lacks rows or a page, or fails, proves nothing: what it does not show is neither made again nor
    deleted."""
    at.wire.before = _one_a_page(at)
    at.commit(at.document, at.twin())
    await at.settles()
    at.count(created.makes, 2)
    lists = _list_paths(at)
    for fault in _short_lists(at):
        for path in lists:
            at.world.faults.add({**fault, "method": "GET", "path": path})
        await at.clock.sleep(BETWEEN_PASSES)
        seen, played = len(at.wire.sent), len(at.world.faults.played)
        # Nine may go: no limit on what is missing at once helps, where the list itself tells that it is cut.
        report = await at.one_pass(Wish(fresh=True, confirm_deletes=None if fault in _UNTOLD else 9))
        if len(at.world.faults.played) == played:
            raise Fell(f"{fault}: the fault was not met at {lists}")
        if any(each.result is not Result.HELD for each in report.outcomes):
            raise Fell(f"{fault}: {told(report)}")
        at.wrote_nothing_since(seen)
        at.world.faults.clear()
    await at.rest((True,))
    at.count(created.makes, 2)
    if at.kind.delete is not None and not at.kind.gone:
        await _goes_alone(at, created, lists)


async def _goes_alone(at: Emulated, created: Sent, lists: list[str]) -> None:
    """One manifest leaves git while lists fail: only a by-key read may prove that its object is there to be deleted."""
    at.commit(at.document)
    for path in lists:
        at.world.faults.add({"fault": "server-error", "method": "GET", "path": path})
    seen, wish = len(at.wire.sent), Wish(confirm_deletes=1, careful=True)
    await at.one_pass(wish)
    if at.kind.get is None:
        at.wrote_nothing_since(seen)
    at.world.faults.clear()
    for _ in range(2):
        await at.clock.sleep(BETWEEN_PASSES)
        report = await at.one_pass(wish)
    if report.outcomes:
        raise Fell(f"not at rest: {told(report)}")
    at.count(created.makes, 1)
    if _named_two(at.living(created.makes)[0]):
        raise Fell("the wrong one was deleted")


def _named_two(commit: Commit) -> bool:
    """Whether this is the twin."""
    return str((commit.after or {}).get("name", commit.name)).endswith(TWIN) or commit.name.endswith(TWIN)


def _one_a_page(at: Emulated) -> Callable[[httpx.Request], Awaitable[None]]:
    """The platform gives one row a page, whatever is asked for: two objects are two pages, where there are pages."""
    size = at.kind.list.pages.size if at.kind.list is not None else None

    async def asks_for_one(request: httpx.Request) -> None:
        if size is not None and size in request.url.params:
            request.url = request.url.copy_set_param(size, "1")

    return asks_for_one


def _list_paths(at: Emulated) -> list[str]:
    """Where the agent has asked for lists of this kind: reads that no object's own address explains."""
    operation = at.kind.list
    assert operation is not None
    last = operation.request.source.partition("?")[0].rsplit("/", 1)[-1]
    paths = {sent.path for sent in at.wire.sent if sent.method in READS}
    scope = {**at.document["metadata"], "with.path": "", **{f"with.{k}": str(v) for k, v in at.kind.with_.items()}}
    wanted = last[1:-1] if last.startswith("{") else last
    end = scope.get(wanted, wanted) if last.startswith("{") else last
    return sorted(path for path in paths if path.endswith(f"/{end}"))


def _short_lists(at: Emulated) -> Iterator[Mapping[str, Any]]:
    """Faults of a list. One that tells no total may be cut without a sign, so that only a by-key read can tell."""
    operation = at.kind.list
    assert operation is not None
    if operation.pages.total is not None or at.kind.get is not None:
        yield {"fault": "short-list", "count": 0}
        yield {"fault": "empty-list"}
    if operation.pages.by != "none":
        yield {"fault": "server-error", "calls": tuple(range(2, 50))}
    yield {"fault": "null-rows"} if at.world.platforms[at.example.known["emulator"]].rows else {"fault": "cut"}
    yield {"fault": "server-error"}
    yield {"fault": "html"}


async def lies(at: Emulated, created: Sent) -> None:
    """A 200 that failed is no success: nothing is made on the word of a false read, nothing is believed made or deleted
    on that of a false write. Once answers are true again there is one object, and it goes when git says so."""
    at.commit(at.document)
    seen = len(at.wire.sent)
    at.world.faults.add({"fault": "html", "method": "GET"})
    report = await at.one_pass()
    if any(each.result is not Result.HELD for each in report.outcomes):
        raise Fell(f"a page of HTML was believed: {told(report)}")
    at.wrote_nothing_since(seen)
    at.world.faults.clear()
    with _false_success(at, created.method, created.path):
        report = await at.one_pass()
        _not_done(report, "create")
        at.count(created.makes, 0)
    report = await at.settles()
    if not absence_is_provable(at.kind) and report.outcomes:
        at.count(created.makes, 0)  # HTML tells nothing, and nothing else can: a person is asked
        return
    at.count(created.makes, 1)
    if at.kind.delete is None:
        return
    at.commit()
    await at.clock.sleep(BETWEEN_PASSES)
    wish = Wish(confirm_deletes=1, careful=True)
    with _false_success(at, at.kind.delete.method, "*"):
        report = await at.one_pass(wish)
        _not_done(report, "delete")
    at.count(created.makes, 1)
    for _ in range(4):
        await at.clock.sleep(20.0)
        report = await at.one_pass(wish)
    if report.outcomes:
        raise Fell(f"not deleted when answers are true again: {told(report)}")


@contextmanager
def _false_success(at: Emulated, method: str, path: str) -> Iterator[None]:
    """Writes are refused with 200: in the platform's own words where its definition can tell, else as HTML."""
    platform = at.platform
    if platform.response.ok is not None or platform.errors.code is not None:
        at.world.faults.add({"do": "answer", "status": 400, "method": method, "path": path})
        at.wire.after = as_success
    else:
        at.world.faults.add({"fault": "html", "method": method, "path": path})
    played = len(at.world.faults.played)
    yield
    if len(at.world.faults.played) == played:
        raise Fell("the fault was not met")
    at.wire.after = None
    at.world.faults.clear()


def _not_done(report: Report, action: str) -> None:
    if [each.result in (Result.NOT_DONE, Result.UNKNOWN) for each in report.outcomes] != [True]:
        raise Fell(f"taken for a {action}: {told(report) or 'nothing was planned'}")

"""What a look may be believed on: that somebody answered at all, and that a *not found* means what it says.

Called by ``observe``. A 404 is often a disguised 403, a wrong workspace or a wrong base path, and one by one these
cannot be told apart (``design/fault-model.md`` A7). So something that is known to be there must be found in the pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from agent.errors import LiveError, Unauthorized, Unreachable
from agent.live.api import Listing, ReadApi
from agent.live.look import look_at
from agent.live.purpose import Purpose
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Absent, Observation, Present, Unknown

Group = tuple[str, tuple[tuple[str, str], ...]]

_HOPELESS: Mapping[str, tuple[type[LiveError], str]] = {
    "unreachable": (Unreachable, "check the `server` of target {target}, and that it can be reached from here"),
    "unauthenticated": (Unauthorized, "check the `credentials` of target {target}: the platform does not accept them"),
}
_SENTINELS_MAX = 3  # one of them may have been deleted by a person


def must_answer(listings: Collection[Listing], api: ReadApi) -> None:
    """Nobody there, or a credential that is no good: one sentence for the target, and no read for each object."""
    answers = {listing.answer for listing in listings}
    if len(answers) == 1 and answers <= _HOPELESS.keys():
        (answer,) = answers
        fault, fix = _HOPELESS[answer]
        raise fault(f"target {api.target}, {api.server}: {next(iter(listings)).why}", fix=fix.format(target=api.target))


async def believed(
    observations: dict[Key, Observation],
    listings: Mapping[Group, Listing],
    rows: Mapping[Key, InventoryRow],
    api: ReadApi,
) -> dict[Key, Observation]:
    """The observations, every absence doubted where nothing that is known to be there was found."""
    if _is_witnessed(observations, listings, rows) or await _finds_a_sentinel(observations, listings, rows, api):
        return observations
    return {key: _doubted(seen) for key, seen in observations.items()}


def _is_witnessed(
    observations: Mapping[Key, Observation], listings: Mapping[Group, Listing], rows: Mapping[Key, InventoryRow]
) -> bool:
    """Whether this pass has found something of ours, by its key or in a list."""
    if any(isinstance(seen, Present) and seen.is_read for seen in observations.values()):
        return True
    if any(listing.unchanged for listing in listings.values()):
        return True  # it shows what it is about, as when it was judged
    known = {(key.kind, key.name) for key in rows}
    return any(
        (kind, row.name) in known
        for (kind, _), listing in listings.items()
        if listing.answer == "ok"
        for row in listing.rows
    )


async def _finds_a_sentinel(
    observations: Mapping[Key, Observation],
    listings: Mapping[Group, Listing],
    rows: Mapping[Key, InventoryRow],
    api: ReadApi,
) -> bool:
    """One read of an object that was there when it was looked at last; without any, the credential must do."""
    asked = False
    for key, row in _sentinels(observations, rows, api):
        asked = True
        kind = api.platform.kinds[key.kind]
        reply = (await look_at(api, kind, key, row.server_id, Purpose.PROBE, uid=row.uid)).reply
        if reply.answer != "notFound":
            return reply.answer == "ok"
    if asked:
        return False
    if any(listing.answer == "ok" for listing in listings.values()):
        return True
    return (await api.prove_credential()).answer == "ok"


def _sentinels(
    observations: Mapping[Key, Observation], rows: Mapping[Key, InventoryRow], api: ReadApi
) -> Iterator[tuple[Key, InventoryRow]]:
    """Objects of ours that are not missing and can be read by key, those first that were seen last."""
    found = []
    for key, row in rows.items():
        kind = api.platform.kinds.get(key.kind)
        readable = kind is not None and kind.get is not None and not kind.is_run
        if readable and row.seen_at is not None and not isinstance(observations.get(key), Absent):
            found.append((row.seen_at, key))
    for _, key in sorted(found, reverse=True)[:_SENTINELS_MAX]:
        yield key, rows[key]


def _doubted(seen: Observation) -> Observation:
    if isinstance(seen, Absent):
        why = "not found, but nothing that is known to be there was found either"
        return Unknown("absence-unwitnessed", f"{why}: a wrong path, scope or permission looks like this")
    return seen

"""keys -> Observed: lists find, by-key reads decide, and whatever could not be told is Unknown.

Called by ``reconcile/looking``. It sends reads only, never more than the definition asks for: a key whose content is
remembered and fresh costs nothing beyond its share of a list.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from agent.definitions.marks import content_of_run, owner_of
from agent.definitions.platform import Kind, Platform
from agent.live.absent_parents import is_nowhere, without_parent
from agent.live.api import Listing, ReadApi, Row
from agent.live.bulk import in_bulk
from agent.live.calm import Group, Quiet, group_at
from agent.live.haste import is_overtaken
from agent.live.listed_runs import run_in_list, unlisted_run
from agent.live.look import Looked, find_row, look_at
from agent.live.memory import Memory
from agent.live.outdated import referring_kinds
from agent.live.purpose import Purpose
from agent.live.rows import health_of, id_of, pages_of
from agent.live.subjects import Subject, subjects_of
from agent.live.witness import believed, must_answer
from agent.model.apart import Apart
from agent.model.identity import Key, uid_of
from agent.model.inventory import InventoryRow
from agent.model.resource import Absent, Desired, Observation, Observed, Present, Stray, Unknown, as_kept
from agent.model.stock import Place, by_place

Scope = tuple[tuple[str, str], ...]

_READERS = 64  # reads that wait for the connection's slots at a time


@dataclass(slots=True)
class _Shelf:
    """Keys of one kind and scope, and what the list that shows them said. ``rows`` are those not yet asked for."""

    kind: Kind | None
    listing: Listing | None = None
    full: bool = False
    rows: dict[str, Row] = field(default_factory=dict)

    def take(self, key: Key, row: InventoryRow | None, platform: str) -> Row | None:
        """The listed row of an object: by its name, or by its id where the name identifies nothing."""
        if self.kind is None or self.kind.unique:
            return self.rows.pop(key.name, None)
        if self.kind.is_run:
            uid = uid_of(platform, key)
            found = find_row(self.kind, key, self.rows.values(), row.server_id if row is not None else None, uid)
            for label in [label for label, each in self.rows.items() if each.owner == uid or each is found]:
                del self.rows[label]  # earlier runs of the same manifest are no strays either
            return found
        for label, listed in self.rows.items():
            if row is not None and (listed.id == row.server_id is not None or listed.owner == row.uid):
                return self.rows.pop(label)
        return None


async def observe(desired: Desired, memory: Memory, api: ReadApi, now: float) -> Observed:
    """Look at everything git names and the inventory holds. ``now`` is the wall clock in epoch seconds."""
    before = Counter(api.calls)
    kinds, referring = api.platform.kinds, referring_kinds(api.platform)
    apart = memory.apart or Apart().between(desired.resources, memory.rows)
    groups = _groups(desired, apart, kinds) if memory.listed else {}
    quiet = _quiet(desired, memory, apart, api) if memory.listed else {}
    listings = await _listings(groups, quiet, api)
    must_answer(listings.values(), api)
    read_anew = {group: listing for group, listing in listings.items() if not listing.unchanged}
    still = frozenset(place for group in listings.keys() - read_anew.keys() for place in groups[group])
    shelves = _Shelves(api.platform, read_anew, memory, now)
    subjects = subjects_of(desired, memory, referring, apart=apart, still=still)
    observations, reads, remembered, restless = _sorted_out(subjects, shelves, referring)
    strays = shelves.strays(desired.target)
    if memory.calm is not None and memory.listed:
        memory.calm.note(listings, restless, strays)
        strays = (
            *strays,
            *(stray for group, each in quiet.items() if listings[group].unchanged for stray in each.strays),
        )
    now_read = [key for key in reads if memory.is_asked(key)]
    read = shelves.beside(await _read_all(now_read, api, memory, now))
    later = frozenset(reads) - read.keys()
    observations |= {key: _agreed(key, seen, desired, listings, api) for key, seen in read.items()}
    if any(type(seen) is Absent for seen in observations.values()):
        observations = await believed(observations, listings, memory.rows, api)
    observations |= without_parent(observations, kinds, now) | remembered
    failed = [
        group
        for group, listing in listings.items()
        if not _is_whole(listing, kinds[group[0]]) and not is_nowhere(*group, observations, kinds)
    ]
    return Observed(
        observations,
        tuple(sorted(strays, key=lambda stray: stray.key)),
        {purpose: count - before[purpose] for purpose, count in api.calls.items() if count > before[purpose]},
        pages_of(listings),
        complete=not failed and not later and not any(type(seen) is Unknown for seen in observations.values()),
        partial=not memory.listed or bool(later) or bool(still),
        later=later,
    )


def _sorted_out(
    subjects: Iterable[Subject], shelves: _Shelves, referring: Collection[str]
) -> tuple[dict[Key, Observation], list[Key], dict[Key, Observation], set[Place]]:
    """What is known without reading; what must be read; what was found deleted and stays so, which proves nothing of
    anything else and asks for no witness; and the places where not all was found listed as it is known."""
    observations: dict[Key, Observation] = {}
    reads: list[Key] = []
    remembered: dict[Key, Observation] = {}
    restless: set[Place] = set()
    for subject in subjects:
        key, seen = subject.key, _told(subject, shelves)
        gone = shelves.memory.absence(key) if seen is None or seen.is_remembered else None
        if gone is not None and key not in shelves.shown:
            remembered[key] = gone
        elif seen is None or gone is not None:
            reads.append(key)
        else:
            observations[key] = seen
        if not _is_settled(subject, seen, shelves) or key.kind in referring:
            restless.add((key.kind, key.scope))
    return observations, reads, remembered, restless


def _agreed(
    key: Key, seen: Observation, desired: Desired, listings: Mapping[Group, Listing], api: ReadApi
) -> Observation:
    """What git no longer names is forgotten once it is absent, and not looked at again: one read that found nothing,
    and was wrong, would leave an object that nobody knows. So the list of the same look has to lack it too.
    """
    kind = api.platform.kinds[key.kind]
    if key in desired.resources or not isinstance(seen, Absent) or seen.proof != "get":
        return seen
    if kind.list is None or not kind.list.complete:
        return seen
    listing = listings.get(group_at((key.kind, key.scope), kind))
    if listing is not None and listing.complete:
        return seen
    return Unknown("unconfirmed", "its own read does not find it, and no whole list was read that could agree")


class _Shelves:
    """What all lists said, found by kind and scope: tens of thousands of keys stand on a few shelves."""

    def __init__(self, platform: Platform, listings: Mapping[Group, Listing], memory: Memory, now: float) -> None:
        self._kinds = kinds = platform.kinds
        self._listings = listings
        self.platform = platform.name
        self.shown: dict[Key, str | None] = {}  # by lists, with the revision that they told
        self.memory = memory
        self.now = now
        self._shelves: dict[Group, _Shelf] = {}
        self._by_scope: dict[Group, dict[Scope, dict[str, Row]]] = {}
        for group, listing in listings.items():
            by_scope = self._by_scope[group] = {}
            for row in listing.rows:
                by_scope.setdefault(row.scope, {})[_label(kinds[group[0]], row)] = row

    def beside(self, read: dict[Key, Observation]) -> dict[Key, Observation]:
        """What was read, held against the list before it: whose revision it had, and whether it was shown at all."""
        return {key: self._beside(key, seen) if key in self.shown else seen for key, seen in read.items()}

    def _beside(self, key: Key, seen: Observation) -> Observation:
        if isinstance(seen, Absent):
            return Unknown("contradicted", "its own read does not find it, and the list of a moment ago shows it")
        listed_as = self.shown[key]
        return replace(seen, listed_as=listed_as) if isinstance(seen, Present) and listed_as is not None else seen

    def of(self, key: Key) -> _Shelf:
        place = (key.kind, key.scope)
        shelf = self._shelves.get(place)
        if shelf is None:
            shelf = self._shelves[place] = self._made(key)
        return shelf

    def _made(self, key: Key) -> _Shelf:
        kind = self._kinds.get(key.kind)
        if kind is None or kind.list is None:
            return _Shelf(kind)
        group = group_at((key.kind, key.scope), kind)
        rows = self._by_scope.get(group, {}).get(key.scope, {})
        return _Shelf(kind, self._listings.get(group), kind.list.holds == "full", rows)

    def strays(self, target: str) -> tuple[Stray, ...]:
        """Rows that nobody asked for."""
        found = []
        for group, by_scope in self._by_scope.items():
            if any(by_scope.values()):
                for row in self._listings[group].rows:
                    if _label(self._kinds[group[0]], row) in by_scope[row.scope]:
                        found.append(Stray(Key(target, group[0], row.scope, row.name), row.id, row.owner, row.health))
        return tuple(found)


def _is_whole(listing: Listing, kind: Kind) -> bool:
    """Whether a list showed all that it can show; one that is cut by nature does so, though it proves nothing."""
    return listing.complete or (listing.answer == "ok" and kind.list is not None and not kind.list.complete)


def _label(kind: Kind, row: Row) -> str:
    return row.name if kind.unique or row.id is None else row.id


def _groups(desired: Desired, apart: Apart, kinds: Mapping[str, Kind]) -> dict[Group, list[Place]]:
    """The lists that everything is shown by, each with the places of the keys that it is about."""
    places = dict.fromkeys(by_place(desired.resources))
    places |= dict.fromkeys((key.kind, key.scope) for key in (*apart.gone, *desired.broken, *desired.required))
    groups: dict[Group, list[Place]] = {}
    for place in places:
        kind = kinds.get(place[0])
        if kind is not None and kind.list is not None:
            groups.setdefault(group_at(place, kind), []).append(place)
    return groups


def _quiet(desired: Desired, memory: Memory, apart: Apart, api: ReadApi) -> dict[Group, Quiet]:
    """The lists of which nothing is to be told if they are what they were, but for those of what this look is about."""
    if memory.calm is None:
        return {}
    about = (apart.differing, apart.gone, desired.broken, desired.required, memory.due, memory.named, memory.reported)
    return memory.calm.lists(desired.resources, memory.rows, chain.from_iterable(about), api)


async def _listings(groups: Iterable[Group], quiet: Mapping[Group, Quiet], api: ReadApi) -> dict[Group, Listing]:
    async def listed(group: Group) -> Listing:
        known = quiet[group].sealed if group in quiet else ()
        return await api.list(api.platform.kinds[group[0]], group[1], Purpose.LIST, known)

    asked = list(groups)
    return dict(zip(asked, await asyncio.gather(*map(listed, asked)), strict=True))


def _is_settled(subject: Subject, seen: Observation | None, shelves: _Shelves) -> bool:
    """Whether all that was asked of an object is that a list shows it, as well as it is known to be."""
    if type(seen) is not Present or seen.is_read or subject.row is None or subject.unread or subject.due:
        return False
    return subject.key in shelves.shown and seen.health in (subject.row.health, "unknown")


def _told(subject: Subject, shelves: _Shelves) -> Observation | None:
    """What is known of a key without reading it, or None when it must be read."""
    key, row, unread, due = subject
    shelf = shelves.of(key)
    if shelf.kind is None:
        return Unknown("kind-unknown", f"the definition has no kind {key.kind}")
    listed = shelf.take(key, row, shelves.platform)
    if shelf.kind.is_run and (unread or due) and shelf.listing is not None:
        uid = uid_of(shelves.platform, key)
        return run_in_list(key, row, shelf.kind, listed, shelf.listing, uid, shelves.memory.rows, shelves.now)
    if listed is not None and shelf.full:
        return Present(listed.kept, listed.id, listed.owner, listed.health, None)
    if listed is not None:
        shelves.shown[key] = listed.revision
    if unread or row is None or _must_be_read(row, listed, due):
        return None
    if listed is not None:
        seen_at = shelves.now if due else row.seen_at
        return Present(None, listed.id or row.server_id, row.uid, listed.health, seen_at, listed_as=listed.revision)
    if shelf.listing is None or not shelf.listing.complete:
        # No list, or it failed: what is remembered stands, and its age is told.
        return Present(None, row.server_id, row.uid, row.health, row.seen_at)
    return None


def _must_be_read(row: InventoryRow, listed: Row | None, due: bool) -> bool:
    """A revision in the list decides, where there is one: the same spares the read, another one asks for it."""
    told = listed.revision if listed is not None else None
    if told is None or row.listed_as is None:
        return due
    return told != row.listed_as


async def _read_all(keys: list[Key], api: ReadApi, memory: Memory, now: float) -> dict[Key, Observation]:
    """By-key reads, what git waits for before what is only due. A task for each of ten thousand would be memory.

    What an earlier pass has read and had no time for is believed. A newer commit ends it: the rest is not read.
    """
    found = {key: memory.kept[key] for key in keys if key in memory.kept}
    left = sorted((key for key in keys if key not in found), key=lambda key: memory.purpose_of(key).rank)
    waiting = iter(left)

    async def work() -> None:
        for key in waiting:
            if (seen := await _read(key, api, memory, now)) is not None:
                found[key] = seen

    with in_bulk(len(left)):
        await asyncio.gather(*(work() for _ in range(min(len(left), _READERS))))
    return {key: found[key] for key in keys if key in found}


async def _read(key: Key, api: ReadApi, memory: Memory, now: float) -> Observation | None:
    """One look; None where a newer commit is there, so that nobody waits for it any more."""
    kind, row = api.platform.kinds[key.kind], memory.rows.get(key)
    if kind.get is None and kind.list is None:
        return Unknown("not-readable", f"the platform offers no read of {kind.name}")
    uid, server_id = uid_of(api.platform.name, key), row.server_id if row is not None else memory.ids.get(key)
    purpose = memory.purpose_of(key)
    looked = await look_at(api, kind, key, server_id, purpose, uid=uid)
    if looked.reply.answer == "unreachable" and is_overtaken():
        if purpose is not Purpose.SWEEP or row is None:
            return None
        return Present(None, row.server_id, row.uid, row.health, row.seen_at)  # only its age was to be mended
    if kind.is_run and looked.reply.answer != "ok" and (looked.proof == "never-made" or looked.unlisted):
        return unlisted_run(key, row, memory.rows, now)
    return _judged(looked, kind, uid, row, memory, key, now)


def _judged(
    looked: Looked, kind: Kind, uid: str, row: InventoryRow | None, memory: Memory, key: Key, now: float
) -> Observation:
    """One look as an observation: *not found* is absence only outside the settle window and from a verified read."""
    reply = looked.reply
    deleted_at = memory.tombstones.get(key)
    if reply.answer == "ok":
        if deleted_at is not None and row is None and now < deleted_at + kind.settle_seconds:
            return Unknown("settling", "we have just deleted it; reads may lag behind")
        owner = owner_of(kind, reply.item, uid)
        content = content_of_run(kind, reply.item) if kind.is_run else None
        return Present(
            as_kept(reply.item),
            id_of(kind, reply.item),
            owner,
            health_of(kind, reply.item),
            now,
            content,
            others=looked.others,
        )
    if reply.answer == "notFound":
        guess = kind.get.unverified if kind.get is not None and looked.proof == "get" else None
        if guess is not None and not {kind.name, f"{kind.name}.get"} & memory.confirmed:
            return Unknown("unverified", f"404 from a read that is a guess proves nothing ({guess})")
        if row is not None and row.settle_until is not None and now < row.settle_until:
            return Unknown("settling", "not found, but we wrote it a moment ago; reads may lag behind")
        return Absent(looked.proof, now)
    if reply.answer == "broken" and reply.status is not None and reply.status < 300 and reply.item is None:
        return Unknown("api-unintelligible", reply.message)
    return Unknown(f"api-{reply.answer}", reply.message or f"{reply.method} {reply.template} answered {reply.status}")

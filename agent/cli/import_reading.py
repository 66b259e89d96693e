"""What of a target is live and could be imported: kinds, the scopes in which they are listed, objects, their content.

Used by ``importing``; sends reads only, in the class of calls that everything else goes before. What cannot be read is
told and the rest is read; what nobody could import is told before a call is spent on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.cli.arguments import key_of
from agent.cli.import_wanted import Wanted
from agent.cli.known_scopes import Scope, scopes_of
from agent.cli.looking import HOPELESS, is_nowhere, list_fault, place_of
from agent.definitions.marks import owner_of
from agent.definitions.platform import Kind
from agent.definitions.scope import list_words
from agent.errors import AgentError, LiveError, NotFound, UsageError
from agent.importing.kinds import may_stand, why_left, why_not
from agent.live.answers import error_of
from agent.live.api import Listing, Row
from agent.live.purpose import Purpose
from agent.live.rows import health_of, scope_of
from agent.model.identity import Key, uid_of
from agent.model.resource import Desired
from agent.plan.elsewhere import Wires
from agent.reconcile.target import Target
from agent.report.escape import clean
from agent.validate.pointers import select

_READERS = 16  # reads that wait for the connection's slots at a time


@dataclass(slots=True)
class Survey:
    """``live`` are the objects whose content was read; the others are told with the reason why there is no manifest.

    ``kept`` are in git already, ``ours`` in our inventory and not asked for. ``notes`` say what may be missing.
    """

    target: Target
    live: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    strays: dict[Key, Row] = field(default_factory=dict)
    kept: dict[Key, str] = field(default_factory=dict)
    ours: list[Key] = field(default_factory=list)
    left: dict[Key, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    failed: dict[Key, AgentError] = field(default_factory=dict)
    faults: list[AgentError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    listings: dict[tuple[str, Scope], Listing] = field(default_factory=dict)

    def wires(self, key: Key) -> Wires:
        """Which names stand for what this object holds in another form: pointer -> name -> value on the platform."""
        found: dict[str, dict[str, Any]] = {}
        for place, rule in self.target.books.of(key).elsewhere:
            if rule.ref is None or not rule.ref.member:
                continue
            kind = self.target.platform.kinds[rule.ref.kind]
            members = {str(_member(row, kind, rule.ref.member)): row for row in self._rows(kind, key)}
            for value in select(self.live[key], place):
                row = members.get(str(value))
                if row is not None:
                    found.setdefault(rule.pointer, {})[row.name] = value
        return found

    def _rows(self, kind: Kind, key: Key) -> Iterator[Row]:
        scope = dict(key.scope)
        for (name, _), listing in self.listings.items():
            if name == kind.name:
                yield from (
                    row for row in listing.rows if all(scope.get(word, each) == each for word, each in row.scope)
                )


async def survey(
    target: Target,
    git: Desired,
    wanted: Wanted,
    tell: Callable[[int, int], None],
    elsewhere: Mapping[Key, str] | None = None,
) -> Survey:
    """Everything of one target that is asked for. Raises UsageError; what the platform does is told in the result.

    ``elsewhere`` are objects that are the business of other targets, by their names.
    """
    found = Survey(target)
    surveyor = _Surveyor(found, git, wanted, elsewhere or {})
    chosen = surveyor.kinds()
    for kind in chosen:
        if kind.list is None:
            surveyor.by_name(kind)
        elif not await surveyor.listed(kind):
            break
    surveyor.unseen()
    if wanted.content:
        await _references(found, surveyor, chosen)
        await _contents(found, tell)
    return found


class _Surveyor:
    """Walks over the lists of one target."""

    def __init__(self, found: Survey, git: Desired, wanted: Wanted, elsewhere: Mapping[Key, str]) -> None:
        self.found = found
        self.elsewhere = elsewhere
        self.target = found.target
        self.wanted = wanted
        self.in_git = {key: f"{each.origin.path}:{each.origin.line}" for key, each in git.resources.items()}
        self.in_git |= dict.fromkeys(git.broken, "a manifest with mistakes")
        self.rows = self.target.store.rows(self.target.name)
        self.known = {*self.in_git, *git.required, *self.rows}
        self._parents: dict[str, bool] = {}

    def kinds(self) -> list[Kind]:
        """The kinds to look for, parents before what stands in them; why the others are not."""
        wanted, kinds = self.wanted, self.target.platform.kinds
        found = []
        for kind in kinds.values():
            if not wanted.may_mean(kind.name):
                continue
            words = {word.word for word in kind.scope}
            if not set(wanted.where) <= words:
                if wanted.names(kind.name):
                    fix = f"its words are {', '.join(sorted(words))}" if words else "it stands in no scope"
                    unknown = sorted(set(wanted.where) - words)[0]
                    raise UsageError(f"{kind.name} has no scope word `{clean(unknown, 60)}`", fix=fix)
                continue
            reason = why_not(kind)
            if reason:
                (self.found.refused if wanted.names(kind.name) else self.found.kinds)[kind.name] = reason
            else:
                found.append(kind)
        return found

    def by_name(self, kind: Kind) -> None:
        """Objects of a kind without a list: those that are named, or that the inventory has."""
        keys = {key for key in self.rows if key.kind == kind.name}
        for one in self.wanted.chosen:
            if one.kind == kind.name and one.names:
                config = self.target.config
                keys.add(key_of(config.name, kind, one.names, self.wanted.where, config.defaults))
        meant = sorted(key for key in keys if self.wanted.means(key))
        if not meant:
            reason = "the platform has no list of them; name them one by one: KIND/NAME"
            (self.found.refused if self.wanted.names(kind.name) else self.found.kinds)[kind.name] = reason
        for key in meant:
            row = self.rows.get(key)
            listed = Row(key.name, key.scope, row.server_id if row else None, None, "unknown", {}, None)
            self.take(kind, key, listed)

    async def listed(self, kind: Kind) -> bool:
        """All lists of one kind; False where no other call would be answered either."""
        try:
            scopes = await self.scopes(kind)
        except UsageError as error:
            if self.wanted.names(kind.name):
                self.found.faults.append(error)
            else:
                self.found.kinds[kind.name] = f"where they stand is not known: {error.fix}"
            return True
        for scope in scopes:
            listing = await self.list(kind, scope)
            place = place_of(kind, scope)
            if listing.answer == "ok" and not listing.complete:
                self.found.notes.append(f"{place}: there may be more, since {clean(listing.why, 200)}")
            elif listing.answer != "ok" and not (
                listing.answer == "notFound" and await is_nowhere(self.target, kind, scope)
            ):
                self.found.faults.append(list_fault(kind, listing, place))
            for row in listing.rows:
                key = Key(self.target.name, kind.name, row.scope, row.name)
                if self.wanted.means(key) and _stands_there(kind, row):
                    self.take(kind, key, row)
            if listing.answer in HOPELESS:
                self.found.notes.append("nothing more was asked: no other call would be answered either")
                return False
        return True

    async def scopes(self, kind: Kind) -> list[Scope]:
        """Where the kind is listed: in all that is known, after the lists of what it stands in."""
        for word in kind.scope:
            parent = self.target.platform.kinds.get(word.kind or "")
            if word.word in list_words(kind) and parent is not None and word.word not in self.wanted.where:
                await self.parents(parent)
        config = self.target.config
        found = scopes_of(self.target.platform, kind, self.known, self.wanted.where, config.defaults, related=True)
        whole = {*found, *(each for scope in found for each in self.within(kind, scope))}
        return sorted(scope for scope in whole if may_stand(config.scopes, scope))

    def within(self, kind: Kind, scope: Scope) -> Iterator[Scope]:
        """The same list asked for in each parent that its call may name and need not: what it shows without is open."""
        for word in kind.scope:
            if (
                word.optional
                and word.kind is not None
                and word.word in list_words(kind)
                and word.word not in dict(scope)
            ):
                names = {key.name for key in self.known if key.kind == word.kind}
                names |= {name for each, name in self.target.config.defaults.items() if each == word.word}
                for name in names:
                    said = {**dict(scope), word.word: name}
                    yield tuple((each.word, said[each.word]) for each in kind.scope if each.word in said)

    async def parents(self, kind: Kind) -> None:
        """What objects of other kinds stand in, as far as it can be listed."""
        if kind.name in self._parents:
            return
        self._parents[kind.name] = True
        if kind.list is None:
            self.found.notes.append(f"the platform has no list of {kind.name}: looked into those that are known")
            return
        try:
            scopes = await self.scopes(kind)
        except UsageError:
            return
        for scope in scopes:
            listing = await self.list(kind, scope)
            self.known |= {Key(self.target.name, kind.name, row.scope, row.name) for row in listing.rows}
            if not listing.complete:
                why = clean(listing.why or listing.answer, 200)
                self.found.notes.append(f"{place_of(kind, scope)}: looked into those that are known, since {why}")

    async def list(self, kind: Kind, scope: Scope) -> Listing:
        if (kind.name, scope) not in self.found.listings:
            listing = await self.target.api.list(kind, scope, Purpose.IMPORT)
            self.found.listings[kind.name, scope] = listing
        return self.found.listings[kind.name, scope]

    def take(self, kind: Kind, key: Key, row: Row) -> None:
        """One object that is meant: to be read, or told why it is not."""
        if key in self.in_git:
            self.found.kept[key] = self.in_git[key]
        elif key in self.elsewhere:
            self.found.left[key] = f"it is the business of target {clean(self.elsewhere[key], 60)}"
        elif not may_stand(self.target.config.scopes, key.scope):
            self.found.left[key] = "it stands where the `scopes` of the target let nothing stand"
        elif key in self.rows and self.wanted.since_inventory:
            self.found.ours.append(key)
        elif reason := why_left(kind, row.owner, uid_of(self.target.platform.name, key), row.health):
            self.found.left[key] = reason
        else:
            self.found.strays[key] = row

    def unseen(self) -> None:
        """Objects that were named and that no list shows."""
        found = self.found
        seen = [*found.strays, *found.kept, *found.ours, *found.left]
        for one in self.wanted.chosen:
            there = any(one.matches(key.kind, key.scope, key.name) for key in seen)
            if one.names and not there and one.kind not in found.refused and not found.faults:
                found.faults.append(NotFound(f"{clean(one.text, 200)} is not among what is live", code="not-found"))


async def _references(found: Survey, surveyor: _Surveyor, kinds: Sequence[Kind]) -> None:
    """Lists of what objects refer to by more than a name, where they were not asked for anyway."""
    if not found.strays:
        return
    listed = {name for name, _ in found.listings}
    for kind in kinds:
        for rule in kind.fields:
            if rule.ref is not None and rule.ref.member and rule.ref.kind not in listed:
                await surveyor.parents(found.target.platform.kinds[rule.ref.kind])


async def _contents(found: Survey, tell: Callable[[int, int], None]) -> None:
    """The content of each object: in its row, or by a read of its own."""
    waiting = iter(sorted(found.strays))
    done = 0

    async def work() -> None:
        nonlocal done
        for key in waiting:
            await _content(found, key, found.strays[key])
            done += 1
            tell(done, len(found.strays))

    await asyncio.gather(*(work() for _ in range(min(len(found.strays), _READERS))))


async def _content(found: Survey, key: Key, row: Row) -> None:
    target = found.target
    kind = target.platform.kinds[key.kind]
    if kind.list is not None and kind.list.holds == "full":
        found.live[key] = row.item
        return
    reply = await target.api.get(kind, key, row.id, Purpose.IMPORT)
    if reply.answer == "notFound":
        found.failed[key] = NotFound(f"{key} is not there", code="not-found")
    elif reply.answer != "ok":
        found.failed[key] = error_of(reply)
    elif not isinstance(reply.item, Mapping):
        found.failed[key] = LiveError(f"{key}: an answer that is no object", code="api-unintelligible")
    else:
        ours = uid_of(target.platform.name, key)
        reason = why_left(kind, owner_of(kind, reply.item, ours), ours, health_of(kind, reply.item))
        if reason:
            found.left[key] = reason
        else:
            found.live[key] = reply.item


def _stands_there(kind: Kind, row: Row) -> bool:
    """Whether a row says itself that it stands in a parent which it need not have: else one object had several keys."""
    told = scope_of(kind, row.item)
    return all(
        told.get(word.word) == name for word in kind.scope if word.optional for name in [dict(row.scope).get(word.word)]
    )


def _member(row: Row, kind: Kind, path: str) -> Any:
    if kind.id is not None and kind.id.plain == path:
        return row.id
    value: Any = row.item
    for word in path.split("."):
        value = value.get(word) if isinstance(value, Mapping) else None
    return value

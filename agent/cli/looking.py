"""What is live, for people: a table of a kind, or one object with its body. Used by the verb ``get``; sends reads.

What could not be read is told as such: no rows and no fault mean that nothing is there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from agent.cli.arguments import pairs_of
from agent.cli.finding import Asked, Found, found_as, git_of, having, in_full, meant
from agent.cli.known_scopes import scopes_of, stated
from agent.cli.opening import Opened, open_targets
from agent.cli.options import LiveRow, Options
from agent.config.model import Config
from agent.definitions.marks import owner_of
from agent.definitions.platform import Kind
from agent.errors import AgentError, LiveError, NotFound, SourceError, UsageError
from agent.live.actions import live_of
from agent.live.answers import error_of
from agent.live.api import Listing, Reply, Row
from agent.live.look import Looked, look_at
from agent.live.purpose import Purpose
from agent.live.rows import health_of
from agent.model.identity import Key, Revision, uid_of
from agent.model.inventory import InventoryRow
from agent.model.resource import Desired
from agent.plan.normalize import fingerprinted, live_spec, public
from agent.reconcile.target import Target
from agent.report.escape import clean

Scope = tuple[tuple[str, str], ...]

HOPELESS = ("unreachable", "unauthenticated")  # so would every other call to the target be answered


@dataclass(slots=True)
class Live:
    """What was found. ``faults`` are what could not be read, by target; ``notes`` what the rows do not show.

    ``answered``: at least one list or object was read, so that the rows are those of something.
    """

    rows: list[LiveRow] = field(default_factory=list)
    faults: list[tuple[str, AgentError]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    answered: bool = False

    def ended(self) -> Live:
        """In order; the only fault is raised where nothing else is known."""
        if len(self.faults) == 1 and not self.answered:
            raise self.faults[0][1]
        self.rows.sort(key=lambda row: row.key)
        return self


async def fetch_live(config: Config, options: Options, asked: Asked, *, desired: bool, applied: bool) -> Live:
    """``get``: a table of one kind (from its lists), or one object with its body; secrets as ``(secret)``."""
    async with open_targets(config, options, writable=False) as opened:
        if asked.selector.names:
            return await _objects(opened, options, asked, desired=desired, applied=applied)
        live = Live()
        for target in having(opened, asked.selector) if asked.selector.kind else opened.targets:
            await _tables(target, opened, options, asked, live)
        if not (live.answered or live.faults):
            live.notes.append("no manifest and no object of ours names a kind to look for: datakeel get KIND")
        return live.ended()


def _git(target: Target, opened: Opened, options: Options) -> tuple[Desired, SourceError | None]:
    """What git names; nothing and the reason where it cannot be read."""
    try:
        return git_of(target, opened, options), None
    except SourceError as error:
        return Desired(target.name, Revision(""), {}), error


async def _tables(target: Target, opened: Opened, options: Options, asked: Asked, live: Live) -> None:
    """The kind that is named in all scopes that are known; without one, each kind that git or the inventory knows."""
    git, unread = _git(target, opened, options)
    where = pairs_of(asked.where, "--in")
    known = target.store.rows(target.name)
    named = {*git.resources, *git.broken, *git.required, *known}
    wanted = asked.selector.kind
    kinds = [
        kind
        for kind in target.platform.kinds.values()
        if kind.name == wanted or (wanted is None and any(key.kind == kind.name for key in named))
    ]
    if unread is not None and not (kinds and all(stated(kind, where) for kind in kinds)):
        live.faults.append((target.name, unread))
    for kind in kinds:
        if kind.list is None:
            _remembered(target, kind, named, where, options, live)
            continue
        try:
            defaults = target.config.defaults if wanted else {}
            scopes = scopes_of(target.platform, kind, named, where, defaults, related=wanted is not None)
        except UsageError as error:
            live.faults.append((target.name, error))
            continue
        for scope in scopes:
            listing = await target.api.list(kind, scope, Purpose.LIST)
            await _take(target, kind, scope, listing, where, options, live)
            if listing.answer in HOPELESS:
                return


async def _take(
    target: Target,
    kind: Kind,
    scope: Scope,
    listing: Listing,
    where: Mapping[str, str],
    options: Options,
    live: Live,
) -> None:
    """The rows of one list; a list that failed is a fault, for nobody knows what it would have shown."""
    place = place_of(kind, scope)
    if listing.answer == "ok" or (listing.answer == "notFound" and await is_nowhere(target, kind, scope)):
        live.answered = True
        if listing.answer == "ok" and not listing.complete:
            live.notes.append(f"{place}: there may be more, since {clean(listing.why, 200)}")
    else:
        live.faults.append((target.name, list_fault(kind, listing, place)))
    known = target.store.rows(target.name)
    for row in listing.rows:
        key = Key(target.name, kind.name, row.scope, row.name)
        if where.items() <= dict(row.scope).items() and options.selects(key.kind, key.scope, key.name):
            ours = _ours(target, kind, key, row, known)
            seen = (ours.in_sync, ours.seen_at) if isinstance(ours, InventoryRow) else (None, None)
            live.rows.append(LiveRow(key, row.health, bool(ours), *seen))


def _ours(target: Target, kind: Kind, key: Key, row: Row, known: Mapping[Key, InventoryRow]) -> InventoryRow | bool:
    """What is remembered of a listed object of ours, or that its mark says so. A name may be that of several."""
    remembered = known.get(key)
    marked = row.owner is not None and row.owner == uid_of(target.platform.name, key)
    if remembered is not None and (kind.unique or marked or row.id == remembered.server_id is not None):
        return remembered
    return marked


def _remembered(
    target: Target,
    kind: Kind,
    named: Collection[Key],
    where: Mapping[str, str],
    options: Options,
    live: Live,
) -> None:
    """A kind without a list: what is known by name, as it was when it was last read."""
    known = target.store.rows(target.name)
    for key in named:
        if key.kind != kind.name or not where.items() <= dict(key.scope).items():
            continue
        if options.selects(key.kind, key.scope, key.name):
            row = known.get(key)
            seen = (row.health, True, row.in_sync, row.seen_at) if row is not None else ("unknown", False, None, None)
            live.rows.append(LiveRow(key, *seen))
    live.answered = True
    live.notes.append(
        f"{kind.name} has no list: these are known by name, as they were last read; datakeel get {kind.name}/NAME reads"
    )


async def is_nowhere(target: Target, kind: Kind, scope: Scope) -> bool:
    """Whether a list was not found because what it was asked of is not there. A name without an object is there once
    something is in it.
    """
    named = dict(scope)
    for word in kind.scope:
        if word.word not in named:
            continue
        if word.kind is None:
            return True
        parent = target.platform.kinds[word.kind]
        words = {each.word for each in parent.scope}
        key = Key(target.name, parent.name, tuple(pair for pair in scope if pair[0] in words), named[word.word])
        row = target.store.rows(target.name).get(key)
        looked = await _look(target, parent, key, row.server_id if row is not None else None)
        if looked.reply.answer == "notFound" and _proves(target, parent, looked):
            return True
    return False


def place_of(kind: Kind, scope: Scope) -> str:
    """A kind, and where its list was asked for: ``Workflow in workspace analytics``."""
    return f"{kind.name} in {', '.join(f'{word} {clean(name, 80)}' for word, name in scope)}" if scope else kind.name


def list_fault(kind: Kind, listing: Listing, place: str) -> LiveError:
    """Why a list was not answered."""
    assert kind.list is not None
    method, path = kind.list.method, kind.list.request.source
    error = error_of(Reply(listing.answer, "no", None, None, None, "", listing.why, {}, path, method))
    told = listing.why not in ("", listing.answer)
    why = listing.why if told else f"{method} {path} was answered with what counts as `{listing.answer}`"
    return type(error)(f"{place} could not be listed: {why}", call=error.call)


async def _objects(opened: Opened, options: Options, asked: Asked, *, desired: bool, applied: bool) -> Live:
    """Every known object that the words can mean; else the one that they name in full."""
    targets = having(opened, asked.selector)
    read = {target.name: _git(target, opened, options) for target in targets}
    gits = {name: git for name, (git, _) in read.items()}
    unread = next((error for _, error in read.values() if error is not None), None)
    if desired and unread is not None:
        raise unread
    keys = meant(
        targets,
        asked,
        lambda target: {
            *gits[target.name].resources,
            *gits[target.name].broken,
            *gits[target.name].required,
            *target.store.rows(target.name),
        },
    )
    live = Live()
    if not keys and (desired or applied):
        where = "in git" if desired else "among what was written"
        raise AgentError(f"{clean(asked.selector.text, 200)} is not {where}", code="not-found")
    if not keys:
        found = in_full(targets, asked, unread)
        row = await _one(found)
        if row.body is None:
            name = clean(found.key.path, 200)
            raise AgentError(f"{name} is neither in git nor live on {found.target.name}", code="not-found")
        live.rows.append(row)
    for target, key in keys:
        found = found_as(target, key, asked)
        if desired or applied:
            live.rows.append(_written(found, gits[target.name], desired=desired))
            continue
        try:
            live.rows.append(await _one(found))
            live.answered = True
        except LiveError as error:
            live.faults.append((target.name, error))
    return live.ended()


def _written(found: Found, git: Desired, *, desired: bool) -> LiveRow:
    """What git says of an object, or what was written of it last."""
    target, key = found.target, found.key
    row = target.store.rows(target.name).get(key)
    if desired:
        resource = git.resources.get(key)
        spec = resource.read() if resource is not None else None
        book = target.books.of(key)
        body = public(fingerprinted(book, spec, target.secrets.fingerprint)) if spec is not None else None
    else:
        body = public(target.store.applied([key]).get(key, {}).get("spec"))
    if row is None:
        return LiveRow(key, "unknown", False, None, None, body)
    return LiveRow(key, row.health, True, row.in_sync, row.seen_at, body)


async def _one(found: Found) -> LiveRow:
    """The object as it is now; without a body where it is proved not to be there. Raises LiveError."""
    target, kind, key = found.target, found.kind, found.key
    row = target.store.rows(target.name).get(key)
    sync = row.in_sync if row is not None else None
    looked = await _look(target, kind, key, found.server_id)
    reply, body = looked.reply, looked.reply.item
    if reply.answer == "notFound" and looked.proof == "never-made":
        try:
            body = await live_of(target.api, kind, key, None)  # not made by us, so its name must do
        except NotFound:
            body = None
    elif looked.unlisted:
        raise LiveError(f"{key} is not among those that its list shows, and the list does not show all")
    elif reply.answer == "notFound" and not _proves(target, kind, looked):
        assert kind.get is not None
        raise LiveError(f"{key}: 404 from a read that is a guess proves nothing ({kind.get.unverified})")
    elif reply.answer not in ("ok", "notFound"):
        raise error_of(reply)
    elif reply.answer == "notFound":
        body = None
    if body is None:
        return LiveRow(key, "gone", row is not None, sync, row.seen_at if row is not None else None)
    book = target.books.of(key)
    spec = public(fingerprinted(book, live_spec(book, body), target.secrets.fingerprint))
    ours = owner_of(kind, body) == uid_of(target.platform.name, key) if kind.mark else row is not None
    return LiveRow(key, health_of(kind, body), ours, sync, target.clock.now(), spec)


async def _look(target: Target, kind: Kind, key: Key, server_id: str | None) -> Looked:
    uid = uid_of(target.platform.name, key)
    return await look_at(target.api, kind, key, server_id, Purpose.READ, uid=uid)


def _proves(target: Target, kind: Kind, looked: Looked) -> bool:
    """Whether *not found* can be believed: not from a read that is a guess, unless the target has confirmed it."""
    if looked.proof == "never-made":
        return False
    guess = kind.get.unverified if kind.get is not None and looked.proof == "get" else None
    return guess is None or bool({kind.name, f"{kind.name}.get"} & set(target.config.confirmed))

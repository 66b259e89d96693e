"""Whose an object is, by a person's word: taken over as it is shown, or let go. Used by ``adopt`` and ``release``.

Words are written into the store beside whatever agent holds it; its next pass heeds them. Only ``adopt`` asks the
platform, and sends reads alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from agent.cli.arguments import ambiguous
from agent.cli.beside import open_beside
from agent.cli.finding import Asked, having, meant
from agent.cli.opening import Opened, make_state_folder, open_targets
from agent.cli.options import Options, chosen
from agent.cli.reading import known_secrets, revision_of, source_of
from agent.cli.suspending import who
from agent.config.model import Config
from agent.definitions.load import load_platform
from agent.errors import SourceError, UsageError
from agent.model.change import Action, Change, Plan
from agent.model.identity import Key, Origin
from agent.model.ownership import Word
from agent.model.resource import Desired, Present
from agent.plan.compose import can_unmark
from agent.plan.ownership import consent_digest
from agent.plan.rules import RuleBook
from agent.reconcile.desired import read_desired
from agent.reconcile.last import LastDesired
from agent.reconcile.looking import look
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.report.escape import clean
from agent.store.store import Store


@dataclass(slots=True)
class Proposal:
    """What ``adopt`` would do. ``left`` are objects that it cannot take over, each with the reason."""

    plans: list[Plan] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    left: list[tuple[Key, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Departure:
    """What ``release`` lets go: whether its mark comes off, and where its manifest still is (None: nowhere)."""

    word: Word
    unmarks: bool
    marked: bool
    manifest: Origin | None
    git_known: bool = True


async def propose(config: Config, options: Options, asked: Sequence[Asked]) -> Proposal:
    """Look at the objects as they are now, and plan as if they were to be taken over. Raises UsageError, AgentError."""
    async with open_targets(config, options, writable=False) as opened:
        revision = revision_of(opened.source, options)
        wanted: dict[str, dict[Key, str | None]] = {}
        for one in asked:
            for target, key in _in_git(opened, options, one):
                wanted.setdefault(target.name, {})[key] = one.server_id
        proposal = Proposal()
        for target in opened.targets:
            keys = wanted.get(target.name, {})
            if not keys:
                continue
            now = target.clock.now()
            words = {key: Word(key, "adopt", who(), now, None, server_id) for key, server_id in keys.items()}
            seen = await look(target, Wish(revision, selects=partial(_is_one_of, keys), words=words, careful=True))
            proposal.plans.append(seen.plan)
            changes = {change.key: change for change in seen.plan.changes}
            for key, word in words.items():
                change, there = changes.get(key), seen.observed.of(key)
                if change is not None and change.action is Action.ADOPT and isinstance(there, Present):
                    proposal.words.append(replace(word, digest=consent_digest(change, there)))
                else:
                    proposal.left.append((key, _why_not(change)))
        return proposal


def release(config: Config, options: Options, asked: Sequence[Asked]) -> list[Departure]:
    """What would be let go; nothing is written. Raises UsageError for what is not ours, StoreError."""
    config = chosen(config, options)
    with open_beside(config, write=False) as (store, clock):
        owned = {name: store.rows(name) for name in config.targets}
        found: dict[Key, None] = {}
        for one in asked:
            keys = [
                key for rows in owned.values() for key in rows if one.selector.matches(key.kind, key.scope, key.name)
            ]
            if not keys:
                what = f"{clean(one.selector.text, 120)} is not in the inventory: there is nothing to let go"
                raise UsageError(what, fix="datakeel get lists what is ours")
            if one.selector.names and len(keys) > 1:
                raise ambiguous(one.selector, keys)
            found |= dict.fromkeys(keys)
        gits = {name: _desired(config, options, name, store) for name in {key.target for key in found}}
        return [_departure(config, key, gits[key.target], clock.now()) for key in found]


def say(config: Config, words: Sequence[Word]) -> None:
    """Keep them for the next pass. Raises StoreError."""
    make_state_folder(config)
    with open_beside(config) as (store, _):
        store.say(words)


def _is_one_of(keys: Mapping[Key, object], key: Key, path: str) -> bool:
    return key in keys


def _in_git(opened: Opened, options: Options, asked: Asked) -> Iterable[tuple[Target, Key]]:
    """The manifests that the words mean: one by name, all of a kind."""
    revision = revision_of(opened.source, options)

    def resources(target: Target) -> Iterable[Key]:
        return read_desired(
            opened.source, revision, target.config, target.platform, target.store, target.last
        ).resources

    found = meant(having(opened, asked.selector), asked, resources)
    if not found:
        what = f"no manifest names {clean(asked.selector.text, 120)}: what git does not describe cannot be taken over"
        raise UsageError(what, fix="commit its manifest first")
    if asked.selector.names and len(found) > 1:
        raise ambiguous(asked.selector, (key for _, key in found))
    return found


def _why_not(change: Change | None) -> str:
    if change is None:
        return "ours already, and as git says"
    if change.action is Action.CREATE:
        return "not on the platform: the next pass makes it"
    return change.message if change.action is Action.HOLD else "ours already"


def _desired(config: Config, options: Options, name: str, store: Store) -> Desired | None:
    """What git names; None where it cannot be read."""
    target = config.targets[name]
    platform = load_platform(target.platform, extra_folders=config.schemas)
    try:
        with source_of(config, options, known_secrets(config)) as source:
            return read_desired(source, revision_of(source, options), target, platform, store, LastDesired())
    except SourceError:
        return None


def _departure(config: Config, key: Key, git: Desired | None, now: float) -> Departure:
    platform = load_platform(config.targets[key.target].platform, extra_folders=config.schemas)
    kind = platform.kinds.get(key.kind)
    resource = git.resources.get(key) if git is not None else None
    return Departure(
        Word(key, "release", who(), now),
        kind is not None and can_unmark(RuleBook(kind, dict(key.scope))),
        kind is not None and kind.mark is not None,
        resource.origin if resource is not None else None,
        git is not None,
    )

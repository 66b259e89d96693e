"""What is wanted, and where it is read from: targets, definitions, the revision, the memory of checked files.

Used by every verb that walks, and all that those need which only check: no connection is made, and the libraries for
a store are loaded only where there is one to open.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.options import Options
from agent.cli.output import use_redactor
from agent.cli.state import state_of
from agent.config.model import Config
from agent.definitions.load import load_each
from agent.definitions.platform import Platform
from agent.errors import AgentError, ConfigError, Problem, UsageError, Where
from agent.model.identity import Revision
from agent.report.escape import clean
from agent.secrets import Redactor, Secret
from agent.source import Source, open_repository, open_source
from agent.store.location import has_store, path_of
from agent.validate.findings import nearest

if TYPE_CHECKING:
    from agent.store.store import Store


def refuse_unknown_kinds(options: Options, platforms: Iterable[Platform]) -> None:
    """A kind of ``--only`` that no platform has would choose nothing, and all would seem well: a UsageError."""
    known = {kind for platform in platforms for kind in platform.kinds}
    for selector in options.only:
        if selector.kind is not None and selector.kind not in known:
            raise UsageError(
                f"--only {clean(selector.text, 80)}: no target has a kind {clean(selector.kind, 60)}",
                fix=nearest(selector.kind, known),
            )


def platforms_of(config: Config) -> dict[str, Platform]:
    """The platform of each target, by the target's name. Raises DefinitionError."""
    loaded = load_each((each.platform for each in config.targets.values()), extra_folders=config.schemas)
    _refuse_rules_of_no_kind(config, loaded.values())
    return {name: loaded[target.platform] for name, target in config.targets.items()}


def _refuse_rules_of_no_kind(config: Config, platforms: Iterable[Platform]) -> None:
    """A rule about a kind that no platform has would never say anything, and all would seem well.

    Where only some targets are chosen nobody can tell: the kind may be another one's.
    """
    rules = {rule.name: rule for target in config.targets.values() for rule in target.rules if rule.match.kinds}
    if not rules or any((target.others or set()) - config.targets.keys() for target in config.targets.values()):
        return
    known = {kind for platform in platforms for kind in platform.kinds}
    wrong = [(rule, kind) for rule in rules.values() for kind in rule.match.kinds if kind not in known]
    if wrong:
        problems = tuple(
            Problem(
                "policy-invalid",
                f"no target has a kind {clean(kind, 60)}, so that the rule would never say anything",
                rule.where or Where(config.path.name),
                f"rule {rule.name}",
                fix=nearest(kind, known),
            )
            for rule, kind in wrong
        )
        raise ConfigError("a rule of the policy is about nothing", code="policy-invalid", problems=problems)


def revision_of(source: Source, options: Options, *, admitted: bool = False) -> Revision:
    """What the command is about; ``admitted`` where it is to be applied, and signed where signers are named."""
    if options.revision is None:
        return source.fetch()
    return source.admitted(options.revision) if admitted else source.resolve(options.revision)


def known_secrets(config: Config) -> Redactor:
    """What scrubs all that is said from now on. It learns of each secret as it is read."""
    from urllib.parse import unquote, urlsplit

    redactor = Redactor()
    use_redactor(redactor)
    password = urlsplit(config.state).password if not config.state.startswith("sqlite:") else None
    for form in filter(None, (password, unquote(password or ""))):
        redactor.add(Secret(form))
    return redactor


@contextmanager
def source_of(config: Config, options: Options, redactor: Redactor) -> Iterator[Source]:
    """The working tree where a local one is asked for (validate, diff), commits otherwise."""
    source: Source
    if options.worktree and config.source.path is not None and options.revision is None:
        source = open_repository(config.source.path, work_tree=True, signers=config.source.signers)
    else:
        source = open_source(config.source, cache_folder(), learn=redactor.add)
    try:
        yield source
    finally:
        source.close()


@contextmanager
def cache_of(config: Config) -> Iterator[Store | None]:
    """The store's memory of checked files, when there is one; validation never creates state."""
    try:
        store = _store_that_is_there(state_of(config))
    except AgentError:
        store = None
    try:
        yield store
    finally:
        if store is not None:
            store.close()


def _store_that_is_there(url: str) -> Store | None:
    path = path_of(url)
    if path is not None and not has_store(path):
        return None
    from agent.clock import SystemClock
    from agent.store.store import Store  # SQLAlchemy: a third of a check of few files, so not for a missing store

    return Store.open(url, clock=SystemClock(), write=False)


def cache_folder() -> Path:
    """Where mirrors of remote repositories live: a cache that may vanish."""
    base = os.environ.get("XDG_CACHE_HOME") or (str(Path.home() / ".cache") if os.environ.get("HOME") else "/tmp")  # noqa: S108
    return Path(base) / "datakeel"

"""``validate``: the first three steps of the walk, for every target, and what is wrong between targets.

Used by the verb alone. Reads git and the memory of checked files; needs neither the network nor state.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.cli.options import Options, chosen
from agent.cli.reading import (
    cache_of,
    known_secrets,
    platforms_of,
    refuse_unknown_kinds,
    revision_of,
    source_of,
)
from agent.cli.unused import with_unused
from agent.config.model import Config
from agent.definitions.load import load_platform
from agent.model.identity import Revision
from agent.model.resource import Desired
from agent.reconcile.desired import read_desired
from agent.reconcile.last import LastDesired
from agent.source import Source
from agent.validate.across import find_across, find_twice, waits, without_wrong
from agent.validate.attributable import find_unattributable


def check(config: Config, options: Options) -> tuple[Desired, ...]:
    """``validate``: every manifest of every target, without the network and without state."""
    whole, config = config, chosen(config, options)
    platforms = platforms_of(config)
    refuse_unknown_kinds(options, platforms.values())
    found = []
    with source_of(config, options, known_secrets(config)) as source:
        revision = revision_of(source, options)
        for name, target in config.targets.items():
            with cache_of(config) as store:
                read = read_desired(source, revision, target, platforms[name], store, LastDesired())
            several = config.sharing.replicas > 1
            wrong = find_unattributable(read, platforms[name].kinds) if several else ()
            found.append(without_wrong(read, [*wrong]))
        crossed = _crossed(whole, source, revision, [_once(whole, desired, found) for desired in found])
    return with_unused(config, crossed, every=len(config.targets) == len(whole.targets))


def _once(config: Config, desired: Desired, found: Sequence[Desired]) -> Desired:
    """The same, with what another target of the same system declares too."""
    mine = config.targets[desired.target]
    twins = [
        other
        for other, their in ((other, config.targets[other.target]) for other in found if other is not desired)
        if (mine.platform, mine.server, mine.settings) == (their.platform, their.server, their.settings)
    ]
    return without_wrong(desired, [each for twin in twins for each in find_twice(desired, twin, desired.resources)])


def _crossed(config: Config, source: Source, revision: Revision, found: Sequence[Desired]) -> tuple[Desired, ...]:
    """The same, with what is wrong between targets; those that were not chosen are read where somebody waits."""
    needs = {name: target.depends_on for name, target in config.targets.items()}
    if not any(waits(desired) or needs[desired.target] for desired in found):
        return tuple(found)
    gits = {desired.target: desired for desired in found}
    for name, target in config.targets.items():
        if name not in gits:
            platform = load_platform(target.platform, extra_folders=config.schemas)
            gits[name] = read_desired(source, revision, target, platform, None, LastDesired())
    wrong = list(find_across(gits, needs))
    return tuple(
        without_wrong(desired, [fault for name, fault in wrong if name == desired.target]) for desired in found
    )

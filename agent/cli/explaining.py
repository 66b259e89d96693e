"""What a word means: a kind, a member of a kind, a platform. Used by the verb ``explain``, which knows codes; offline.

Definitions are read, the network and the state are not.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.cli.error_codes import explanations
from agent.definitions.kind_words import about_kind, about_platform
from agent.definitions.load import available, load_platform
from agent.definitions.member_words import about_member
from agent.definitions.places import did_you_mean
from agent.definitions.platform import Platform
from agent.definitions.promise_words import as_text
from agent.errors import DefinitionError, UsageError
from agent.report.escape import clean


@dataclass(frozen=True, slots=True)
class Known:
    """All platforms that are known, by ``name/version``: those of the configuration's targets first."""

    folders: Sequence[Path]
    configured: Mapping[str, Platform]
    others: Mapping[str, Platform]
    broken: tuple[DefinitionError, ...] = field(default=())

    @property
    def platforms(self) -> dict[str, Platform]:
        return {**self.configured, **self.others}


def known_platforms(folders: Sequence[Path], wanted: Iterable[str]) -> Known:
    """Those of ``wanted`` (as targets name them), and the newest version of every other one."""
    found = available(folders)
    names = {name.partition("/")[0] for name in found}
    configured, broken = _loaded(dict.fromkeys(wanted), folders)
    taken = {name.partition("/")[0] for name in configured}
    others, also_broken = _loaded(sorted(names - taken), folders)
    return Known(folders, configured, others, (*broken, *also_broken))


def explained(what: str, known: Known, only: str | None = None) -> str:
    """What a word means. ``only``: of this platform. Raises UsageError for one that means nothing."""
    platforms = known.platforms if only is None else _chosen(only, known)
    kind, _, member = what.partition(".")
    having = [platform for platform in platforms.values() if kind in platform.kinds]
    if having:
        return _of_kind(having, kind, member, known)
    named = [each for each in platforms.values() if what in (each.name, each.api_version)]
    if named:
        return "\n\n".join(map(about_platform, named))
    raise _meaningless(what, platforms.values(), known.broken, only)


def promises_of(name: str, folders: Sequence[Path]) -> str:
    """What the kinds of a platform promise."""
    found = available(folders)
    plain = {known.partition("/")[0] for known in found}
    if name not in found and name not in plain:
        raise _no_platform(name, plain)
    platform = load_platform(name, extra_folders=folders)
    return f"{platform.api_version}\n\n{as_text(platform)}"


def _of_kind(having: Sequence[Platform], kind: str, member: str, known: Known) -> str:
    """Those of the configuration where they have it; else all that do."""
    ours = [platform for platform in having if platform.api_version in known.configured]
    shown = ours or having
    texts, faults = [], []
    for platform in shown:
        try:
            rule = platform.kinds[kind]
            texts.append(about_member(platform, rule, member) if member else about_kind(platform, rule))
        except UsageError as fault:
            faults.append(fault)
    if not texts:
        raise faults[0]
    rest = sorted(platform.name for platform in having if platform not in shown)
    if rest:
        texts[-1] += f"\nAlso a kind of {', '.join(rest)}: --platform NAME\n"
    return "\n\n".join(texts)


def _chosen(name: str, known: Known) -> dict[str, Platform]:
    """One platform, even where a configuration prefers another version of it."""
    platforms = {key: each for key, each in known.platforms.items() if name in (each.name, each.api_version)}
    if platforms:
        return platforms
    found = available(known.folders)
    if name not in found and all(name != each.partition("/")[0] for each in found):
        raise _no_platform(name, {each.partition("/")[0] for each in found})
    platform = load_platform(name, extra_folders=known.folders)
    return {platform.api_version: platform}


def _loaded(names: Iterable[str], folders: Sequence[Path]) -> tuple[dict[str, Platform], list[DefinitionError]]:
    found, broken = {}, []
    for name in names:
        try:
            platform = load_platform(name, extra_folders=folders)
        except DefinitionError as error:
            broken.append(error)
        else:
            found[platform.api_version] = platform
    return found, broken


def _no_platform(name: str, names: Iterable[str]) -> UsageError:
    return UsageError(f"there is no platform {clean(name, 60)!r}", fix=did_you_mean(name, sorted(names)))


def _meaningless(
    what: str, platforms: Iterable[Platform], broken: Sequence[DefinitionError], only: str | None
) -> UsageError:
    """The nearest of all words that mean something; a member goes with its kind."""
    kind, dot, member = what.partition(".")
    if "/" in what:
        name = clean(what, 100)
        fix = f"datakeel explain {name.partition('/')[0]}, or datakeel get {name}"
        return UsageError(f"explain tells of kinds, not of one object: {name}", fix=fix)
    platforms = list(platforms)
    kinds = {name for platform in platforms for name in platform.kinds}
    words = {*kinds, *(() if only else (*explanations(), *(platform.name for platform in platforms)))}
    folded = {word.casefold(): word for word in sorted(words)}
    near = folded.get(kind.casefold()) or next(iter(difflib.get_close_matches(kind, sorted(words), 1)), "")
    meant = f"{near}{dot}{member}" if near in kinds else near
    fix = "datakeel explain lists all codes, datakeel explain PLATFORM the kinds of one"
    return UsageError(
        f"{only} has no kind {clean(kind, 60)!r}" if only else f"{clean(kind, 60)!r} is no code, kind or platform",
        why=f"not all kinds are known: {broken[0].what}" if broken else None,
        fix=f"did you mean {clean(meant, 100)}?" if near else f"datakeel explain {only} lists them" if only else fix,
    )

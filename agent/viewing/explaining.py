"""What a word means: an error code, a kind, a member of one, a platform with its promises and its price, a setting.

Used by the verb ``explain`` and by the agent's pages; offline. Definitions are read, the network and the state are not.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.definitions.kind_words import about_kind, about_platform
from agent.definitions.load import available, load_platform
from agent.definitions.member_words import about_member
from agent.definitions.places import did_you_mean
from agent.definitions.platform import Platform
from agent.definitions.promise_words import about_cost, about_promises
from agent.definitions.setting_words import CONFIGURATION, FILES, about_setting, top_settings
from agent.errors import DefinitionError, UsageError
from agent.model.explanation import Explanation, Part
from agent.report.escape import clean
from agent.viewing.error_codes import code_of, explanations, plain_text
from agent.viewing.policy_words import WORD as POLICY
from agent.viewing.policy_words import about_policy

PROMISES, COST = "promises", "cost"
_LISTS = "datakeel explain lists all codes, datakeel explain PLATFORM the kinds of one"


@dataclass(frozen=True, slots=True)
class Known:
    """All platforms that are known, by ``name/version``: those of the configuration's targets first."""

    folders: Sequence[Path]
    configured: Mapping[str, Platform]
    others: Mapping[str, Platform] = field(default_factory=dict)
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


def code(written: str) -> Explanation | None:
    """What an error code means; with or without its brackets. None for a word that is none."""
    word = code_of(written)
    text = explanations().get(word)
    if text is None:
        return None
    paragraphs = tuple(plain_text(text).split("\n\n"))
    return Explanation("code", word, word, parts=(Part(text=paragraphs),), told={"text": text})


def plain(words: Sequence[str]) -> list[Explanation] | None:
    """What needs no platform: a code, a setting of a file that is named, rules. None for everything else."""
    first, *rest = words
    if first in FILES and len(rest) <= 1:
        return [about_setting(first, *rest or [""])]
    if first == POLICY and not rest:
        return [about_policy()]
    found = code(first) if not rest else None
    return [found] if found is not None else None


def explained(
    words: Sequence[str], known: Known, only: str | None = None, objects: int | None = None
) -> list[Explanation]:
    """What is meant by the words; more than one where several platforms have the kind.

    ``only``: of this platform; ``objects`` are those of a price. Raises UsageError for what means nothing.
    """
    first, *rest = words
    if only is None and (found := plain(words)) is not None:
        return found
    if len(rest) == 1 and first in (PROMISES, COST):
        platform = next(iter(_chosen(rest[0], known).values()))
        return [about_promises(platform) if first == PROMISES else about_cost(platform, objects)]
    if rest or first in (PROMISES, COST):
        raise UsageError(
            "explain takes one word, or `promises` or `cost` and one platform, or a file and one of its words",
            fix="datakeel explain promises NAME, datakeel explain datakeel.yaml targets.drift",
        )
    platforms = known.platforms if only is None else _chosen(only, known)
    kind, _, member = first.partition(".")
    having = [platform for platform in platforms.values() if kind in platform.kinds]
    if having:
        return _of_kind(having, kind, member, known)
    named = [each for each in platforms.values() if first in (each.name, each.api_version)]
    if named:
        return [about_platform(each) for each in named]
    if only is None and first.partition(".")[0] in top_settings():
        return [about_setting(CONFIGURATION, first)]
    raise _meaningless(first, platforms.values(), known.broken, only)


def _of_kind(having: Sequence[Platform], kind: str, member: str, known: Known) -> list[Explanation]:
    """Those of the configuration where they have it; else all that do."""
    ours = [platform for platform in having if platform.api_version in known.configured]
    shown = ours or having
    told, faults = [], []
    for platform in shown:
        try:
            rule = platform.kinds[kind]
            told.append(about_member(platform, rule, member) if member else about_kind(platform, rule))
        except UsageError as fault:
            faults.append(fault)
    if not told:
        raise faults[0]
    return told


def also_of(told: Sequence[Explanation], known: Known) -> list[str]:
    """Names of the platforms that have the kind too and were not asked."""
    shown = {each.platform for each in told}
    kinds = {each.word.partition(".")[0] for each in told if each.what in ("kind", "member")}
    return sorted(each.name for each in known.platforms.values() if kinds & set(each.kinds) and each.name not in shown)


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
    """The nearest of all words that mean something; what stands behind the dot goes along."""
    kind, dot, member = what.partition(".")
    platforms = list(platforms)
    kinds = {name for platform in platforms for name in platform.kinds}
    words = {*kinds, *(() if only else (*explanations(), *(platform.name for platform in platforms)))}
    words |= set() if only else set(top_settings())
    folded = {word.casefold(): word for word in sorted(words)}
    near = folded.get(kind.casefold()) or next(iter(difflib.get_close_matches(kind, sorted(words), 1)), "")
    meant = f"{near}{dot}{member}" if near in kinds or near in top_settings() else near
    return UsageError(
        f"{only} has no kind {clean(kind, 60)!r}"
        if only
        else f"{clean(kind, 60)!r} is no code, kind, platform or setting",
        why=f"not all kinds are known: {broken[0].what}" if broken else None,
        fix=f"did you mean {clean(meant, 100)}?"
        if meant
        else f"datakeel explain {only} lists them"
        if only
        else _LISTS,
    )

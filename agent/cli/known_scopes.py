"""Which scopes of a list are known: those that git, the inventory, the target's defaults and a person's words tell.

Used by ``looking``, so that kinds which no manifest names can be listed too. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from agent.definitions.platform import Kind, Platform
from agent.definitions.scope import list_words
from agent.errors import UsageError
from agent.live.look import scope_of_list
from agent.model.identity import Key
from agent.report.escape import clean

Scope = tuple[tuple[str, str], ...]


def scopes_of(
    platform: Platform,
    kind: Kind,
    known: Collection[Key],
    where: Mapping[str, str],
    defaults: Mapping[str, str],
    *,
    related: bool,
) -> list[Scope]:
    """All scopes in which the kind can be listed; UsageError where a word that the list needs is not known.

    Keys of the kind itself tell theirs; with ``related`` so do other keys that have all words that the list needs.
    """
    words = [word.word for word in kind.scope]
    unknown = [word for word in where if word not in words]
    if unknown and related:
        fix = f"its words are {', '.join(words)}" if words else "it stands in no scope"
        raise UsageError(f"{kind.name} has no scope word `{clean(unknown[0], 60)}`", fix=fix)
    needed = _needed(kind)
    named = list_words(kind)
    spoken = {word: name for word, name in where.items() if word in named}
    told = {scope_of_list(kind, key) for key in known if key.kind == kind.name}
    if related:
        told |= set(_related(platform, kind, known, spoken))
    found = {scope for scope in told if spoken.items() <= dict(scope).items()}
    all_words = {word: defaults[word] for word in needed if word in defaults} | spoken
    if not unknown and (related or spoken) and all(word in all_words for word in needed):
        found.add(tuple((word, all_words[word]) for word in words if word in all_words))
    if not found and related:
        missing = next(word for word in needed if word not in all_words)
        raise UsageError(
            f"the {missing} in which {kind.name} is to be listed is not known",
            why="no manifest, no object of ours and no `defaults` of the target tells one",
            fix=f"--in {missing}=NAME",
        )
    return sorted(found)


def stated(kind: Kind, where: Mapping[str, str]) -> bool:
    """Whether the words of the command line alone say in which scope the kind is listed."""
    return all(word in where for word in _needed(kind))


def _needed(kind: Kind) -> list[str]:
    named = list_words(kind)
    return [word.word for word in kind.scope if word.word in named and not word.optional]


def _related(platform: Platform, kind: Kind, known: Collection[Key], spoken: Mapping[str, str]) -> Iterator[Scope]:
    """What keys of other kinds tell: their scope, and their own name where they are what a word names.

    Words that a list may have and need not have are a person's alone.
    """
    needed = _needed(kind)
    meant = {word.word: word.kind for word in kind.scope}
    for key in known if needed else ():
        other = platform.kinds.get(key.kind)
        if other is None or other.name == kind.name:
            continue
        meaning = {word.word: word.kind for word in other.scope}
        names = {word: name for word, name in key.scope if word in meaning and meaning[word] == meant.get(word)}
        names |= {word: key.name for word in needed if meant[word] == key.kind}
        if all(word in names for word in needed):
            all_words = {**spoken, **{word: names[word] for word in needed}}
            yield tuple((word.word, all_words[word.word]) for word in kind.scope if word.word in all_words)

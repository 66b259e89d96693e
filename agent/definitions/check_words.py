"""Every ``{word}`` and ``${…}`` has a source: which names are known where, and the nearest one for a mistake.

Used by the other checks. A secret in a request line would end in every proxy's log, so it is refused there. What is
to find a name finds none in an answer that holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.definitions.expressions import Expression, PathTemplate, Template
from agent.definitions.places import Faults, Leaf, Place, Words, did_you_mean, get, has
from agent.definitions.shapes import Request
from agent.definitions.vocabulary import CONTEXT

Members = frozenset[str] | None
NONE: frozenset[str] = frozenset()
ANY = None
_MAPS = frozenset({"with", "settings", "args", "spec", "live", "file", "secret", "parents"})
_SECRETS = frozenset({"secret", "token"})


@dataclass(frozen=True, slots=True)
class Sources:
    """The names known at one place, each with its members: ANY, or exactly these (NONE: a single value).

    ``optional`` are scope words that may be absent; ``lenient`` is for an abstract kind, whose constants and scope
    belong to the kinds that will be like it.
    """

    roots: Mapping[str, Members]
    optional: frozenset[str] = frozenset()
    lenient: bool = False

    def plus(self, *single: str, **maps: Members) -> Sources:
        """These sources and more: ``single`` values without members, and ``maps`` with theirs."""
        return Sources({**self.roots, **dict.fromkeys(single, NONE), **maps}, self.optional, self.lenient)

    def fault(self, word: str) -> tuple[str, str | None] | None:
        """Why a dotted word has no source here, and what may have been meant."""
        root, dot, rest = word.partition(".")
        if root not in self.roots:
            if self.lenient and (root not in CONTEXT or root == "with"):
                return None
            known = f"`{root}` is not known here" if root in CONTEXT else f"`{word}` has no source"
            return known, did_you_mean(word, self.candidates())
        members = self.roots[root]
        if not dot or members is None:
            return None
        if rest.partition(".")[0] in members:
            return None
        if not members and root not in _MAPS:
            return f"`{root}` is a single value and has no member `{rest}`", None
        return f"there is no `{word}`", did_you_mean(word, [f"{root}.{member}" for member in sorted(members)])

    def candidates(self) -> list[str]:
        """All words that may be written here."""
        names = []
        for root, members in self.roots.items():
            if root not in _MAPS:
                names.append(root)
            names += [f"{root}.{member}" for member in sorted(members or ())]
        return names


def kind_sources(words: Words, settings: Iterable[str], *, lenient: bool) -> Sources:
    """What every call of a kind knows: its scope, its constants, the target's settings and name."""
    roots: dict[str, Members] = {"target": NONE, "settings": frozenset(settings)}
    optional = set()
    for word, leaf in get(words, "scope", {}).items():
        named = isinstance(leaf.value, dict) and get(leaf.value, "kind") is None
        roots[word] = NONE if named else ANY
        if isinstance(leaf.value, dict) and get(leaf.value, "optional", False):
            optional.add(word)
    if has(words, "with") or not lenient:
        roots["with"] = frozenset(get(words, "with", {}))
    return Sources(roots, frozenset(optional), lenient)


def check_line(leaf: Leaf | None, sources: Sources, faults: Faults) -> None:
    """The words of a request line, or of a bare path."""
    value = leaf.value if leaf is not None else None
    template = value.template if isinstance(value, Request) else value
    if leaf is None or not isinstance(template, PathTemplate):
        return
    for word in template.words:
        root = word.partition(".")[0]
        if root in _SECRETS:
            what = f"`{{{word}}}`: a secret in a request line ends in every log on the way"
            faults.add(leaf.place, what, got=template.source, fix="send it in a header by `auth`, or in a body")
        elif reason := sources.fault(word):
            faults.add(leaf.place, f"`{{{word}}}`: {reason[0]}", got=template.source, fix=reason[1])
        elif root in _MAPS and root == word:
            faults.add(
                leaf.place, f"`{{{word}}}` is a map: name a member, as in `{{{word}.member}}`", got=template.source
            )
        elif word in template.path_words and root in sources.optional:
            what = f"`{{{word}}}` may be absent (`optional`), and a path needs it: put it into the query"
            faults.add(leaf.place, what, got=template.source)


def check_template(template: object, sources: Sources, place: Place, faults: Faults, *, secrets: bool = False) -> None:
    """The words of a body, a header or another templated value; ``secrets`` where they may carry one."""
    if not isinstance(template, Template):
        return
    for word in template.words:
        root = word.partition(".")[0]
        if root == "secret" or (root == "token" and root not in sources.roots):
            if not secrets:
                what = f"`${{{word}}}`: a secret may stand only in `auth` and in bodies"
                faults.add(place, what, fix="declare an auth scheme that sends it")
            elif root == "token":
                faults.add(place, "`${token}` is known only in a scheme that has a `login`")
            elif word == root:
                faults.add(place, "`${secret}` is a map: name a member, as in `${secret.token}`")
        elif reason := sources.fault(word):
            faults.add(place, f"`${{{word}}}`: {reason[0]}", fix=reason[1])


def check_templates(leaf: Leaf | None, sources: Sources, faults: Faults, *, secrets: bool = False) -> None:
    """A template, or a map of templates by name."""
    if leaf is None:
        return
    if isinstance(leaf.value, dict):
        for member in leaf.value.values():
            check_template(member.value, sources, member.place, faults, secrets=secrets)
    else:
        check_template(leaf.value, sources, leaf.place, faults, secrets=secrets)


def check_absent(leaf: Leaf | None, faults: Faults) -> None:
    """Where an answer holds nothing, an expression that names something finds nothing: JMESPath's ``to_string`` makes
    the word *null* of it, which would be taken for a name."""
    if leaf is None or not isinstance(leaf.value, Expression):
        return
    found = leaf.value.search({})
    if found is not None:
        what = f"finds {found!r} in an answer that holds nothing"
        faults.add(
            leaf.place, what, got=leaf.value.source, fix="write `id && to_string(id)` in place of `to_string(id)`"
        )

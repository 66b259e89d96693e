"""Name and scope of a manifest: typed, complete and fit to travel in an address.

Used by ``document.py`` after a document was recognised. Absent scope words come from the target's defaults; optional
ones never do, since their absence says something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.definitions.platform import Kind, ScopeWord
from agent.validate import placeholders
from agent.validate.findings import Findings, nearest
from agent.validate.kind_rules import PlatformRules
from agent.validate.names import name_fault, scope_fault, type_fault
from agent.validate.pointers import Tokens, split
from agent.validate.recognise import Identity

Scopes = Mapping[str, tuple[str, ...]]
"""The names that a scope word may have in a target."""


@dataclass(frozen=True, slots=True)
class Named:
    """An identity that holds: what a key is made of, less the target."""

    kind: Kind
    scope: tuple[tuple[str, str], ...]
    name: str


def check_identity(
    identity: Identity,
    defaults: Mapping[str, str],
    rules: PlatformRules,
    held: frozenset[Tokens],
    findings: Findings,
) -> Named | None:
    """The checked identity, or None when one cannot be read. ``held``: places of placeholders, which are reported."""
    name = _name(identity, held, findings)
    scope: list[tuple[str, str]] = []
    complete = True
    for word in identity.kind.scope:
        found = _scope_word(identity, word, defaults, held, findings)
        if found is not None:
            scope.append((word.word, found))
        elif not word.optional or identity.words.get(word.word) is not None:
            complete = False
    if name is None or not complete:
        return None
    if identity.kind.general is not None and not _is_catch_all_due(identity, rules, findings):
        return None
    advice = rules.of(identity.kind)
    if advice.name_schema is not None and not advice.name_schema.is_valid(name):
        what = "the name does not follow the platform's rule"
        findings.add(
            identity.places["name"], "name-unusual", what, got=name, why=advice.name_advice, severity="warning"
        )
    return Named(identity.kind, tuple(scope), name)


def check_scope(identity: Identity, named: Named, scopes: Scopes, findings: Findings) -> None:
    """Whether the target lets its manifests stand where this one does."""
    for word, written in named.scope:
        allowed = scopes.get(word)
        if allowed is not None and written not in allowed:
            what = f"`{word}` is `{written}`, where this target lets nothing stand"
            fix = nearest(written, allowed) or f"one of its `scopes`: {', '.join(sorted(allowed))}"
            findings.add(identity.places.get(word, ""), "scope-forbidden", what, fix=fix)


def _name(identity: Identity, held: frozenset[Tokens], findings: Findings) -> str | None:
    place, name = identity.places["name"], identity.name
    if _is_placeholder(place, name, held, findings):
        return None
    if name is None and place in ("", "/metadata"):
        return None  # its absence is reported where the document was recognised
    if fault := type_fault(name):
        findings.add(place, "name-type", fault, got=name)
        return None
    if fault := name_fault(name, blanks_allowed=not identity.kind.unique):
        findings.add(place, "name-invalid", fault, got=name)
        return None
    return str(name)


def _scope_word(
    identity: Identity,
    word: ScopeWord,
    defaults: Mapping[str, str],
    held: frozenset[Tokens],
    findings: Findings,
) -> str | None:
    written = identity.words.get(word.word)
    if written is None:
        if word.optional:
            return None
        if word.word in defaults:
            return defaults[word.word]
        what = f"`{word.word}` is missing: every {identity.kind.name} belongs to one"
        fix = f"write {word.word}: NAME, or give the target defaults: {{{word.word}: NAME}}"
        findings.add("/metadata" if identity.base else "", "invalid-manifest", what, on="key", fix=fix)
        return None
    place = identity.places[word.word]
    if _is_placeholder(place, written, held, findings):
        return None
    if fault := type_fault(written):
        findings.add(place, "name-type", f"`{word.word}`: {fault}", got=written)
        return None
    if fault := scope_fault(written):
        findings.add(place, "name-invalid", f"`{word.word}`: {fault}", got=written)
        return None
    return str(written)


def _is_placeholder(place: str, value: Any, held: frozenset[Tokens], findings: Findings) -> bool:
    if held and split(place) in held:
        return True
    found = placeholders.find(value, identity=True)
    if found is None or found.severity != "error":
        return False
    findings.add(place, found.code, f"`{found.text}` {found.sentence}", fix=found.fix)
    return True


def _is_catch_all_due(identity: Identity, rules: PlatformRules, findings: Findings) -> bool:
    """A type that has a kind of its own must use it, or one object would go by two keys."""
    for word, value in identity.words.items():
        own = rules.constants_named(word).get(value)
        if own is not None:
            what = f"{word} {value} has a kind of its own"
            findings.add(identity.places[word], "kind-unknown", what, got=value, fix=f"kind: {own.name}")
            return False
    return True

"""Which resource a document speaks of: in our envelope, or in the platform's own form.

Yields an :class:`Identity` or reports why there is none. Used by ``document.py`` for checking and for reading again; it
does not look into the spec.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from agent.definitions.expressions import Expression
from agent.definitions.platform import Kind, NativeRule
from agent.validate.findings import Findings, nearest, one_of
from agent.validate.kind_rules import PlatformRules
from agent.validate.pointers import join

_ENVELOPE = ("apiVersion", "kind", "metadata", "lifecycle", "spec")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a document says of itself, unchecked. ``base`` is the pointer of the spec in the document.

    ``words`` are the metadata words that the document gives besides the name, ``places`` the pointers of all of them.
    """

    kind: Kind
    name: Any
    words: Mapping[str, Any]
    spec: Any
    lifecycle: Any
    base: str
    places: Mapping[str, str]

    @property
    def title(self) -> str:
        return f"{self.kind.name}/{self.name}" if isinstance(self.name, str) and self.name else self.kind.name


def recognise(value: Any, rules: PlatformRules, findings: Findings) -> Identity | None:
    """The identity of a document, or None after reporting why it has none."""
    if isinstance(value, list):
        fix = "write each manifest as a document of its own, with a line `---` between them"
        findings.add("", "not-a-manifest", "the document is a list, and a manifest is a mapping", fix=fix)
        return None
    if not isinstance(value, dict):
        findings.add("", "not-a-manifest", "the document is not a mapping", fix=_forms(rules))
        return None
    if "apiVersion" in value or ("kind" in value and ("metadata" in value or "spec" in value)):
        return _wrapped(value, rules, findings)
    return _native(value, rules, findings)


def _wrapped(value: Mapping[str, Any], rules: PlatformRules, findings: Findings) -> Identity | None:
    for member in value:
        if member not in _ENVELOPE:
            findings.add(
                join((member,)),
                "unknown-key",
                f"`{member}` is not known beside apiVersion, kind, metadata, lifecycle and spec",
                on="key",
                fix=nearest(member, _ENVELOPE) or "attributes of the resource belong under `spec`",
            )
    kind = _wrapped_kind(value, rules, findings)
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        what = "`metadata` is missing" if metadata is None else "`metadata` is not a mapping"
        findings.add("/metadata" if metadata is not None else "", "invalid-manifest", what, fix="metadata: {name: …}")
        return None
    if kind is None or not _is_platform(value.get("apiVersion"), rules, findings):
        return None
    words = {word: member for word, member in metadata.items() if word != "name"}
    known = {scope.word for scope in kind.scope}
    for word in [word for word in words if word not in known]:
        findings.add(
            f"/metadata{join((word,))}",
            "unknown-key",
            f"`{word}` is not known in metadata of {kind.name}",
            on="key",
            fix=nearest(word, ("name", *known)) or one_of(("name", *known)),
        )
        del words[word]
    places = {word: f"/metadata{_pointer_to(word)}" for word in words}
    places["name"] = "/metadata/name" if "name" in metadata else "/metadata"
    if "name" not in metadata:
        findings.subject = kind.name
        findings.add("/metadata", "invalid-manifest", "`name` is missing", on="key")
    spec = value.get("spec")
    return Identity(
        kind, metadata.get("name"), words, {} if spec is None else spec, value.get("lifecycle"), "/spec", places
    )


def _wrapped_kind(value: Mapping[str, Any], rules: PlatformRules, findings: Findings) -> Kind | None:
    name = value.get("kind")
    if name is None:
        findings.add("", "invalid-manifest", "`kind` is missing", fix=one_of(rules.managed))
        return None
    kind = rules.platform.kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        findings.add(
            "/kind",
            "kind-unknown",
            f"{rules.platform.api_version} has no such kind",
            got=name,
            fix=nearest(name, rules.managed) or one_of(rules.managed),
        )
        return None
    if not kind.managed:
        what = f"{kind.name} can only be observed, so no manifest may ask for one"
        findings.add("/kind", "kind-unknown", what, got=name, fix=one_of(rules.managed))
        return None
    return kind


def _is_platform(api_version: Any, rules: PlatformRules, findings: Findings) -> bool:
    expected = rules.platform.api_version
    if api_version == expected:
        return True
    if api_version is None:
        findings.add("", "invalid-manifest", "`apiVersion` is missing", fix=f"apiVersion: {expected}")
        return False
    name, _, version = api_version.partition("/") if isinstance(api_version, str) else ("", "", "")
    what = (
        f"{name} has no version {version or 'without a name'} here; known is {rules.platform.version}"
        if name == rules.platform.name
        else "this folder's target speaks another platform"
    )
    findings.add("/apiVersion", "kind-unknown", what, got=api_version, fix=f"apiVersion: {expected}")
    return False


def _native(value: Mapping[str, Any], rules: PlatformRules, findings: Findings) -> Identity | None:
    unmatched: dict[str, Any] = {}
    for rule in rules.platform.native:
        if not _search(rule.when, value):
            continue
        constants = {word: _search(expression, value) for word, expression in rule.with_.items()}
        if rule.kind is not None:
            return _of_rule(value, rule, rules.platform.kinds[rule.kind], unmatched, rules, findings)
        kind = rules.with_constants(constants)
        if kind is not None:
            return _of_rule(value, rule, kind, {}, rules, findings)
        unmatched |= {rule.with_[word].source: constant for word, constant in constants.items()}
        absent = [rule.with_[word].source for word, constant in constants.items() if constant is None]
        if absent and not any(other.kind and other.when.search(value) for other in rules.platform.native):
            _report_missing(value, rule, absent, rules, findings)
            return None
    if not unmatched:
        findings.add("", "not-a-manifest", "the document is no manifest of this platform", fix=_forms(rules))
        return None
    for source, constant in unmatched.items():
        known = rules.constants_named(_word_of(source, rules))
        findings.add(
            join((source,)),
            "kind-unknown",
            f"no kind of {rules.platform.api_version} has this `{source}`",
            got=constant,
            fix=nearest(constant, known) or one_of(known),
        )
    return None


def _of_rule(
    value: Mapping[str, Any],
    rule: NativeRule,
    kind: Kind,
    unmatched: Mapping[str, Any],
    rules: PlatformRules,
    findings: Findings,
) -> Identity | None:
    for source, constant in unmatched.items():  # a catch-all kind took it: a mere typo must not get through
        near = nearest(constant, rules.constants_named(_word_of(source, rules)))
        if near is not None:
            what = f"no kind of {rules.platform.api_version} has this `{source}`"
            findings.add(join((source,)), "kind-unknown", what, got=constant, fix=near)
            return None
    words, places = {}, {}
    for word, expression in rule.metadata.items():
        found = _search(expression, value)
        places[word] = _pointer_to(expression.source) if expression.source in value else ""
        if word == "name":
            name = found
        elif found is not None:
            words[word] = found
    if "name" in rule.metadata and rule.metadata["name"].source not in value and name is None:
        findings.subject = kind.name
        findings.add("", "invalid-manifest", f"`{rule.metadata['name'].source}` is missing")
    known = {scope.word for scope in kind.scope}
    for word in [word for word in words if word not in known]:
        findings.subject = kind.name
        findings.add(
            places[word], "invalid-manifest", f"{kind.name} belongs to no {word}", on="key", fix=f"leave `{word}` out"
        )
        del words[word]
    spec = {member: content for member, content in value.items() if member not in rule.consumed}
    return Identity(kind, name, words, spec, None, "", places)


@lru_cache(maxsize=256)
def _pointer_to(member: str) -> str:
    return join((member,))


def _search(expression: Expression, value: Mapping[str, Any]) -> Any:
    """A plain member name, which nearly all are, needs no interpreter."""
    source = expression.source
    return value.get(source) if source.isidentifier() else expression.search(value)


def _report_missing(
    value: Mapping[str, Any], rule: NativeRule, absent: list[str], rules: PlatformRules, findings: Findings
) -> None:
    """Without its type a document has no schema: name what every kind of the rule would require."""
    candidates = [kind for kind in rules.platform.kinds.values() if kind.managed and set(rule.with_) <= set(kind.with_)]
    required = [set((kind.schema or {}).get("required", ())) for kind in candidates]
    shared = set.intersection(*required) if required else set()
    name = rule.metadata["name"].source if "name" in rule.metadata else "name"
    for member in [*absent, *sorted({name, *shared} - set(value))]:
        known = {word: kinds for word in rule.with_ if (kinds := rules.constants_named(word))}
        fix = one_of(next(iter(known.values()))) if member in absent and known else None
        findings.add("", "invalid-manifest", f"`{member}` is missing", fix=fix)


def _word_of(source: str, rules: PlatformRules) -> str:
    for rule in rules.platform.native:
        for word, expression in rule.with_.items():
            if expression.source == source:
                return word
    return source


def _forms(rules: PlatformRules) -> str:
    own = f", or use {rules.platform.name}'s own form" if rules.platform.native else ""
    return f"write apiVersion: {rules.platform.api_version}, kind, metadata and spec{own}"

"""The ``lifecycle`` of a manifest: a closed list of words, each checked at its place.

Used by ``document.py``. Whether what it names exists is seen later, when all files are known (``references.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.definitions.platform import ActionRule
from agent.json_schema import Schema
from agent.model.manifest import NO_LIFECYCLE, Lifecycle
from agent.validate.findings import Findings, nearest, one_of
from agent.validate.kind_rules import KindRules, PlatformRules
from agent.validate.names import name_fault, type_fault
from agent.validate.pointers import is_pointer, join

DRIFT_MODES = ("heal", "report", "off")
REPLACE_WORDS = ("allow", "never")
WORDS = ("dependsOn", "protect", "drift", "replace", "createOnly", "ignore", "movedFrom", "actions")
_AWAITED = ("target", "resource")

Fault = tuple[str, str, str | None]  # code, what, fix

_BASE = "/lifecycle"


def read_lifecycle(written: Any, rules: KindRules, platform: PlatformRules, findings: Findings) -> Lifecycle:
    """The typed lifecycle. What is wrong is reported and read as unsaid, which the failed manifest never uses."""
    if written is None:
        return NO_LIFECYCLE
    if not isinstance(written, Mapping):
        findings.add(_BASE, "invalid-manifest", "`lifecycle` is not a mapping", got=written, fix=one_of(WORDS))
        return NO_LIFECYCLE
    for word in written:
        if word not in WORDS:
            fix = nearest(word, WORDS) or one_of(WORDS)
            findings.add(_at(word), "unknown-key", f"`{word}` is not known in lifecycle", on="key", fix=fix)
    return Lifecycle(
        depends_on=_texts(written, "dependsOn", findings, lambda text: _dependency_fault(text, platform)),
        protect=_switch(written, "protect", findings),
        drift=_choice(written, "drift", DRIFT_MODES, findings),
        replace=_choice(written, "replace", REPLACE_WORDS, findings) == "allow",
        create_only=_texts(written, "createOnly", findings, lambda text: _pointer_fault(text, rules.schema)),
        ignore=_texts(written, "ignore", findings, lambda text: _pointer_fault(text, rules.schema)),
        moved_from=_name(written, "movedFrom", findings),
        awaits=_awaits(written, findings),
        actions=_actions(written, rules.kind.actions, rules.kind.name, findings),
    )


def as_digested(lifecycle: Lifecycle) -> Any:
    """The part of a manifest's digest: None without a lifecycle, so that an empty one equals an absent one."""
    if lifecycle is NO_LIFECYCLE or lifecycle == NO_LIFECYCLE:
        return None
    known = [
        list(lifecycle.depends_on),
        lifecycle.protect,
        lifecycle.drift,
        lifecycle.replace,
        list(lifecycle.create_only),
        list(lifecycle.ignore),
        lifecycle.moved_from,
        dict(lifecycle.actions),
    ]
    return [*known, [list(each) for each in lifecycle.awaits]] if lifecycle.awaits else known


def _at(*tokens: str) -> str:
    return _BASE + join(tokens)


def _wrong(findings: Findings, pointer: str, what: str, got: Any, fix: str | None = None) -> None:
    findings.add(pointer, "invalid-manifest", what, got=got, fix=fix)


def _switch(written: Mapping[str, Any], word: str, findings: Findings) -> bool:
    value = written.get(word, False)
    if isinstance(value, bool):
        return value
    _wrong(findings, _at(word), f"`{word}` is neither true nor false", value, f"{word}: true")
    return True  # whoever writes the word badly wanted the protection


def _choice(written: Mapping[str, Any], word: str, known: tuple[str, ...], findings: Findings) -> Any:
    if word not in written:
        return None
    value = written[word]
    if value in known:
        return value
    _wrong(findings, _at(word), f"`{word}` is not {', '.join(known[:-1])} or {known[-1]}", value, nearest(value, known))
    return None


def _name(written: Mapping[str, Any], word: str, findings: Findings) -> str | None:
    if word not in written:
        return None
    value = written[word]
    fault = type_fault(value) or name_fault(value, blanks_allowed=True)
    if fault is None:
        return str(value)
    _wrong(findings, _at(word), f"`{word}` names no resource: {fault}", value)
    return None


def _texts(
    written: Mapping[str, Any],
    word: str,
    findings: Findings,
    fault_of: Callable[[str], tuple[str, str, str | None] | None],
) -> tuple[str, ...]:
    if word not in written:
        return ()
    values = written[word]
    if not isinstance(values, list):
        _wrong(findings, _at(word), f"`{word}` is not a list", values, f"{word}: […]")
        return ()
    kept: list[str] = []
    for index, value in enumerate(values):
        place = _at(word, str(index))
        if isinstance(value, Mapping) and word == "dependsOn":
            continue  # speaks of another target
        if not isinstance(value, str):
            _wrong(findings, place, f"an entry of `{word}` is not text", value)
        elif fault := fault_of(value):
            code, what, fix = fault
            findings.add(place, code, what, got=value, fix=fix)
        else:
            kept.append(value)
    return tuple(kept)


def _awaits(written: Mapping[str, Any], findings: Findings) -> tuple[tuple[str, str], ...]:
    """Entries of ``dependsOn`` that speak of another target: ``{target: NAME}``, perhaps with one resource of it."""
    entries = written.get("dependsOn")
    kept = []
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, Mapping):
            continue
        for word in entry:
            if word not in _AWAITED:
                fix = nearest(word, _AWAITED) or one_of(_AWAITED)
                findings.add(
                    _at("dependsOn", str(index), word), "unknown-key", f"`{word}` is not known here", on="key", fix=fix
                )
        target, path = entry.get("target"), entry.get("resource", "")
        if not isinstance(target, str) or not target:
            _wrong(findings, _at("dependsOn", str(index)), "this names no target", entry, "{target: NAME}")
        elif not isinstance(path, str) or ("resource" in entry and not _names_resource(path)):
            place = _at("dependsOn", str(index), "resource")
            _wrong(findings, place, "this names no resource", path, "write Kind/name or Kind/scope/name")
        else:
            kept.append((target, path))
    return tuple(kept)


def _names_resource(path: str) -> bool:
    kind, _, rest = path.partition("/")
    return bool(kind and rest) and all(rest.split("/"))


def _pointer_fault(text: str, schema: Schema) -> Fault | None:
    if not text.startswith("/"):
        return "invalid-manifest", "this is not a pointer", f'write "/{text.replace(".", "/")}"'
    if not is_pointer(text):
        return "invalid-manifest", "this is not a pointer: `~` stands only before 0 or 1", None
    if not schema.reaches(text):
        return "invalid-manifest", "no spec of this kind has such a place", None
    return None


def _dependency_fault(text: str, platform: PlatformRules) -> Fault | None:
    kind, slash, rest = text.partition("/")
    if not slash or not kind or not rest or rest.endswith("/"):
        return "invalid-manifest", "this names no resource", "write Kind/name or Kind/scope/name"
    if kind not in platform.platform.kinds:
        return "kind-unknown", f"{platform.platform.api_version} has no kind {kind}", nearest(kind, platform.managed)
    return None


def _actions(
    written: Mapping[str, Any], known: Mapping[str, ActionRule], kind: str, findings: Findings
) -> Mapping[str, Any]:
    asked = written.get("actions")
    if asked is None:
        return {}
    if not isinstance(asked, Mapping):
        _wrong(findings, _at("actions"), "`actions` is not a mapping", asked, "actions: {NAME: {…arguments}}")
        return {}
    kept = {}
    for name, arguments in asked.items():
        place = _at("actions", name)
        rule = known.get(name)
        if rule is None:
            fix = nearest(name, known) or (one_of(known) if known else None)
            findings.add(place, "unknown-key", f"{kind} has no action `{name}`", on="key", fix=fix)
            continue
        given = {} if arguments is None else arguments
        schema = Schema({"type": "object", "properties": dict(rule.args), "additionalProperties": False}, place)
        for violation in () if schema.is_valid(given) else schema.violations(given):
            findings.add(place + violation.pointer, violation.code, violation.what, on=violation.at, fix=violation.fix)
        kept[name] = given
    return kept

"""What a kind is, in words for people: how it is named, what a manifest may say, what is promised, what can be asked.

Called by ``explain``. Nothing is declared here: everything follows from the definition and its schema. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.definitions.field_words import one_of_kind, rules_at, special, steps_of
from agent.definitions.platform import ActionRule, Kind, Platform
from agent.definitions.promise_words import cannot
from agent.definitions.promises import guesses
from agent.definitions.schema_words import Member, Said
from agent.json_schema import Schema
from agent.model.explanation import Explanation, Part

# Options of `metrics`, and what arguments of definitions they fill.
_MEASURED = {"period": ("duration", "period", "start", "end"), "resolution": ("resolution",)}


def about_kind(platform: Platform, kind: Kind) -> Explanation:
    """All that is to be known of a kind."""
    what = "managed" if kind.managed else "observed: no manifest may ask for one"
    said = Said(Schema(kind.schema, kind.schema_path)) if kind.schema is not None else None
    parts = [Part(text=(said.description,))] if said is not None and said.description else []
    parts += [_manifest(platform, kind), _native(platform, kind), _named(kind)]
    if said is not None:
        parts += [_members(kind, said), _below(kind)]
    parts += [_promises(platform, kind), _guesses(kind), _actions(kind), *_evidence(platform, kind)]
    told = {
        "managed": kind.managed,
        "scope": [word.word for word in kind.scope],
        "members": [_member_document(member) for member in (said.members() if said is not None else ())],
        "cannot": list(cannot(kind)) if kind.managed else [],
        "actions": sorted(kind.actions),
        "unverified": [{"name": name, "reason": reason} for name, reason in guesses(kind)],
    }
    title = f"{kind.name} · {platform.api_version} · {what}"
    return Explanation("kind", kind.name, title, parts=tuple(filter(None, parts)), platform=platform.name, told=told)


def about_platform(platform: Platform) -> Explanation:
    """The kinds and queries of a platform, by name."""
    managed = [kind.name for kind in platform.kinds.values() if kind.managed]
    observed = [kind.name for kind in platform.kinds.values() if not kind.managed]
    listed = (("Managed", managed), ("Observed only", observed))
    parts = [Part(text=(f"{title}: {', '.join(names)}",)) for title, names in listed if names]
    if platform.queries:
        entries = tuple(_call(rule) for rule in platform.queries.values())
        parts.append(Part("Queries, by `datakeel query NAME`:", entries=entries))
    more = f"More: datakeel explain KIND, datakeel explain promises {platform.name}"
    told = {"managed": managed, "observed": observed, "queries": sorted(platform.queries)}
    parts.append(Part(note=(f"{more}, datakeel explain cost {platform.name}",)))
    return Explanation(
        "platform", platform.name, platform.api_version, parts=tuple(parts), platform=platform.name, told=told
    )


def member_rows(kind: Kind, members: Sequence[Member]) -> tuple[tuple[str, str, str], ...]:
    """Members for a table: ``*`` before a name that must be there, what is special after the description."""
    rows = []
    for member in members:
        rules = rules_at(kind, steps_of(member.pointer))
        words = list(dict.fromkeys(word for rule in rules for word in special(rule)))
        note = f"[{'; '.join(words)}]" if words else ""
        text = " ".join(part for part in (member.description, note) if part)
        rows.append((f"{'*' if member.required else ' '}{member.name}", member.type, text))
    return tuple(rows)


def place_words(pointer: str) -> str:
    """``/workflow/dag/*/name`` as ``workflow.dag.*.name``."""
    return ".".join(steps_of(pointer))


def _member_document(member: Member) -> dict[str, Any]:
    return {
        "name": member.name,
        "type": member.type,
        "required": member.required,
        "description": member.description,
    }


def _manifest(platform: Platform, kind: Kind) -> Part:
    """The head of a manifest."""
    if not kind.managed:
        return Part()
    pairs = [("name: NAME", "")]
    for word in kind.scope:
        what = one_of_kind(word.kind) if word.kind else "a name"
        note = f"{what}, optional" if word.optional else f"{what}; else that of the target's `defaults`"
        pairs.append((f"{word.word}: {word.word.upper()}", note))
    width = max(len(pair) for pair, _ in pairs)
    scope = [f"  {pair.ljust(width)}  # {note}" if note else f"  {pair}" for pair, note in pairs]
    return Part(code=(f"apiVersion: {platform.api_version}", f"kind: {kind.name}", "metadata:", *scope, "spec:"))


def _native(platform: Platform, kind: Kind) -> Part:
    """The platform's own form, where files in it are manifests as they stand."""
    for rule in platform.native if kind.managed else ():
        told = {word: expression.plain for word, expression in rule.with_.items()}
        if rule.kind != kind.name and (rule.kind is not None or not told or not set(told) <= set(kind.with_)):
            continue
        words = [f"{member}: {kind.with_[word]}" for word, member in told.items() if member is not None]
        names = {word.word for word in kind.scope} | {"name"}
        words += [each.plain for word, each in rule.metadata.items() if word in names and each.plain is not None]
        listed = ", ".join(f"`{word}`" for word in words)
        return Part(text=(f"Or in the platform's own form: {listed} at the top, and what `spec` holds beside them.",))
    return Part()


def _named(kind: Kind) -> Part:
    """The name on the command line, and what every manifest is warned of."""
    needed = [word.word for word in kind.scope if not word.optional]
    path = "/".join([kind.name, *(word.upper() for word in needed), "NAME"])
    left_out = f"; without {' and '.join(word.upper() for word in needed)}, `--in` or `defaults` tell" if needed else ""
    free = [f"[--in {word.word}={word.word.upper()}]" for word in kind.scope if word.optional]
    text = [f"On the command line: {' '.join([path, *free])}{left_out}."]
    if kind.general:
        text.append(f"Every manifest of this kind is warned: {kind.general}.")
    return Part(text=tuple(text))


def _members(kind: Kind, said: Said) -> Part:
    members = said.members()
    others = "nothing else" if said.is_closed else "what else is there is sent and not checked"
    if not members:
        return Part(text=("There is nothing to say in `spec`." if said.is_closed else f"In `spec`: {others}.",))
    needed = ", * must be there" if any(member.required for member in members) else ""
    more = f"More of one: datakeel explain {kind.name}.{members[0].name}"
    return Part(f"In `spec`{needed}; {others}:", rows=member_rows(kind, members), note=(more,), links=True)


def _below(kind: Kind) -> Part:
    """What is special further down, and what only the platform writes."""
    rows, seen = [], []
    for rule in kind.fields:
        words = special(rule)
        if rule.read_only:
            seen.append(place_words(rule.pointer))
        elif words and len(steps_of(rule.pointer)) > 1:
            rows.append((place_words(rule.pointer), "; ".join(words)))
    note = (f"Read-only, in no manifest: {', '.join(sorted(seen))}.",) if seen else ()
    return Part("Special below them:" if rows else "", rows=tuple(rows), note=note, links=True)


def _promises(platform: Platform, kind: Kind) -> Part:
    if not kind.managed:
        return Part()
    missing = cannot(kind)
    head = f"All that `datakeel explain promises {platform.name}` lists is promised"
    return Part(f"{head}, but:" if missing else f"{head}.", items=missing)


def _guesses(kind: Kind) -> Part:
    told = tuple(f"{name}: {reason}" for name, reason in guesses(kind))
    return Part(
        "Guesses, planned and not applied until the target's `confirmed` names them:" if told else "", items=told
    )


def _actions(kind: Kind) -> Part:
    entries = tuple(_call(rule, kind.name) for rule in kind.actions.values())
    return Part(f"Actions, by `datakeel act {kind.name}/NAME ACTION`:" if entries else "", entries=entries)


def _call(rule: ActionRule, kind: str | None = None) -> tuple[str, tuple[str, ...]]:
    """An action or a query, with its arguments and what is special about it."""
    reads = rule.reads or rule.method in ("GET", "HEAD")
    said = [*_arguments(rule.args)]
    if rule.careful:
        said.append(f"careful, asks first: {rule.careful}")
    if rule.unverified and kind is not None:
        said.append(f"unverified, wants `confirmed: [{kind}.{rule.name}]`: {rule.unverified}")
    return rule.name + (", which only reads" if reads and kind is not None else ""), tuple(said)


def _arguments(declared: Mapping[str, Any], taken: Sequence[str] = ()) -> Iterator[str]:
    for name, schema in declared.items():
        if name in taken:
            continue
        said = Said(Schema(schema, name))
        shape = "|".join(said.choices) or said.type.upper().replace(" ", "_")
        yield f"--arg {name}={shape}{f': {said.description}' if said.description else ''}"


def _evidence(platform: Platform, kind: Kind) -> Iterator[Part]:
    """Logs and metrics, of its own or of a kind that stands in it."""
    if kind.logs is not None:
        options = [f"--{word}" for word in ("since", "tail") if word in kind.logs.args or word == "tail"]
        how = "streamed" if kind.logs.request is None else "polled"
        command = f"datakeel logs {kind.name}/NAME [{'] ['.join([*options, '--follow'])}]"
        yield Part(f"Logs, {how}:", entries=((command, tuple(_arguments(kind.logs.args, ("since", "tail")))),))
    if kind.metrics is not None:
        options = [f"[--{word}]" for word, names in _MEASURED.items() if set(names) & set(kind.metrics.args)]
        command = f"datakeel metrics {' '.join([f'{kind.name}/NAME', *options])}"
        taken = [name for names in _MEASURED.values() for name in names]
        yield Part("Metrics:", entries=((command, tuple(_arguments(kind.metrics.args, taken))),))
        return
    for other in platform.kinds.values():
        if other.metrics is not None and any(word.kind == kind.name for word in other.scope):
            command = f"datakeel metrics {kind.name}/NAME METRIC"
            yield Part("Metrics:", entries=((command, (f"METRIC is {one_of_kind(other.name)}",)),))
            return

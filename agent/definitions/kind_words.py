"""What a kind is, in words for people: how it is named, what a manifest may say, what is promised, what can be asked.

Called by ``explain``. Nothing is declared here: everything follows from the definition and its schema. Pure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.definitions.field_words import one_of_kind, rules_at, special, steps_of
from agent.definitions.platform import ActionRule, Kind, Platform
from agent.definitions.promise_words import cannot
from agent.definitions.promises import guesses
from agent.definitions.schema_words import Member, Said
from agent.json_schema import Schema

WIDTH = 100
_NAMES_MAX = 24  # a longer name of a member has its line for itself
# Options of `metrics`, and what arguments of definitions they fill.
_MEASURED = {"period": ("duration", "period", "start", "end"), "resolution": ("resolution",)}


def about_kind(platform: Platform, kind: Kind) -> str:
    """All that is to be known of a kind."""
    what = "managed" if kind.managed else "observed: no manifest may ask for one"
    parts = [[f"{kind.name} · {platform.api_version} · {what}"]]
    said = Said(Schema(kind.schema, kind.schema_path)) if kind.schema is not None else None
    if said is not None and said.description:
        parts.append(wrapped(said.description))
    parts += [_manifest(platform, kind), _native(platform, kind), _named(kind)]
    if said is not None:
        parts += [_members(kind, said), _below(kind)]
    parts += [_promises(platform, kind), _guesses(kind), _actions(kind), _evidence(platform, kind)]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def about_platform(platform: Platform) -> str:
    """The kinds and queries of a platform, by name."""
    managed = [kind.name for kind in platform.kinds.values() if kind.managed]
    observed = [kind.name for kind in platform.kinds.values() if not kind.managed]
    lines = [platform.api_version]
    for title, names in (("Managed", managed), ("Observed only", observed)):
        if names:
            lines += ["", *wrapped(f"{title}: {', '.join(names)}")]
    if platform.queries:
        lines += ["", "Queries, by `datakeel query NAME`:"]
        for rule in platform.queries.values():
            lines += _call(rule)
    lines += ["", "More: datakeel explain KIND, datakeel explain promises " + platform.name]
    return "\n".join(lines) + "\n"


def wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    """Lines of at most a hundred characters; no word is broken."""
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    """Names, types and texts; a text goes on below itself."""
    name_width = max((len(name) for name, _, _ in rows if len(name) <= _NAMES_MAX), default=0)
    type_width = max((len(type_) for _, type_, _ in rows), default=0)
    lines = []
    for name, type_, text in rows:
        if len(name) > name_width:
            lines.append(f"  {name}")
            name = ""
        head = f"  {name.ljust(name_width)}  {type_.ljust(type_width)}  "
        lines += wrapped(text, head, " " * len(head)) if text else [head.rstrip()]
    return lines


def member_rows(kind: Kind, members: Sequence[Member]) -> list[tuple[str, str, str]]:
    """Members for a table: ``*`` before a name that must be there, what is special after the description."""
    rows = []
    for member in members:
        rules = rules_at(kind, steps_of(member.pointer))
        words = list(dict.fromkeys(word for rule in rules for word in special(rule)))
        note = f"[{'; '.join(words)}]" if words else ""
        text = " ".join(part for part in (member.description, note) if part)
        rows.append((f"{'*' if member.required else ' '}{member.name}", member.type, text))
    return rows


def place_words(pointer: str) -> str:
    """``/workflow/dag/*/name`` as ``workflow.dag.*.name``."""
    return ".".join(steps_of(pointer))


def _manifest(platform: Platform, kind: Kind) -> list[str]:
    """The head of a manifest."""
    if not kind.managed:
        return []
    pairs = [("name: NAME", "")]
    for word in kind.scope:
        what = one_of_kind(word.kind) if word.kind else "a name"
        note = f"{what}, optional" if word.optional else f"{what}; else that of the target's `defaults`"
        pairs.append((f"{word.word}: {word.word.upper()}", note))
    width = max(len(pair) for pair, _ in pairs)
    scope = [f"    {pair.ljust(width)}  # {note}" if note else f"    {pair}" for pair, note in pairs]
    return [f"  apiVersion: {platform.api_version}", f"  kind: {kind.name}", "  metadata:", *scope, "  spec:"]


def _native(platform: Platform, kind: Kind) -> list[str]:
    """The platform's own form, where files in it are manifests as they stand."""
    for rule in platform.native if kind.managed else ():
        told = {word: expression.plain for word, expression in rule.with_.items()}
        if rule.kind != kind.name and (rule.kind is not None or not told or not set(told) <= set(kind.with_)):
            continue
        words = [f"{member}: {kind.with_[word]}" for word, member in told.items() if member is not None]
        names = {word.word for word in kind.scope} | {"name"}
        words += [each.plain for word, each in rule.metadata.items() if word in names and each.plain is not None]
        listed = ", ".join(f"`{word}`" for word in words)
        return wrapped(f"Or in the platform's own form: {listed} at the top, and what `spec` holds beside them.")
    return []


def _named(kind: Kind) -> list[str]:
    """The name on the command line, and what every manifest is warned of."""
    needed = [word.word for word in kind.scope if not word.optional]
    path = "/".join([kind.name, *(word.upper() for word in needed), "NAME"])
    left_out = f"; without {' and '.join(word.upper() for word in needed)}, `--in` or `defaults` tell" if needed else ""
    free = [f"[--in {word.word}={word.word.upper()}]" for word in kind.scope if word.optional]
    lines = wrapped(f"On the command line: {' '.join([path, *free])}{left_out}.", "", "  ")
    if kind.general:
        lines += wrapped(f"Every manifest of this kind is warned: {kind.general}.")
    return lines


def _members(kind: Kind, said: Said) -> list[str]:
    members = said.members()
    others = "nothing else" if said.is_closed else "what else is there is sent and not checked"
    if not members:
        return ["There is nothing to say in `spec`."] if said.is_closed else [f"In `spec`: {others}."]
    needed = ", * must be there" if any(member.required for member in members) else ""
    more = f"More of one: datakeel explain {kind.name}.{members[0].name}"
    return [f"In `spec`{needed}; {others}:", *table(member_rows(kind, members)), more]


def _below(kind: Kind) -> list[str]:
    """What is special further down, and what only the platform writes."""
    rows, seen = [], []
    for rule in kind.fields:
        words = special(rule)
        if rule.read_only:
            seen.append(place_words(rule.pointer))
        elif words and len(steps_of(rule.pointer)) > 1:
            rows.append((place_words(rule.pointer), "; ".join(words)))
    width = max((len(name) for name, _ in rows), default=0)
    lines = ["Special below them:", *(f"  {name.ljust(width)}  {words}" for name, words in rows)] if rows else []
    return [*lines, *(wrapped(f"Read-only, in no manifest: {', '.join(sorted(seen))}.") if seen else [])]


def _promises(platform: Platform, kind: Kind) -> list[str]:
    if not kind.managed:
        return []
    missing = cannot(kind)
    head = f"All that `datakeel explain promises {platform.name}` lists is promised"
    lines = [f"{head}, but:" if missing else f"{head}."]
    for sentence in missing:
        lines += wrapped(sentence, "  - ", "    ")
    return lines


def _guesses(kind: Kind) -> list[str]:
    lines = []
    for name, reason in guesses(kind):
        lines += wrapped(f"{name}: {reason}", "  - ", "    ")
    return ["Guesses, planned and not applied until the target's `confirmed` names them:", *lines] if lines else []


def _actions(kind: Kind) -> list[str]:
    if not kind.actions:
        return []
    lines = [f"Actions, by `datakeel act {kind.name}/NAME ACTION`:"]
    for rule in kind.actions.values():
        lines += _call(rule, kind.name)
    return lines


def _call(rule: ActionRule, kind: str | None = None) -> Iterator[str]:
    """An action or a query with its arguments and what is special about it."""
    reads = rule.reads or rule.method in ("GET", "HEAD")
    yield f"  {rule.name}" + (", which only reads" if reads and kind is not None else "")
    yield from _arguments(rule.args)
    if rule.careful:
        yield from wrapped(f"careful, asks first: {rule.careful}", "    ", "    ")
    if rule.unverified and kind is not None:
        yield from wrapped(f"unverified, wants `confirmed: [{kind}.{rule.name}]`: {rule.unverified}", "    ", "    ")


def _arguments(declared: Mapping[str, Any], taken: Sequence[str] = ()) -> Iterator[str]:
    for name, schema in declared.items():
        if name in taken:
            continue
        said = Said(Schema(schema, name))
        shape = "|".join(said.choices) or said.type.upper().replace(" ", "_")
        yield from wrapped(
            f"--arg {name}={shape}{f': {said.description}' if said.description else ''}", "    ", "        "
        )


def _evidence(platform: Platform, kind: Kind) -> list[str]:
    """Logs and metrics, of its own or of a kind that stands in it."""
    lines = []
    if kind.logs is not None:
        options = [f"--{word}" for word in ("since", "tail") if word in kind.logs.args or word == "tail"]
        how = "streamed" if kind.logs.request is None else "polled"
        lines.append(f"Logs, {how}: datakeel logs {kind.name}/NAME [{'] ['.join([*options, '--follow'])}]")
        lines += _arguments(kind.logs.args, ("since", "tail"))
    if kind.metrics is not None:
        options = [f"[--{word}]" for word, names in _MEASURED.items() if set(names) & set(kind.metrics.args)]
        lines.append(f"Metrics: datakeel metrics {' '.join([f'{kind.name}/NAME', *options])}")
        lines += _arguments(kind.metrics.args, [name for names in _MEASURED.values() for name in names])
        return lines
    for other in platform.kinds.values():
        if other.metrics is not None and any(word.kind == kind.name for word in other.scope):
            lines.append(
                f"Metrics: datakeel metrics {kind.name}/NAME METRIC, where METRIC is {one_of_kind(other.name)}"
            )
            break
    return lines

"""One member of a kind's schema, in words for people: its type, what it may be, how it travels, what a change does.

Called by ``explain KIND.member``. Pure.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent.definitions.field_words import live_place, rules_above, rules_at, sent_place, special, travel
from agent.definitions.kind_words import member_rows
from agent.definitions.platform import Kind, Platform
from agent.definitions.schema_words import Said
from agent.errors import UsageError
from agent.json_schema import Schema
from agent.model.explanation import Explanation, Part

_ELEMENT = re.compile(r"\[[^\]]*\]")  # of a path as a diff writes it: dag[name=load]
_CONSTANT = re.compile(r"\{with\.(\w+)\}")
_INHERITED = ("secret", "never read back", "read-only", "immutable")  # these hold for all that is below as well
_LISTED_MAX = 30


def about_member(platform: Platform, kind: Kind, written: str) -> Explanation:
    """``workflow.schedule.cron`` of a kind. Raises UsageError for one that its schema does not know."""
    if kind.schema is None:
        raise UsageError(f"{kind.name} is observed: no manifest asks for one, so nothing says what it holds")
    written = _ELEMENT.sub(".*", written)
    if any(rule.read_only for rule in rules_at(kind, tuple(written.split(".")))):
        why = "read-only: the platform writes it, no manifest does"
        return _explanation(platform, kind, written, why, (), {"read_only": True})
    said, place, needed = _walked(kind, written)
    parts = [Part(text=(said.description,)) if said.description else Part(), Part(facts=_facts(kind, said, place))]
    if members := said.members() or (said.below("*").members() if said.is_list else []):
        star = ", * must be there" if any(member.required for member in members) else ""
        where = "Each of its elements may hold" if said.is_list and not said.members() else "It may hold"
        parts.append(Part(f"{where}{star}:", rows=member_rows(kind, members), links=True))
    told = {
        "type": said.type,
        "required": needed,
        "deprecated": said.deprecated,
        "description": said.description,
        "members": [member.name for member in members],
        **{word.replace(" ", "_"): text for word, text in parts[1].facts},
    }
    return _explanation(platform, kind, ".".join(place), _first_line(said, needed), parts, told)


def _explanation(
    platform: Platform, kind: Kind, member: str, summary: str, parts: Sequence[Part], told: Mapping[str, Any]
) -> Explanation:
    word = f"{kind.name}.{member}"
    title = f"{word} · {platform.api_version}"
    return Explanation("member", word, title, summary, tuple(filter(None, parts)), platform.name, told)


def _walked(kind: Kind, written: str) -> tuple[Said, tuple[str, ...], bool]:
    """What stands at the end of the path, where that is, and whether it must be there."""
    assert kind.schema is not None
    said = Said(Schema(kind.schema, kind.schema_path))
    place: tuple[str, ...] = ()
    needed = False
    for word in written.split("."):
        if said.is_list and word != "*" and not _names(said, word):
            said, place = said.below("*"), (*place, "*")
        if not said.may_hold(word):
            raise _unknown(kind, said, place, word)
        needed = any(member.required for member in said.members() if member.name == word)
        said, place = said.below(word), (*place, word)
    return said, place, needed


def _names(said: Said, word: str) -> bool:
    """Whether a list that may also be a map names this member."""
    return any(member.name == word for member in said.members())


def _unknown(kind: Kind, said: Said, place: Sequence[str], word: str) -> UsageError:
    where = ".".join((kind.name, *place))
    known = [member.name for member in said.members()]
    near = difflib.get_close_matches(word, known, 1, 0.6)
    fix = f"did you mean {where}.{near[0]}?" if near else None
    if fix is None and known:
        fix = f"it names {', '.join(known[:_LISTED_MAX])}" + (", …" if len(known) > _LISTED_MAX else "")
    why = "what it does not name may be there, and is not checked" if said.lets(word) else None
    return UsageError(f"the schema of {where} does not name `{word[:60]}`", why=why, fix=fix)


def _first_line(said: Said, needed: bool) -> str:
    words = [said.type, "must be there" if needed else "optional"]
    return ", ".join([*words, "deprecated"] if said.deprecated else words)


def _facts(kind: Kind, said: Said, place: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """A word and what it is, for all that is known."""
    here = [word for rule in rules_at(kind, place) for word in special(rule)]
    here += [word for rule in rules_above(kind, place) for word in special(rule) if word in _INHERITED]
    facts = [
        ("one of", ", ".join(said.choices)),
        ("limits", "; ".join(said.limits)),
        ("default", said.default or ""),
        ("example", ", ".join(said.examples)),
        ("special", "; ".join(dict.fromkeys(here))),
        ("sent as", _place(sent_place(kind, place)) if sent_place(kind, place) != place else ""),
        ("live as", _place(live_place(kind, place)) if live_place(kind, place) != place else ""),
        ("travels", "; ".join(phrase.removeprefix("travels ") for phrase in travel(kind, place))),
        ("change", _change(kind, place)),
    ]
    return tuple((word, text) for word, text in facts if text)


def _place(place: Sequence[str]) -> str:
    return ".".join(place)


def _change(kind: Kind, place: tuple[str, ...]) -> str:
    """What a change of it in git does."""
    rules = rules_above(kind, place)
    if any(rule.read_only for rule in rules):
        return "only the platform writes it"
    if any(rule.via is not None for rule in rules_at(kind, place)):
        return "in place, by a call of its own"
    writer = kind.update or kind.apply
    if writer is not None and not any(rule.immutable for rule in rules):
        path = _CONSTANT.sub(lambda found: str(kind.with_.get(found[1], found[0])), writer.request.source)
        return f"in place, {writer.method} {path}"
    if kind.replace == "never":
        return "reported and not made: nothing can change it"
    order = "deletes it and creates it anew" if kind.replace == "deleteFirst" else "creates it anew, then deletes it"
    return f"{order}, where the manifest allows it"

"""``${NAME}`` in a manifest: the typed value that the configuration gives the name, and nothing else.

Used by ``rendered``. A scalar that is wholly ``${NAME}`` takes the value with its type; inside of a longer text only a
scalar can stand. ``$${`` is a literal ``${``. What was put in is never looked at again, so a value cannot name another
variable here, and no environment is read: the values are handed in. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from agent.model.canonical import digest
from agent.validate.findings import as_shown, nearest
from agent.validate.placeholders import Finding
from agent.validate.pointers import Tokens

NAME = r"[A-Za-z_][A-Za-z0-9_-]{0,63}"
_REFERENCE = re.compile(r"\$\$\{|\$\{(" + NAME + r")\}")
_IN_BYTES = re.compile(_REFERENCE.pattern.encode())

CHARACTERS_MAX = 4 << 20
"""What variables may add to the texts of one file."""
NODES_MAX = 200_000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a place of the document."""

    place: Tokens
    code: str
    what: str
    got: str | None = None
    fix: str | None = None
    on_key: bool = False


@dataclass(slots=True)
class Allowance:
    """How much may still be put into one file."""

    characters: int = CHARACTERS_MAX
    nodes: int = NODES_MAX

    def spend(self, value: Any) -> bool:
        """Whether the value still fits."""
        waiting = [value]
        while waiting and self.nodes >= 0 and self.characters >= 0:
            node = waiting.pop()
            self.nodes -= 1
            if isinstance(node, str):
                self.characters -= len(node)
            elif isinstance(node, Mapping):
                waiting.extend(node.values())
                self.characters -= sum(map(len, node))
            elif isinstance(node, list):
                waiting.extend(node)
        return self.nodes >= 0 and self.characters >= 0


@dataclass(frozen=True, slots=True)
class Filled:
    """A document with its variables replaced. ``uses`` are the names at each place that held any."""

    value: Any
    uses: Mapping[Tokens, tuple[str, ...]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def names_in(source: bytes) -> tuple[str, ...]:
    """Every variable that a text may name, sorted: what else its meaning depends on. No parser is needed for it."""
    if b"${" not in source:
        return ()
    return tuple(sorted({found.decode() for found in _IN_BYTES.findall(source) if found}))


def digest_of(names: tuple[str, ...], values: Mapping[str, Any]) -> str:
    """What stands for the values of these names in the key of a cache."""
    known = {name: values[name] for name in names if name in values}
    # What a message suggests in the place of an unknown name depends on all the names that there are.
    return digest([list(names), known, [] if len(known) == len(names) else sorted(values)])


def escaped(text: str) -> str:
    """The text as a manifest must write it so that no variable is seen in it."""
    return text.replace("${", "$${") if "${" in text else text


def without_known(text: str, values: Mapping[str, Any]) -> str:
    """The text less what :func:`fill` takes care of: what is left in it was never filled in."""
    if "${" not in text:
        return text
    return _REFERENCE.sub(lambda found: found[0] if found[1] is not None and found[1] not in values else "", text)


def unknown_variable(text: Any, values: Mapping[str, Any]) -> Finding | None:
    """The first name in a text that nobody gives a value: an error, where it cannot be the text's own business.

    A text of several lines may be a program with variables of its own: there only a name that is nearly one of ours is.
    """
    for found in _REFERENCE.finditer(text) if isinstance(text, str) else ():
        name = found[1]
        if name is not None and name not in values:
            near = nearest(name, values)
            if "\n" in text.strip() and near is None:
                continue
            meant = f"write $${{{name}}} where this very text is meant"
            fix = f"{near} Or {meant}" if near else f"give it a value under `variables` of datakeel.yaml, or {meant}"
            return Finding("error", found[0], fix, "variable-unknown", "names a variable that has no value")
    return None


def fill(value: Any, values: Mapping[str, Any], expected: tuple[str, ...], allowance: Allowance) -> Filled:
    """The document with ``values`` put in. ``expected`` is what :func:`names_in` told of the text that it stands in."""
    filler = _Filler(values, frozenset(expected), allowance)
    filled = filler.node(value, ())
    return Filled(filled, filler.uses, tuple(filler.faults))


class _Filler:
    """One walk over one document; nodes without variables are taken as they are."""

    def __init__(self, values: Mapping[str, Any], expected: frozenset[str], allowance: Allowance) -> None:
        self._values = values
        self._expected = expected
        self._allowance = allowance
        self._tired = False
        self.uses: dict[Tokens, tuple[str, ...]] = {}
        self.faults: list[Fault] = []

    def node(self, value: Any, at: Tokens) -> Any:
        if isinstance(value, str):
            return self._text(value, at) if "${" in value else value
        if isinstance(value, dict):
            members = {key: self.node(member, (*at, key)) for key, member in value.items()}
            for key in value:
                if "${" in key:
                    self._key(key, at)
            return members
        if isinstance(value, list):
            return [self.node(element, (*at, str(index))) for index, element in enumerate(value)]
        return value

    def _key(self, key: str, at: Tokens) -> None:
        used = [found[1] for found in _REFERENCE.finditer(key) if found[1] in self._values]
        if used:
            what = f"the variable `{used[0]}` stands in a key, and keys are taken as they are written"
            fix = "write the key; variables stand in values"
            self.faults.append(Fault((*at, key), "variable-type", what, fix=fix, on_key=True))

    def _text(self, text: str, at: Tokens) -> Any:
        whole = _REFERENCE.fullmatch(text)
        if whole is not None and whole[1] in self._values:
            self._use(at, (whole[1],))
            value = self._values[whole[1]]
            return value if self._fits(value, at) else text
        used = tuple(dict.fromkeys(found[1] for found in _REFERENCE.finditer(text) if found[1] in self._values))
        if used:
            self._use(at, used)
        for name in used:
            if (value := self._values[name]) is None or isinstance(value, (list, dict)):
                kind = "nothing (null)" if value is None else "a list" if isinstance(value, list) else "a mapping"
                what = f"the variable `{name}` is {kind}, which cannot stand inside of a text"
                self._report(at, "variable-type", what, got=as_shown(value), fix=f"let the value be ${{{name}}} alone")
                return text
            if not self._fits(_as_text(value) * text.count(f"${{{name}}}"), at):
                return text
        return _REFERENCE.sub(self._replaced, text)

    def _replaced(self, found: re.Match[str]) -> str:
        if found[1] is None:
            return "${"
        return _as_text(self._values[found[1]]) if found[1] in self._values else found[0]

    def _use(self, at: Tokens, names: tuple[str, ...]) -> None:
        self.uses[at] = names
        hidden = [name for name in names if name not in self._expected]
        if hidden:
            what = f"the variable `{hidden[0]}` is written with an escape of YAML, so that nobody finds it by its name"
            self._report(at, "variable-hidden", what, fix=f"write ${{{hidden[0]}}}")

    def _fits(self, value: Any, at: Tokens) -> bool:
        if self._allowance.spend(value):
            return True
        if not self._tired:
            self._tired = True
            what = f"variables make the file longer by more than {CHARACTERS_MAX:,} characters or {NODES_MAX:,} nodes"
            self._report(at, "variable-expansion", what, fix="use them less often, or make their values smaller")
        return False

    def _report(self, at: Tokens, code: str, what: str, *, got: str | None = None, fix: str | None = None) -> None:
        self.faults.append(Fault(at, code, what, got, fix))


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) and abs(value.adjusted()) < 40 else str(value)

"""Secret leaves of a spec: only references to the target's secrets belong there.

Finds ``{secretRef: NAME}``, refuses every other way of naming a secret (nothing is ever read or run because a manifest
says so) and warns of values in clear without repeating them, also where only a name gives a secret away
(``model/secret_names``). Used by ``document.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.model.secret_names import REFERENCE, is_reference, is_secret_name, named_secrets
from agent.validate import placeholders
from agent.validate.findings import Findings
from agent.validate.pointers import Tokens, expand, is_under, join, may_show_secret

MASK = "(secret)"
_WRITE = "write {secretRef: NAME}, a name among the target's secrets"


Named = tuple[tuple[Tokens, Any, bool], ...]
"""Places, what stands there, and whether it is packed into a text on its way."""


@dataclass(frozen=True, slots=True)
class SecretUse:
    """A reference: where in the spec, and the secret's name."""

    place: Tokens
    name: str


def named_places(spec: Any, declared: Sequence[Tokens], plain: Sequence[Tokens], packed: Sequence[Tokens]) -> Named:
    """Where a name gives away a secret that the definition does not declare, with what stands there.

    ``plain`` are places that the definition knows better. In what is ``packed`` into one text on its way, a reference
    would never be seen again, so it has no place there.
    """
    return tuple(
        (place, leaf, is_under(place, packed))
        for place, leaf in named_secrets(spec)
        if not is_under(place, declared)
        and not (len(place) in map(len, plain) and is_under(place, [each for each in plain if len(each) == len(place)]))
        and not (is_reference(leaf) and is_under(place, packed))
    )


def secret_uses(
    spec: Any, base: str, patterns: Sequence[Tokens], named: Named, mentioned: bool, findings: Findings
) -> tuple[SecretUse, ...]:
    """All references of a spec. ``mentioned``: the file holds the word at all, so other places are searched too."""
    uses: list[SecretUse] = []
    seen: set[Tokens] = set()
    for pattern in patterns:
        for place, leaf in expand(spec, pattern):
            if place not in seen:
                seen.add(place)
                uses.extend(_in_leaf(place, leaf, base, findings))
    for place, leaf, packed in named:
        seen.add(place)
        if is_reference(leaf):
            uses.append(SecretUse(place, leaf[REFERENCE]))
        elif placeholders.find(leaf) is None:
            _warn_of_name(place, base, packed, findings)
    if mentioned:
        for place, leaf in _references(spec):
            if place not in seen and not is_under(place, patterns):
                findings.add(
                    base + join(place),
                    "invalid-manifest",
                    "a secret reference stands where this kind holds no secret, so nothing would resolve it",
                    got=leaf,
                    fix=f"secrets of this kind stand at {', '.join(map(join, patterns))}" if patterns else None,
                )
    return tuple(uses)


def no_variables(spec: Any, base: str, patterns: Sequence[Tokens], findings: Findings) -> None:
    """Refuse secrets that come out of a variable, whose value anybody may read: in the plan, in a rendering."""
    for place in dict.fromkeys(place for pattern in patterns for place, leaf in expand(spec, pattern) if leaf):
        pointer = base + join(place)
        leaf = next(iter(value for _, value in expand(spec, place)))
        if not isinstance(leaf, Mapping) and (names := findings.variables(pointer)):
            what = f"the variable `{names[0]}` stands where a secret is due, and a variable is never a secret"
            findings.add(pointer, "variable-secret", what, fix=_WRITE)


def masked(spec: Any, patterns: Sequence[Tokens]) -> tuple[Any, tuple[Tokens, ...]]:
    """A copy without the secrets that stand in clear, and their places; references stay."""
    places = [
        place
        for place in dict.fromkeys(place for pattern in patterns for place, _ in expand(spec, pattern))
        for _, leaf in expand(spec, place)
        if leaf not in (None, "") and not is_reference(leaf)
    ]
    for place in places:
        spec = _replaced(spec, place, MASK)
    return spec, tuple(places)


def may_show(place: Tokens, hidden: tuple[Tokens, ...]) -> bool:
    """Whether what stands at a place may be a secret: by the definition or by its name."""
    return may_show_secret(place, hidden) or sounds_secret(place)


def sounds_secret(place: Tokens) -> bool:
    """Whether the name of a place, or of the list that it is an element of, is that of a secret."""
    return next((is_secret_name(word) for word in reversed(place) if not word.isdecimal()), False)


def without_references(spec: Any, uses: Sequence[SecretUse]) -> Any:
    """A copy in which each reference is plain text, which is what schemas expect of a secret."""
    copied = spec
    for use in uses:
        copied = _replaced(copied, use.place)
    return copied


def _in_leaf(place: Tokens, leaf: Any, base: str, findings: Findings) -> Iterator[SecretUse]:
    pointer = base + join(place)
    if isinstance(leaf, Mapping):
        name = leaf.get(REFERENCE)
        if len(leaf) == 1 and isinstance(name, str) and name:
            yield SecretUse(place, name)
        elif leaf:
            what = "a secret is neither read from the environment or a file nor made by a command for a manifest"
            is_foreign = any(word in leaf for word in ("env", "file", "exec"))
            findings.add(
                pointer, "invalid-manifest", what if is_foreign else "this is not a secret reference", fix=_WRITE
            )
    elif isinstance(leaf, list):
        findings.add(pointer, "invalid-manifest", "a list stands where a secret is due", fix=_WRITE)
    elif leaf not in (None, "") and placeholders.find(leaf) is None:
        findings.add(
            pointer, "secret-in-clear", "a secret stands in clear in the repository", fix=_WRITE, severity="warning"
        )


def _warn_of_name(place: Tokens, base: str, packed: bool, findings: Findings) -> None:
    word = place[-1]
    said = next((each for each in reversed(place) if not each.isdecimal()), "")
    shown = f"`{said}`" if is_secret_name(said) else "the value of this pair"
    line = f"{'' if word.isdecimal() else f'{word}: '}{{secretRef: NAME}}, a name among the target's secrets"
    findings.add(
        base + join(place),
        "secret-in-clear",
        f"{shown} reads like a secret, and stands in clear in the repository",
        fix="keep it on the platform: this part travels as one text, in which no reference is followed"
        if packed
        else line,
        severity="warning",
    )


def _references(spec: Any) -> Iterator[tuple[Tokens, Any]]:
    """Every ``{secretRef: text}``, wherever it stands."""
    waiting: list[tuple[Tokens, Any]] = [((), spec)]
    while waiting:
        place, node = waiting.pop()
        if isinstance(node, Mapping):
            if is_reference(node):
                yield place, node
            else:
                waiting.extend(((*place, key), member) for key, member in node.items())
        elif isinstance(node, list):
            waiting.extend(((*place, str(index)), element) for index, element in enumerate(node))


def _replaced(node: Any, place: Tokens, by: str = "reference") -> Any:
    if not place:
        return by
    first, rest = place[0], place[1:]
    if isinstance(node, list):
        index = int(first)
        return [*node[:index], _replaced(node[index], rest, by), *node[index + 1 :]]
    return {key: _replaced(member, rest, by) if key == first else member for key, member in node.items()}

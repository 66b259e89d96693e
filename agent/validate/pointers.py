"""RFC 6901 pointers, with ``*`` for every element or member. Used by the checks of this folder; changes no value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Tokens = tuple[str, ...]

_POINTER = re.compile(r"(?:/(?:[^/~]|~[01])*)*")


def is_pointer(text: str) -> bool:
    """Whether the text is a pointer to something inside: it starts with a slash and escapes ``~`` properly."""
    return text.startswith("/") and _POINTER.fullmatch(text) is not None


def split(pointer: str) -> Tokens:
    """The unescaped tokens; the empty pointer has none."""
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def join(tokens: Iterable[str]) -> str:
    """The pointer of unescaped tokens."""
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)


def expand(value: Any, pattern: Tokens, *, at: Tokens = ()) -> Iterator[tuple[Tokens, Any]]:
    """Every place of ``value`` that the pattern names, with what stands there. No deeper than the pattern is long."""
    if not pattern:
        yield at, value
        return
    first, rest = pattern[0], pattern[1:]
    if isinstance(value, Mapping):
        if first == "*":
            for key, member in value.items():
                yield from expand(member, rest, at=(*at, key))
        elif first in value:
            yield from expand(value[first], rest, at=(*at, first))
    elif isinstance(value, list):
        if first == "*":
            for index, element in enumerate(value):
                yield from expand(element, rest, at=(*at, str(index)))
        elif first.isdecimal() and int(first) < len(value):
            yield from expand(value[int(first)], rest, at=(*at, first))


def select(value: Any, pattern: Tokens) -> list[Any]:
    """What stands at the places of :func:`expand`, without the places: for the walks that every manifest pays for."""
    found = [value]
    for token in pattern:
        if token == "*":  # noqa: S105 - a wildcard
            found = [
                member
                for node in found
                if isinstance(node, (list, dict))
                for member in (node if isinstance(node, list) else node.values())
            ]
        elif token.isdecimal():
            found = [member for node in found for _, member in expand(node, (token,))]
        else:
            found = [node[token] for node in found if isinstance(node, dict) and token in node]
        if not found:
            break
    return found


def leaves(value: Any) -> Iterator[tuple[Tokens, Any, bool]]:
    """All scalars and, marked with True, all keys, depth first without recursion; order is that of the document."""
    waiting: list[tuple[Tokens, Any]] = [((), value)]
    while waiting:
        at, node = waiting.pop()
        if isinstance(node, Mapping):
            for key in node:
                yield (*at, key), key, True
            waiting.extend(((*at, key), member) for key, member in reversed(list(node.items())))
        elif isinstance(node, list):
            waiting.extend(((*at, str(index)), node[index]) for index in reversed(range(len(node))))
        else:
            yield at, node, False


def is_under(tokens: Tokens, patterns: Iterable[Tokens]) -> bool:
    """Whether a place is one that a pattern names, or lies below one."""
    return any(
        len(tokens) >= len(pattern) and all(part in ("*", token) for part, token in zip(pattern, tokens, strict=False))
        for pattern in patterns
    )


def may_show_secret(place: Tokens, patterns: Iterable[Tokens]) -> bool:
    """Whether what stands at a place may be a secret: at or below one, or right where its parent is due."""
    patterns = tuple(patterns)
    depth = len(place)
    # A wildcard would also hide what stands beside the parent, such as a type that is misspelt.
    above = (pattern[:depth] for pattern in patterns if 0 < depth < len(pattern) and pattern[depth - 1] != "*")
    return is_under(place, patterns) or is_under(place, above)

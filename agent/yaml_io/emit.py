"""Writes JSON values as block YAML that every reader, of YAML 1.1 or 1.2, reads as the same values.

Called for rendered manifests, drafts, imports and YAML request bodies. Keeps the order of keys and the digits of
decimals; writes no anchors, tags or comments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from agent.yaml_io.scalars import resolve

# Plain only where no version of YAML, and no eye, can take the text for anything else.
_PLAIN = re.compile(
    r"(?:[A-Za-z_/][\w./@+-]*|[0-9]+[acdf-mp-wyzA-DF-NP-Z][\w./@+-]*)(?: [\w./@+(][\w./@+()-]*)*", re.ASCII
)
_MUST_ESCAPE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff\ud800-\udfff]"
)
_FORGE_COMMAND = re.compile(r"(?:^|\n)[ \t]*::|##\[")  # a forge's runner obeys these wherever they are printed
_LITERAL_HEAD = re.compile(r"\n*\S")
_LONGEST_SIMPLE_KEY: Final = 240
_LONGEST_FIXED: Final = 48


def dump(value: Any) -> str:
    """Block YAML of a JSON value, ending with a newline. ``load`` gives the same value back."""
    return "".join(_node(value, 0, "")) + "\n"


def _node(value: Any, indent: int, lead: str) -> Iterator[str]:
    """``lead`` stands before a value on its line; it is a blank after a key, empty after a dash or at the top."""
    if isinstance(value, Mapping) and value:
        yield from _mapping(value, indent, lead)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes) and value:
        yield from _sequence(value, indent, lead)
    else:
        yield lead
        yield _scalar(value, indent)


def _mapping(value: Mapping[str, Any], indent: int, lead: str) -> Iterator[str]:
    separator = f"\n{' ' * indent}"
    first = separator if lead else ""
    for key, member in value.items():
        yield first
        first = separator
        text = _text(key)
        if len(text) > _LONGEST_SIMPLE_KEY:
            yield f"? {text}{separator}:"
        else:
            yield f"{text}:"
        yield from _node(member, indent + 2, " ")


def _sequence(value: Sequence[Any], indent: int, lead: str) -> Iterator[str]:
    separator = f"\n{' ' * indent}"
    first = separator if lead else ""
    for element in value:
        yield f"{first}- "
        first = separator
        yield from _node(element, indent + 2, "")


def _scalar(value: Any, indent: int) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, str):
        return _literal(value, indent) if _fits_literal(value) else _text(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[]"
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _text(value: str) -> str:
    """Plain or in double quotes, on one line."""
    if _PLAIN.fullmatch(value) and isinstance(resolve(value, len(value)), str):
        return value
    quoted: str = json.dumps(value, ensure_ascii=False)
    quoted = quoted.replace("##[", "##\\u005b") if "##[" in quoted else quoted
    return _MUST_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _fits_literal(value: str) -> bool:
    """Several lines that a literal block can hold exactly."""
    if "\n" not in value or not _LITERAL_HEAD.match(value) or value[len(value.rstrip("\n")) - 1 :][:1].isspace():
        return False
    head = _LITERAL_HEAD.match(value)
    return head is not None and _MUST_ESCAPE.search(value) is None and _FORGE_COMMAND.search(value) is None


def _literal(value: str, indent: int) -> str:
    body = value.rstrip("\n")
    ending = len(value) - len(body)
    chomping = "-" if ending == 0 else "" if ending == 1 else "+"
    margin = " " * max(indent, 2)
    lines = [f"{margin}{line}" if line else "" for line in body.split("\n")]
    return "\n".join([f"|{chomping}", *lines, *[""] * (ending - 1)])


def _decimal(value: Decimal) -> str:
    """Fixed notation with all its digits; far from one, an exponent as both versions of YAML read it."""
    if not value.is_finite():
        raise TypeError(f"{value} is not a JSON value")
    fixed = format(value, "f")
    if len(fixed) <= _LONGEST_FIXED:
        return fixed
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits))
    power = int(exponent) + len(text) - 1
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}e{power:+d}"

"""What a plain scalar means: the value where YAML 1.1 and 1.2 agree, and the text where they do not.

Called by the builder for each plain scalar that may be more than text, and by the writer to know which texts need
quotes. Dates are text in both our reading and JSON, so they are never ambiguous.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from enum import Enum
from math import isinf
from typing import Any, Final


class Mark(Enum):
    """Outcomes of :func:`resolve` that are no value."""

    AMBIGUOUS = "kept as text, with a warning"
    NOT_FINITE = "infinity or not-a-number"
    TOO_LONG = "more digits than the budget allows"
    TOO_BIG = "beyond a double"


_SPELLINGS: Final[dict[str, Any]] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "false": False,
    "yes": Mark.AMBIGUOUS,
    "no": Mark.AMBIGUOUS,
    "on": Mark.AMBIGUOUS,
    "off": Mark.AMBIGUOUS,
    "y": Mark.AMBIGUOUS,
    "n": Mark.AMBIGUOUS,
}
WORDS: Final[dict[str, Any]] = {
    form: value for word, value in _SPELLINGS.items() for form in (word, word.capitalize(), word.upper())
}
# First characters of every text that is neither in WORDS nor plainly text.
SUSPECTS: Final = frozenset("0123456789+-.")

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FRACTION = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)(?:[eE][-+]([0-9]+))?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_ONLY_ONE_VERSION = re.compile(
    r"""
      [-+]?0[0-9]+                                                  # 010: octal in 1.1, decimal in 1.2
    | 0o[0-7]+                                                      # octal in 1.2 only
    | [-+]?0b[01_]+ | [-+]?0x[0-9a-fA-F_]+                          # 1.1 only
    | [-+]?[0-9][0-9_]*(?:\.[0-9_]*(?:[eE][-+][0-9]+)?)?            # digits with _: 1.1 only; 00.5
    | [-+]?\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?
    | [-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+                            # base 60: 1.1 only
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*
    | [-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+          # 1e3: 1.2 only
    """,
    re.VERBOSE,
)
_LONGEST_EXPONENT: Final = 4


def resolve(text: str, longest_number: int) -> Any:
    """The JSON value of a plain scalar, or a :class:`Mark`."""
    value = WORDS.get(text, text)
    if value is not text or text[0] not in SUSPECTS:
        return value
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= longest_number else Mark.TOO_LONG
    fraction = _FRACTION.fullmatch(text)
    if fraction:
        return _decimal(text, fraction[1] or "", longest_number)
    if _HEX.fullmatch(text):
        return int(text, 16) if len(text) <= longest_number else Mark.TOO_LONG
    if _NOT_FINITE.fullmatch(text):
        return Mark.NOT_FINITE
    if _ONLY_ONE_VERSION.fullmatch(text):
        return Mark.AMBIGUOUS
    return text


def _decimal(text: str, exponent: str, longest_number: int) -> Any:
    if len(text) > longest_number:
        return Mark.TOO_LONG
    if len(exponent) > _LONGEST_EXPONENT:
        return Mark.TOO_BIG
    value = Decimal(f"{text}0" if text.endswith(".") else text)
    double = float(value)
    return Mark.TOO_BIG if isinf(double) or (value and not double) else value


def is_ambiguous(text: str) -> bool:
    """Does one version of YAML read this plain text as something else than the other?"""
    return resolve(text, len(text) + 1) is Mark.AMBIGUOUS


_MEANINGS: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def readings(text: str) -> tuple[str, ...]:
    """What to write instead, for each value that some version of YAML reads in an ambiguous text: ``010``: 10, 8."""
    if not is_ambiguous(text) or len(text) > 400:
        return ()
    meaning = _MEANINGS.get(text.lower())
    if meaning:
        return (meaning,)
    sign, digits = ("-" if text[0] == "-" else ""), text.lstrip("+-").replace("_", "")
    found: list[str] = []
    if ":" in digits:
        found.append(_base_60(digits))
    elif digits[:2] in {"0o", "0x", "0b"}:
        found.append(str(int(digits[2:] or "0", {"o": 8, "x": 16, "b": 2}[digits[1]])))
    elif digits.isdigit():
        found.append(str(int(digits)))
        if digits[0] == "0" and "8" not in digits and "9" not in digits:
            found.append(str(int(digits, 8)))
    else:
        found.append(_shortest(digits))
    return tuple(dict.fromkeys(sign + reading for reading in found if reading))


def _base_60(digits: str) -> str:
    whole, _, fraction = digits.partition(".")
    total = 0
    for part in whole.split(":"):
        total = total * 60 + int(part)
    return f"{total}.{fraction}" if fraction else str(total)


def _shortest(digits: str) -> str:
    try:
        value = Decimal(digits)
    except InvalidOperation:
        return ""
    return format(value, "f") if abs(value.adjusted()) < 40 else ""

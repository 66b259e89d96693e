"""JSON of a platform, read strictly: what two parsers could understand differently is refused, not guessed.

Called by ``codecs`` for every JSON answer. Refused: duplicate keys, NaN and Infinity, integers beyond 400 digits,
fractions beyond a double, nesting beyond 100, lone surrogates, bytes that are not UTF-8. Fractions become
:class:`decimal.Decimal`. It raises :class:`ValueError` only, whatever it is fed.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from math import isinf
from typing import Any

DEPTH_MAX = 100
DIGITS_MAX = 400
_ALL_ZERO = bytes.maketrans(b"123456789", b"000000000")
_TOO_LONG = b"0" * (DIGITS_MAX + 1)


def loads(body: bytes) -> Any:
    """The JSON value of ``body``; ValueError with a short reason that quotes nothing of it."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
    if len(body) > DIGITS_MAX and _TOO_LONG in body.translate(_ALL_ZERO):
        _refuse_long_numbers(text)
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError(f"nested deeper than {DEPTH_MAX} levels") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos}") from None
    if body.count(b"[") + body.count(b"{") > DEPTH_MAX and _depth(value) > DEPTH_MAX:
        raise ValueError(f"nested deeper than {DEPTH_MAX} levels")
    if b"\\u" in body:
        _refuse_lone_surrogates(value)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members


def _fraction(text: str) -> Decimal:
    double = float(text)
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        raise ValueError("a number that no double can hold") from None
    if len(text) > DIGITS_MAX or isinf(double) or (value and not double) or (not value and _is_long_zero(value)):
        raise ValueError("a number that no double can hold")
    return value


def _is_long_zero(value: Decimal) -> bool:
    """``0e-9999999`` is ten million characters when it is written out."""
    exponent = value.as_tuple().exponent
    return not isinstance(exponent, int) or abs(exponent) > DIGITS_MAX


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_float=_fraction, parse_constant=_refuse_constant)


def _refuse_long_numbers(text: str) -> None:
    """Digits in a string are harmless: parse once more, slowly, and look at the numbers only."""

    def integer(digits: str) -> int:
        if len(digits.lstrip("-")) > DIGITS_MAX:
            raise ValueError(f"a number of more than {DIGITS_MAX} digits")
        return 0

    try:
        json.JSONDecoder(parse_int=integer, parse_float=_fraction, parse_constant=_refuse_constant).decode(text)
    except RecursionError:
        raise ValueError(f"nested deeper than {DEPTH_MAX} levels") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos}") from None


def _depth(value: Any) -> int:
    """Levels of containers, found breadth first: an answer must not choose how deep our stack goes."""
    level, depth = [value] if isinstance(value, dict | list) else [], 0
    while level and depth <= DEPTH_MAX:
        depth += 1
        level = [
            child
            for container in level
            for child in (container.values() if type(container) is dict else container)
            if type(child) is dict or type(child) is list
        ]
    return depth


def _refuse_lone_surrogates(value: Any) -> None:
    """An escape such as ``\\ud800`` passes the decoder and breaks whoever encodes the text later."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("a lone surrogate") from None

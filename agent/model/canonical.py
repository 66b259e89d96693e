"""Canonical bytes and digests of JSON values: the one notion of *equal* that files, plans and the store share.

Fractions are :class:`decimal.Decimal` everywhere past the decoders, so that ``1.10`` keeps its digits on the wire and
equals ``1.1`` in a comparison. Digests are over sorted keys, UTF-8, no blanks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

import orjson

# Wide enough for every number that a decoder lets in: the ordinary context would round at 28 digits, and two numbers
# that differ behind them would be one.
_EXACT = Context(prec=2000)
_DECODER = json.JSONDecoder(parse_float=Decimal)
_DIGITS_MAX = 40  # longer ones are written with an exponent


def _as_written(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _shortest(value: object) -> object:
    if isinstance(value, Decimal):
        if not value:
            return 0  # the zero of an integer; minus zero and 0.00 equal it
        short = value.normalize(_EXACT)
        return orjson.Fragment(format(short, "f") if abs(short.adjusted()) < _DIGITS_MAX else str(short))
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _dumps(value: Any, default: Callable[[object], object], option: int) -> bytes:
    try:
        return orjson.dumps(value, default=default, option=option)
    except TypeError:
        return orjson.dumps(_without_big_integers(value), default=default, option=option)


def _without_big_integers(value: Any) -> Any:
    """A copy whose integers beyond 64 bits, which orjson refuses, are decimals: written as equal decimals are."""
    if isinstance(value, dict):
        return {key: _without_big_integers(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_without_big_integers(member) for member in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return Decimal(value)
    return value


def to_json(value: Any) -> bytes:
    """JSON bytes in the value's own key order, decimals with their digits: what goes on the wire and into the store."""
    return _dumps(value, _as_written, 0)


def packed(value: Any) -> bytes:
    """As :func:`to_json`, for bytes that stay: orjson leaves its buffer as large as it grew, several times of that."""
    return bytes(memoryview(to_json(value)))


def from_json(data: bytes | str) -> Any:
    """Trusted JSON (our own store and cache) with exact decimals. Answers of a platform go through ``live.codecs``."""
    if not isinstance(data, str):
        data = data.decode(json.detect_encoding(data), "surrogatepass")
    return _DECODER.decode(data)


def canonical(value: Any) -> bytes:
    """Sorted keys, no blanks, numbers in their shortest form: equal values give equal bytes."""
    return _dumps(value, _shortest, orjson.OPT_SORT_KEYS)


def digest(value: Any) -> str:
    """32 hex digits of SHA-256 over :func:`canonical`."""
    return hashlib.sha256(canonical(value)).hexdigest()[:32]


def digest_bytes(data: bytes) -> str:
    """32 hex digits of SHA-256 over bytes."""
    return hashlib.sha256(data).hexdigest()[:32]

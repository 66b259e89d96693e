"""MessagePack of a platform, read as strictly as its JSON: the same values come out, the same tricks are refused.

Called by ``codecs``; the only importer of msgpack. Refused: keys that are not text, duplicate keys, NaN and Infinity,
nesting beyond 100, text that is not UTF-8, lists longer than 131,072, bytes behind the end. Moments come out as ISO
8601 text; binary values and all other extension types as base64 text: nothing is ever built from them. It raises
:class:`ValueError` only.
"""

from __future__ import annotations

import base64
import math
import struct
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgpack

from agent.live.strict_json import DEPTH_MAX

# The decoder makes room for as many elements as a header claims, at each of up to a thousand levels.
LENGTH_MAX = 1 << 17
# MessagePack's own moments came late: servers write them as an extension of their own, and this is the one that is met
# here: seconds since 1970 as a double, then the offset from UTC in seconds, or nothing.
_MOMENT_CODE = 42
_MOMENTS = {8: "!d", 12: "!dl"}


def loads(body: bytes) -> Any:
    """The JSON value of ``body``; ValueError with a short reason that quotes nothing of it."""
    unpacker = msgpack.Unpacker(
        raw=False,
        strict_map_key=True,
        object_pairs_hook=_members,
        ext_hook=_extension,
        timestamp=0,
        unicode_errors="strict",
        max_buffer_size=max(len(body), 1),
        max_array_len=min(len(body), LENGTH_MAX),
        max_map_len=min(len(body), LENGTH_MAX),
    )
    unpacker.feed(body)
    try:
        value = unpacker.unpack()
    except msgpack.OutOfData:
        raise ValueError("cut short") from None
    except UnicodeDecodeError:
        raise ValueError("a text that is not UTF-8") from None
    except msgpack.StackError:
        raise ValueError(f"nested deeper than {DEPTH_MAX} levels") from None
    except msgpack.FormatError:
        raise ValueError("not msgpack") from None
    if unpacker.tell() != len(body):
        raise ValueError("more behind its end")
    return _as_json(value, DEPTH_MAX)


def dumps(value: Any) -> bytes:
    """The bytes of a JSON value; fractions as doubles. ValueError for a number that the format cannot hold."""
    try:
        packed: bytes = msgpack.packb(value, default=_as_double)
    except (OverflowError, TypeError):
        raise ValueError("a number that msgpack cannot hold") from None
    return packed


def _as_double(value: object) -> float:
    if isinstance(value, Decimal) and math.isfinite(float(value)):
        return float(value)
    raise TypeError


def _members(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    if not all(isinstance(name, str) for name in members):
        raise ValueError("a key that is not text")
    return members


def _extension(code: int, content: bytes) -> bytes | str:
    layout = _MOMENTS.get(len(content)) if code == _MOMENT_CODE else None
    if layout is None:
        return content
    seconds, *offset = struct.unpack(layout, content)
    try:
        zone = timezone(timedelta(seconds=offset[0])) if offset else UTC
        return datetime.fromtimestamp(seconds, zone).isoformat()
    except (ValueError, OverflowError, OSError):
        return content


def _as_json(value: Any, levels: int) -> Any:
    if isinstance(value, dict | list):
        if not levels:
            raise ValueError(f"nested deeper than {DEPTH_MAX} levels")
        if isinstance(value, dict):
            return {name: _as_json(member, levels - 1) for name, member in value.items()}
        return [_as_json(element, levels - 1) for element in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number that is not JSON")
        return Decimal(repr(value))
    if isinstance(value, msgpack.Timestamp):
        value = value.to_bytes()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value

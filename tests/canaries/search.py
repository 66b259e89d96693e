"""Finds canaries in bytes: as they are, escaped, encoded in any usual way, and inside of what is compressed.

A hit names the canary, the sink, the encoding and the offset. A piece of a canary is a hit as well, as long as it holds
the text that all of them hold.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from tests.canaries.catalogue import CORES, Canary

_DECOMPRESSED_MAX = 8 << 20
_DEPTH_MAX = 3
_GZIP = b"\x1f\x8b\x08"
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")


class Hit(NamedTuple):
    """Where a canary was found, and as what."""

    canary: str
    sink: str
    encoding: str
    offset: int


def written(text: str) -> dict[str, bytes]:
    """The text in every encoding, by the encoding's name; those that are alike are there once."""
    raw = text.encode()
    forms = {
        "raw": raw,
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "URL": quote(text, safe="").encode(),
        "URL lower": re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")).encode(),
        "URL plus": quote_plus(text).encode(),
        "URL every byte": "".join(f"%{byte:02X}" for byte in raw).encode(),
        "JSON": json.dumps(text)[1:-1].encode(),
        "JSON in UTF-8": json.dumps(text, ensure_ascii=False)[1:-1].encode(),
        "JSON in JSON": json.dumps(json.dumps(text)[1:-1])[1:-1].encode(),
        "HTML": html.escape(text).encode(),
        "HTML without quotes": html.escape(text, quote=False).encode(),
        "repr": repr(text)[1:-1].encode(),
        "repr of bytes": repr(raw)[2:-1].encode(),
        "UTF-16": text.encode("utf-16-le"),
    }
    for offset in range(3):
        padded = bytes(offset) + raw
        first, end = (0, 2, 3)[offset], (offset + len(raw)) * 8 // 6
        forms[f"base64 at {offset}"] = base64.b64encode(padded)[first:end]
        forms[f"base64url at {offset}"] = base64.urlsafe_b64encode(padded)[first:end]
    once = {pattern: name for name, pattern in reversed(forms.items())}
    return {name: pattern for pattern, name in reversed(once.items())}


class Searcher:
    """Searches for some canaries, or for all that look like one."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._canaries = tuple(canaries)
        self._whole = {canary.name: written(canary.value) for canary in self._canaries}
        self._cores = [(name, pattern) for core in CORES for name, pattern in written(core).items()]

    def search(self, sink: str, content: bytes, _inside: str = "", _depth: int = 0) -> Iterator[Hit]:
        """Every hit in the bytes. What is found inside of something compressed has the offset of its beginning."""
        told: set[tuple[str, int]] = set()
        for encoding, pattern in self._cores:
            at = content.find(pattern)
            while at >= 0:
                name = self._name(content, at, encoding)
                if (name, at) not in told:
                    told.add((name, at))
                    yield Hit(name, sink, _inside + encoding, at)
                at = content.find(pattern, at + len(pattern))
        if _depth < _DEPTH_MAX:
            for at, inner in _decompressed(content):
                for hit in self.search(sink, inner, f"{_inside}compressed, ", _depth + 1):
                    yield hit._replace(offset=at)

    def _name(self, content: bytes, at: int, encoding: str) -> str:
        """Whose text it is; a canary that was cut short is told as such."""
        best = "an unknown canary, or a piece of one"
        for name, forms in self._whole.items():
            for pattern in (forms.get(encoding), *forms.values()):
                # What all canaries hold may be anywhere in this one: a form can put much before it.
                if pattern is not None and content.find(pattern, max(0, at - len(pattern)), at + len(pattern)) >= 0:
                    return name
        return best


def _decompressed(content: bytes) -> Iterator[tuple[int, bytes]]:
    starts = [(found.start(), 15) for found in _ZLIB.finditer(content)]
    at = content.find(_GZIP)
    while at >= 0:
        starts.append((at, 31))
        at = content.find(_GZIP, at + 1)
    for start, window in starts:
        try:
            inner = zlib.decompressobj(window).decompress(content[start:], _DECOMPRESSED_MAX)
        except zlib.error:
            continue
        if len(inner) > 8:
            yield start, inner


def planted(value: str) -> Mapping[str, bytes]:
    """What the search is proved with: the value in each encoding, and compressed."""
    raw = value.encode()
    return {**written(value), "gzip": gzip.compress(b"before " + raw), "zlib": zlib.compress(raw + b" after")}

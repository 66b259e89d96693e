"""Bodies of forms: `application/x-www-form-urlencoded`, and multipart, also where its header has lost the boundary.

Called by the platforms whose clients send forms. Pure. ValueError for what is no form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

_FIRST_LINE = re.compile(rb"--([^\r\n]{1,200})\r?\n(?=content-disposition:)", re.IGNORECASE)
_NAMED = re.compile(r';\s*(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    filename: str | None
    content: bytes


def read_form(body: bytes) -> dict[str, str | list[str]]:
    """Fields in the order of their first appearance; one that is sent twice becomes a list."""
    fields: dict[str, str | list[str]] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1000):
        present = fields.get(name)
        if present is None:
            fields[name] = value
        else:
            fields[name] = [*(present if isinstance(present, list) else [present]), value]
    return fields


def is_multipart(body: bytes) -> bool:
    """By its first lines. A YAML document starts with `---` as well, but no part's header follows."""
    return _FIRST_LINE.match(body) is not None


def read_multipart(body: bytes) -> list[Part]:
    first = _FIRST_LINE.match(body)
    if first is None:
        raise ValueError("not multipart")
    boundary = b"--" + first[1]
    pieces = re.split(rb"\r?\n" + re.escape(boundary), b"\r\n" + body)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise ValueError("the last part has no end")
    return [_read_part(piece) for piece in pieces[1:-1]]


def _read_part(piece: bytes) -> Part:
    head, separator, content = re.sub(rb"^[ \t]*\r?\n", b"", piece).partition(b"\r\n\r\n")
    if not separator:
        head, separator, content = re.sub(rb"^[ \t]*\r?\n", b"", piece).partition(b"\n\n")
    if not separator:
        raise ValueError("a part without a blank line after its head")
    named = {name.lower(): value for name, value in _NAMED.findall(head.decode("utf-8", "replace"))}
    if "name" not in named:
        raise ValueError("a part without a name")
    return Part(named["name"], named.get("filename"), content)

"""An answer of the shape that nearly all have, read without a parser. Pure; called by ``sockets``.

HTTP/1.1, printable header fields, one ``content-length``, the body whole and nothing behind it. Whatever is not exactly
that is left to h11, which is given the same bytes from the first: this reader only says yes where h11 would.
"""

from __future__ import annotations

import re

_START = b"HTTP/1.1 "
_HEAD_MAX = 16 * 1024
_BODY_MAX = 1 << 20  # larger ones are taken in piece by piece
_HEAD_END = re.compile(rb"\n\r?\n")  # where h11 sees it too
_FIELD = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+: *(?:[!-~][ -~]*)?\r\n"
_HEAD = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: [ -~]*)?\r\n((?:" + _FIELD + rb")*)\r\n")
_LENGTH = re.compile(rb"[0-9]{1,7}")
_WITHOUT_BODY = frozenset({204, 304})


class PlainAnswer:
    """What has come of one answer. ``headers`` have small letters, as h11 gives them."""

    __slots__ = ("_end", "_start", "data", "headers", "status")

    def __init__(self) -> None:
        self.data = bytearray()
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._start = self._end = 0

    @property
    def body(self) -> bytes:
        return bytes(self.data[self._start : self._end])

    def add(self, data: bytes) -> None:
        self.data += data

    def is_whole(self) -> bool | None:
        """None while more is due; False: it is not of this shape."""
        if not self._end:
            found = _HEAD_END.search(self.data)
            if found is None:
                is_begun = self.data.startswith(_START[: len(self.data)]) and len(self.data) <= _HEAD_MAX
                return None if is_begun else False
            if not self._is_plain(bytes(self.data[: found.end()])):
                return False
        return None if len(self.data) < self._end else len(self.data) == self._end

    def _is_plain(self, head: bytes) -> bool:
        told = _HEAD.fullmatch(head)
        if told is None or (status := int(told[1])) in _WITHOUT_BODY:
            return False
        lengths = []
        for line in told[2].split(b"\r\n")[:-1]:
            name, _, value = line.partition(b":")
            name, value = name.lower(), value.strip(b" ")
            self.headers.append((name, value))
            if name == b"content-length":
                lengths.append(value)
            elif name == b"transfer-encoding" or (name == b"connection" and value.lower() != b"keep-alive"):
                return False
        if len(lengths) != 1 or _LENGTH.fullmatch(lengths[0]) is None or int(lengths[0]) > _BODY_MAX:
            return False
        self.status, self._start = status, len(head)
        self._end = len(head) + int(lengths[0])
        return True

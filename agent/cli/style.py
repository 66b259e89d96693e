"""Colour: a few roles, and the rule for when they are used. Colour never carries a meaning alone; the word is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TextIO

_CODES = {
    "create": "32",
    "ok": "32",
    "update": "33",
    "adopt": "36",
    "release": "36",
    "replace": "35",
    "delete": "31",
    "held": "1;33",
    "drift": "34",
    "error": "1;31",
    "warning": "33",
    "heading": "1",
}


def paint_for(stream: TextIO, color: str, environ: Mapping[str, str]) -> Callable[[str, str], str]:
    """How a role is written on this stream. ``always`` and ``never`` win, then NO_COLOR, FORCE_COLOR, the terminal."""
    return _colored if uses_color(stream, color, environ) else _plain


def uses_color(stream: TextIO, color: str, environ: Mapping[str, str]) -> bool:
    """Whether text for this stream is coloured."""
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return environ["FORCE_COLOR"] != "0"
    return stream.isatty() and environ.get("TERM") != "dumb"


def _colored(role: str, text: str) -> str:
    code = _CODES.get(role)
    return f"\x1b[{code}m{text}\x1b[0m" if code else text


def _plain(role: str, text: str) -> str:
    return text

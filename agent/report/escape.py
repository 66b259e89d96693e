"""Makes hostile text harmless: names, values, messages of platforms and commits may hold anything.

Used by every renderer for every foreign text, and by the logs. Three dangers: control characters that drive a terminal,
bidirectional and invisible characters that make text look like other text, and the commands that the runners of code
forges read from output (``::error::`` at a line's start, ``##[`` anywhere).
"""

from __future__ import annotations

import re

_DANGEROUS = (
    "[\x00-\x1f\x7f-\x9f"  # control
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, bidirectional
    "\ud800-\udfff"  # halves of a pair, which no encoder takes
    "\U000e0000-\U000e007f]"  # tags
)
_FORGE_MARK = r"##(?=[A-Za-z]*\[)"
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def clean(text: str, limit: int | None = None) -> str:
    """One line that shows what the text holds and can do nothing; cut with ``…`` beyond ``limit`` characters."""
    if text.isascii() and text.isprintable() and "##" not in text and not text.lstrip().startswith("::"):
        safe = text
    else:
        safe = re.sub(_FORGE_MARK, r"#\\#", re.sub(_DANGEROUS, _escaped, text))
        bare = safe.lstrip()
        if bare.startswith("::"):
            safe = safe[: len(safe) - len(bare)] + "\\" + bare
    if limit is not None and len(safe) > limit:
        return safe[: limit - 1] + "…"
    return safe


def clean_lines(text: str, mark: str) -> list[str]:
    """Several lines, each cleaned and led by ``mark``, so that none begins with foreign text."""
    return [f"{mark}{clean(line)}" for line in text.split("\n")]


def clean_members(value: object) -> object:
    """A log event's fields, cleaned at every depth; other types stay as they are."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): clean_members(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [clean_members(member) for member in value]
    return value


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

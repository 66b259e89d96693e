"""Text that someone or some template was to replace before the manifest was committed.

A placeholder that travels becomes a resource called ``${{name}}``; so it is refused where it can be nothing else, and
warned about where it may be content. What a text of several lines holds is mostly a program or a template of its own:
there ``${NAME}`` is a shell's variable and stays, while ``${{…}}`` and ``${depot-name}``, which no shell reads as a
plain variable, are placeholders still. ``{{…}}`` is the stacks' own template language and never our business.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple


class Finding(NamedTuple):
    """A placeholder: the text found, and what may be done about it."""

    severity: Literal["error", "warning"]
    text: str
    fix: str
    code: str = "placeholder"
    sentence: str = "looks like a placeholder that was never filled in"


_BRACED = re.compile(r"\$\{\{?[^{}\n]*\}?\}?")
_SHELL = re.compile(r"\$\{[#!]?[A-Za-z_][A-Za-z0-9_]*(?:[:#%/\[^,@+?=][^{}\n]*)?\}")
_YOUR = re.compile(r"<your[-_ ][^<>\n]*>", re.IGNORECASE)
_ANGLED = re.compile(r"<[A-Za-z][^<>\n]*>")
_VARIABLE = re.compile(r"\$[A-Z][A-Z0-9_]*")

_SIGN = re.compile(rb"\$[{A-Z]|<[A-Za-z]")

_FIX = "write the value, or give the target a variable of that name (a secret is written {secretRef: NAME})"


def may_hold(source: bytes) -> bool:
    """Whether a text of these bytes can hold a placeholder at all: a cheap test before any walk."""
    return (b"$" in source or b"<" in source) and _SIGN.search(source) is not None


def find(value: Any, *, identity: bool = False) -> Finding | None:
    """The first placeholder of a scalar or key. In an ``identity`` (a name, a scope) nothing of the sort is content."""
    if not isinstance(value, str) or ("$" not in value and "<" not in value):
        return None
    text = value.strip()
    if "\n" in text:
        return _in_lines(text)
    found = _BRACED.search(text) or _YOUR.search(text) or (_ANGLED.search(text) if identity else None)
    if found is not None:
        return Finding("error", found.group(), _FIX)
    if _ANGLED.fullmatch(text):
        return Finding("warning", text, "replace it, unless it is meant as it stands")
    if _VARIABLE.fullmatch(text):
        fix = "datakeel reads no environment variable for a manifest: this text travels as it stands"
        return Finding("warning", text, fix)
    return None


def _in_lines(text: str) -> Finding | None:
    variable = None
    for found in _BRACED.finditer(text):
        if not _SHELL.fullmatch(found.group()):
            return Finding("error", found.group(), _FIX)
        variable = variable or found.group()
    if yours := _YOUR.search(text):
        return Finding("warning", yours.group(), "replace it, unless it is meant as it stands")
    if variable is not None:
        fix = "taken for a variable of the text's own language: it travels as it stands"
        return Finding("warning", variable, fix)
    return None

"""Names as they may stand in a manifest: refused here, and once more where a URL is built.

A name that holds a slash or two dots turns a call on one object into a call on another; an empty one addresses the
whole collection. Everything else that a platform dislikes is a warning, since names in the wild keep to no rule.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

NAME_MAX = 253

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,253}")  # nearly all names: nothing in them needs a closer look
_RESERVED = "/\\?#%"
# Letters of other scripts that look like a Latin one: two names that differ only by them are a trap.
_LOOK_ALIKES = str.maketrans("аеорсухіјѕԁһӏαορνκτι", "aeopcyxijsdhlaopvkti")


def type_fault(name: Any) -> str | None:
    """Why the value is no name at all."""
    if not isinstance(name, str):
        return "a name must be text"
    if not name:
        return "a name must not be empty"
    return None


def name_fault(name: str, *, blanks_allowed: bool = False) -> str | None:
    """Why the name may not travel, or None."""
    if _PLAIN.fullmatch(name):
        return None
    for character in name:
        if character in _RESERVED:
            return f"the name holds `{character}`, which has a meaning of its own in an address"
    return _text_fault(name, "the name", blanks_allowed)


def scope_fault(name: str) -> str | None:
    """The same for the name of a parent, which may be a path: each part is checked."""
    if _PLAIN.fullmatch(name):
        return None
    if any(part in ("", ".", "..") for part in name.split("/")):
        return "a part of the path is empty or made of dots"
    for character in name:
        if character in "\\?#%":
            return f"it holds `{character}`, which has a meaning of its own in an address"
    return _text_fault(name, "it", blanks_allowed=False)


def _text_fault(name: str, subject: str, blanks_allowed: bool) -> str | None:
    if len(name) > NAME_MAX:
        return f"{subject} has {len(name)} characters, at most {NAME_MAX} are allowed"
    if ".." in name or name == ".":
        return f"{subject} holds dots that mean a parent folder"
    if name != name.strip():
        return f"{subject} starts or ends with a blank"
    for character in name:
        category = unicodedata.category(character)
        if category in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            return f"{subject} holds the invisible character U+{ord(character):04X}"
        if category == "Zs" and not (blanks_allowed and character == " "):
            return f"{subject} holds a blank"
    return None


def folded(name: str) -> str:
    """What remains of a name when case, Unicode form and look-alike letters are taken away."""
    if name.isascii():  # nearly all names: case is all that can be taken away
        return name.lower()
    return unicodedata.normalize("NFKC", name).casefold().translate(_LOOK_ALIKES)

"""Regular expressions of schemas: only those whose matching takes linear time, run alike wherever we match them.

With google-re2 a pattern is what that engine takes. Without it a pattern is refused when it has look-around,
back-references or an unbounded repeat inside an unbounded repeat, and matched by the standard engine.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any, Final

LONGEST_PATTERN: Final = 512
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_LOOKS = re.compile(r"\(\?(?:=|!|<=|<!|>|\(|P=)")
_BACK_REFERENCE = re.compile(r"\\(?:[1-9]|k<|g<)")
_REPEAT = re.compile(r"[*+]|\{[0-9]*,\}")
_LARGE_REPEAT = re.compile(r"\{(?:[0-9]*,)?([0-9]{4,})\}")


@lru_cache(maxsize=1)
def _engine() -> ModuleType | None:
    try:
        import re2  # type: ignore[import-untyped]
    except ImportError:
        return None
    engine: ModuleType = re2
    return engine


def pattern_fault(pattern: str) -> str | None:
    """Why a pattern may not be used, or None: a phrase that ends the sentence "the pattern …"."""
    if len(pattern) > LONGEST_PATTERN:
        return f"has {len(pattern):,} characters; at most {LONGEST_PATTERN} are taken"
    engine = _engine()
    return _fault_without_engine(pattern) if engine is None else _fault_by(engine, pattern)


def _fault_by(engine: Any, pattern: str) -> str | None:
    options = engine.Options()
    options.log_errors = False
    try:
        engine.compile(pattern, options)
    except engine.error:
        return _fault_without_engine(pattern) or "is no regular expression of a linear-time engine"
    return None


def _fault_without_engine(pattern: str) -> str | None:
    bare = _CLASS.sub("C", re.sub(r"\\[\\\[\](){}*+?|.^$]", "E", pattern))
    if _LOOKS.search(bare):
        return "looks ahead or behind, or is conditional or atomic, which no linear-time engine can do"
    if _BACK_REFERENCE.search(bare):
        return "refers back to a group, which no linear-time engine can do"
    if _nested_repeat(bare):
        return "repeats a repeat without bound, which can take for ever"
    if any(int(found) > 1000 for found in _LARGE_REPEAT.findall(bare)):
        return "repeats more than 1,000 times"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return "is no regular expression"
    return None


def _nested_repeat(bare: str) -> bool:
    """Is a group that holds an unbounded repeat itself repeated without bound? Escapes and classes are gone."""
    repeats: list[bool] = [False]
    index = 0
    while index < len(bare):
        character = bare[index]
        found = _REPEAT.match(bare, index)
        if character == "(":
            repeats.append(False)
        elif character == ")" and len(repeats) > 1:
            inner = repeats.pop()
            follows = _REPEAT.match(bare, index + 1)
            if inner and follows:
                return True
            repeats[-1] = repeats[-1] or inner
        elif found:
            repeats[-1] = True
            index = found.end() - 1
        index += 1
    return False


@lru_cache(maxsize=1024)
def matcher(pattern: str) -> Callable[[str], bool]:
    """A search for an accepted pattern; ``$`` is the end of the text only, ``\\d`` and ``\\w`` are ASCII."""
    engine = _engine()
    if engine is not None and _fault_by(engine, pattern) is None:
        compiled = engine.compile(pattern)
        return lambda text: compiled.search(text) is not None
    ends = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", lambda found: r"\Z" if found[0] == "$" else found[0], pattern)
    standard = re.compile(ends, re.ASCII)
    return lambda text: standard.search(text) is not None

"""The explanations of the error codes: ``agent/docs/reference/errors.md``, a heading a code."""

from __future__ import annotations

import re
from pathlib import Path

ERRORS_FILE = Path(__file__).parents[1] / "docs" / "reference" / "errors.md"

_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def explanations() -> dict[str, str]:
    """Code -> its text, without the heading."""
    parts = re.split(r"^## `([a-z0-9-]+)`$", ERRORS_FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {code: text.strip() for code, text in zip(parts[1::2], parts[2::2], strict=True)}


def code_of(written: str) -> str:
    """The code in ``error[unknown-key]``, or what is written without that."""
    return written.removeprefix("error[").removeprefix("warning[").removesuffix("]")


def plain_text(text: str) -> str:
    """Without the links, which a terminal does not follow."""
    return _LINK.sub(r"\1", text)

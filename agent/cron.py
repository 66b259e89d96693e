"""Cron expressions, by croniter: whether a text is one, and the moments that it names. Called by checks and windows.

croniter asks ``platform.architecture`` when it is imported, which runs ``file`` with every variable of ours, secrets
among them. So it is brought in with an answer at hand, and only where a cron expression is met: it loads time zones.
"""

from __future__ import annotations

import re
import sys
from datetime import datetime
from typing import Any

# What nearly every schedule is made of: stars, steps of them, and one number a field. croniter takes a tenth of a
# millisecond for the verdict, and a tenth of a second to be imported.
_ANY = r"\*(?:/[1-9])?"
_PLAIN = re.compile(
    rf"(?:{_ANY}|[1-5]?[0-9]|\*/[1-5][0-9]) "
    rf"(?:{_ANY}|1?[0-9]|2[0-3]|\*/(?:1[0-9]|2[0-3])) "
    rf"(?:{_ANY}|[12]?[1-9]|[123]0|31) (?:{_ANY}|[1-9]|1[0-2]) (?:{_ANY}|[0-6])"
)


def is_valid(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None or bool(_croniter().is_valid(text))


def moments(text: str, at: datetime) -> Any:
    """croniter's own iterator over the moments of an expression, around ``at``."""
    return _croniter()(text, at)


def _croniter() -> Any:
    if "croniter" not in sys.modules:
        import importlib
        import platform

        asked = platform.architecture
        bits = "64bit" if sys.maxsize > 2**32 else "32bit"
        platform.architecture = lambda *words, **named: (bits, "")
        try:
            importlib.import_module("croniter")
        finally:
            platform.architecture = asked
    from croniter import croniter

    return croniter

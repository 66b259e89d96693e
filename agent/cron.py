"""Cron expressions, by croniter: whether a text is one, and the moments that it names. Called by checks and windows.

croniter asks ``platform.architecture`` when it is imported, which runs ``file`` with every variable of ours, secrets
among them. So it is brought in with an answer at hand, and only where a cron expression is met: it loads time zones.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any


def is_valid(text: str) -> bool:
    return bool(_croniter().is_valid(text))


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

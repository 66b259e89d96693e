"""The files under ``agent/docs`` that are examples to read and, with the words of a user put in, files to use.

Used by ``recipes`` and ``deploying``. One text serves both, so that what is documented is what ``init`` writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from agent import __version__

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_VERSION = re.compile(r"(?<=datakeel==)[0-9.]+[0-9]")


def filled(name: str, swaps: Mapping[str, str]) -> str:
    """The example ``recipes/NAME`` or ``deploy/NAME``, each key of ``swaps`` replaced, which stands in it once.

    An empty text takes its whole line away. Raises AssertionError where the example does not hold a key: it was edited.
    """
    text = _VERSION.sub(__version__, (_DOCS / name).read_text(encoding="utf-8"))
    for old, new in swaps.items():
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in agent/docs/{name}"
        text = text.replace(old if new else f"{old}\n", new)
    return text

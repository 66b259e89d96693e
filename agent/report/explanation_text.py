"""An explanation for a terminal: lines of at most a hundred characters where their words allow it. Pure.

Called by the verbs ``explain`` and ``lint-platform``. Foreign text is cleaned by who prints the lines.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from agent.model.explanation import Explanation, Part

WIDTH = 100
_NAMES_MAX = 24  # a longer name in a table has its line for itself
_FACT = 8


def explanation_text(told: Explanation) -> str:
    """The whole of it, with an end of line."""
    head = [told.title, told.summary] if told.summary else [told.title]
    parts = [head, *(list(_part(part)) for part in told.parts)]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    """No word is broken."""
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _part(part: Part) -> Iterator[str]:
    yield from wrapped(part.title)
    for text in part.text:
        yield from wrapped(text)
    yield from (f"  {line}" if line else "" for line in part.code)
    for word, text in part.facts:
        yield from wrapped(text, f"{word.ljust(_FACT)}  ", " " * (_FACT + 2))
    yield from _table(part.columns, part.rows)
    for item in part.items:
        yield from wrapped(item, "  - ", "    ")
    for name, texts in part.entries:
        yield from wrapped(name, "  ", "  ")
        for text in texts:
            yield from wrapped(text, "    ", "        " if text.startswith("--") else "    ")
    for text in part.note:
        yield from wrapped(text)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The last cell goes on below itself; in a table of three columns and more, a long name has a line of its own."""
    every = [*([columns] if columns else []), *rows]
    if not every:
        return
    widths = [max(len(row[place]) for row in every) for place in range(len(every[0]) - 1)]
    if len(widths) > 1 and not columns:
        widths[0] = max((len(row[0]) for row in every if len(row[0]) <= _NAMES_MAX), default=0)
    for first, *middle, last in every:
        if len(first) > widths[0]:
            yield f"  {first}"
            first = ""
        cells = [cell.ljust(width) for cell, width in zip([first, *middle], widths, strict=True)]
        head = f"  {'  '.join(cells)}  "
        yield from wrapped(last, head, " " * len(head)) if last else [head.rstrip()]

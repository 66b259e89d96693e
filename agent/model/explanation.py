"""What ``explain`` tells of one word, before it is drawn: by ``report/explanation_text``, or by a page of the agent.

Made by ``definitions``, ``cli/explaining`` and ``viewing``. Nothing in it is escaped: who draws it does that. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

FORMAT = "datakeel.explanation/1"


@dataclass(frozen=True, slots=True)
class Part:
    """One part; its members are drawn in this order, and what is empty is not drawn.

    ``text`` and ``note`` are paragraphs, ``code`` the lines of an example, ``facts`` words and what they are. ``rows``
    are the cells of a table whose last column may be long; ``links`` says that its first cells are words of their own
    below the explained one. ``entries`` are names, each with paragraphs below it.
    """

    title: str = ""
    text: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    items: tuple[str, ...] = ()
    entries: tuple[tuple[str, tuple[str, ...]], ...] = ()
    note: tuple[str, ...] = ()
    links: bool = False

    def __bool__(self) -> bool:
        return any((self.title, self.text, self.code, self.facts, self.rows, self.items, self.entries, self.note))


@dataclass(frozen=True, slots=True)
class Explanation:
    """``word`` is what a person types to get it; ``what`` is its sort: ``kind``, ``member``, ``platform``,
    ``promises``, ``cost``, ``code``, ``setting``, ``policy`` or ``object``. ``told`` is for programs: what is more than
    prose.
    """

    what: str
    word: str
    title: str
    summary: str = ""
    parts: tuple[Part, ...] = ()
    platform: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON: members that are empty are left out of parts, never of the whole."""
        parts = [
            {each.name: value for each in fields(Part) if (value := getattr(part, each.name)) not in ("", (), False)}
            for part in self.parts
            if part
        ]
        head = {"what": self.what, "word": self.word, "platform": self.platform or None, "title": self.title}
        return {**head, "summary": self.summary, "told": dict(self.told), "parts": parts}

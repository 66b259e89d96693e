"""``-o markdown``: one comment or job summary, dangerous things first, never larger than it may be.

Two modules say what stands on the page: ``markdown_plan`` for a plan, ``markdown_results`` for everything else. Here it
is fitted: what decides stays (title, warnings, dangerous rows, digest), other rows and details give way, and the page
then says where the whole is. Foreign text stands in code only, so nobody is mentioned and nothing is linked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.report.escape import code_span
from agent.report.formats import Settings
from agent.report.values import counted

MARKER = "<!-- datakeel:plan key="
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UNTRUSTED = "⚠️ **not verified**: a job of the pull request itself made this, without credentials"
_DETAIL_LEAST = 60  # bytes
_TOO_LONG_MAX = 20
_ROOM_FOR_NOTES = 400  # bytes: the two sentences that tell what was left out


@dataclass
class Page:
    """The parts of a page in their order. ``dangerous`` and ``rows`` are lines of one table below ``header``.

    ``details`` are made one by one, as long as there is room: a plan of thousands shows only some.
    """

    title: str
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    header: tuple[str, str] = ("", "")
    dangerous: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    details: list[Callable[[], str]] = field(default_factory=list)
    foot: str = ""


def render(document: Mapping[str, Any], settings: Settings) -> str:
    """The page for this document, below the hidden line by which ``notify`` finds its comment again."""
    if str(document.get("format", "")).startswith("datakeel.plan/"):
        from agent.report.markdown_plan import page_of
    else:
        from agent.report.markdown_results import page_of
    page = page_of(document)
    if settings.untrusted:
        page.warnings.insert(0, _UNTRUSTED)
    return marker(settings.key) + "\n" + fitted(page, settings)


def marker(key: str) -> str:
    """The first line of a sticky comment. ValueError when ``key`` is not one."""
    if not KEY.fullmatch(key):
        raise ValueError(f"not a key: {key!r}")
    return f"{MARKER}{key} -->"


def fitted(page: Page, settings: Settings) -> str:
    """The page within ``max_bytes``, less its marker; the title and the foot stay whatever happens."""
    room = settings.max_bytes - len(marker(settings.key)) - 1 - _ROOM_FOR_NOTES
    room -= sum(_size(part) + 2 for part in (page.title, page.foot, *page.header))
    warnings, left = _kept(page.warnings, room // 4)
    dangerous, room = _kept(page.dangerous, room - (room // 4 - left))
    # A row that is not dangerous waits for all that are; a detail waits for all rows.
    problems, room = _kept(page.problems, room // 2 if page.rows else room, room)
    rows, room = _kept(page.rows, room) if len(dangerous) == len(page.dangerous) else ([], 0)
    details, room = _made(page.details, room) if len(rows) == len(page.rows) else ([], 0)
    left_out = [
        counted(len(whole) - len(kept), noun)
        for noun, whole, kept in (
            ("warning", page.warnings, warnings),
            ("problem", page.problems, problems),
            ("dangerous change", page.dangerous, dangerous),
            ("other line", page.rows, rows),
            ("detail", page.details, details),
        )
        if len(kept) < len(whole)
    ]
    parts = [page.title, *warnings, *(["\n".join(problems)] if problems else [])]
    if dangerous or rows:
        parts.append("\n".join((*page.header, *dangerous, *rows)))
    parts += details
    if left_out:
        where = f"; all of it is in {code_span(settings.full, 100)} of this job" if settings.full else ""
        parts.append(f"✂️ **shortened**: {', '.join(left_out)} left out{where}")
    return "\n\n".join([*parts, *([page.foot] if page.foot else [])]) + "\n"


def _kept(lines: Sequence[str], allowed: int, room: int | None = None) -> tuple[list[str], int]:
    """As many of the first lines as are ``allowed`` bytes, and what is left of ``room``, which else is the same."""
    room = allowed if room is None else room
    kept: list[str] = []
    for line in lines:
        size = _size(line) + 2
        if size > allowed:
            break
        kept.append(line)
        allowed -= size
        room -= size
    return kept, room


def _made(details: Sequence[Callable[[], str]], room: int) -> tuple[list[str], int]:
    """The details that there is room for. One that is too long does not keep later, shorter ones out; many such do."""
    kept: list[str] = []
    too_long = 0
    for make in details:
        if room < _DETAIL_LEAST or too_long >= _TOO_LONG_MAX:
            break
        detail = make()
        if (size := _size(detail) + 2) <= room:
            kept.append(detail)
            room -= size
        else:
            too_long += 1
    return kept, room


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))

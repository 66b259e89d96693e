"""What a proposal changes of the agent itself, as text: first of all, since it decides what all the rest means.

Called by ``diff``. Foreign lines carry a mark, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.model.unmerged import Unmerged
from agent.report.escape import clean
from agent.report.values import Paint, plain

_LINES_SHOWN = 20


def render_unmerged(changes: Iterable[Unmerged], *, paint: Paint = plain) -> str:
    """One block, "" where nothing of the kind changed. An empty line ends it."""
    lines = []
    for change in changes:
        place = f"{change.path}:{change.line}" if change.line is not None else change.path
        lines.append(f"{paint('held', f'{clean(place)}: {change.code}')}: {clean(change.what)}")
        shown = change.lines[:_LINES_SHOWN]
        lines += [f"  | {clean(line)}" for line in shown]
        if len(shown) < len(change.lines):
            lines.append(f"  | … {len(change.lines) - len(shown)} more lines")
    if not lines:
        return ""
    told = "changes the agent itself; nothing of this is used before it is merged"
    return "".join(f"{line}\n" for line in [paint("heading", told), *lines, ""])

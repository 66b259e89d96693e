"""``datakeel explain policy``: what a rule over the plan may name, as its page tells it."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "policy.md"
_ROW = re.compile(r"^\| (`.*?) \| (.*?) \|$", re.MULTILINE)
_WIDTH = 30


def words() -> list[tuple[str, str]]:
    """Each word, or words of one kind, and what it is."""
    section = PAGE.read_text(encoding="utf-8").partition("\n## Words\n")[2].partition("\n## ")[0]
    return [(named.replace("`", ""), said.replace("`", "")) for named, said in _ROW.findall(section)]


def about_policy() -> str:
    """The words, one a line, those with much to name on lines of their own; then where more is told."""
    lines = ["policy", "", "What a rule over the plan may name, in CEL (https://cel.dev):", ""]
    for named, said in words():
        names = named.split(", ") if len(named) > _WIDTH and "(" not in named else [named]
        lines += [f"{name}," for name in names[:-1]]
        last = names[-1]
        lines += [f"{last.ljust(_WIDTH)}  {said}"] if len(last) <= _WIDTH else [last, f"{'':{_WIDTH}}  {said}"]
    lines += [
        "",
        "Rules stand under policy in datakeel.yaml, or in files that it names; datakeel policy test tests them.",
    ]
    return "\n".join(lines)

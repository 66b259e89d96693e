"""What a rule over the plan may name, as its page tells it: for ``explain policy`` and the agent's pages."""

from __future__ import annotations

import re
from pathlib import Path

from agent.model.explanation import Explanation, Part

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "policy.md"
WORD = "policy"
_ROW = re.compile(r"^\| (`.*?) \| (.*?) \|$", re.MULTILINE)
_NOTE = "Rules stand under `policy` in datakeel.yaml, or in files that it names. datakeel policy test tests them."


def words() -> list[tuple[str, str]]:
    """Each word, or words of one kind, and what it is."""
    section = PAGE.read_text(encoding="utf-8").partition("\n## Words\n")[2].partition("\n## ")[0]
    return [(named.replace("`", ""), said.replace("`", "")) for named, said in _ROW.findall(section)]


def about_policy() -> Explanation:
    """All words, in the order of the page."""
    told = words()
    entries = tuple((named, (said,)) for named, said in told)
    return Explanation(
        "policy",
        WORD,
        WORD,
        "what a rule over the plan may name, in CEL (https://cel.dev)",
        (Part(entries=entries), Part(note=(_NOTE,))),
        told={"words": [{"names": named.split(", "), "is": said} for named, said in told]},
    )

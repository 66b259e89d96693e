"""``-o gitlab-terraform``: three counts for ``artifacts: reports: terraform``, which GitLab shows in a merge request.

GitLab wants exactly ``create``, ``update`` and ``delete``. A replace counts as create and delete, an adopt as update.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from agent.report.documents import dump_document
from agent.report.formats import Settings

_COUNTS_AS = {
    "create": ("create",),
    "update": ("update",),
    "adopt": ("update",),
    "replace": ("create", "delete"),
    "delete": ("delete",),
}


def render(document: Mapping[str, Any], settings: Settings) -> str:
    """The counts of a plan, or of what an apply has done; zeros where there is neither."""
    applied = [change for one in document.get("passes", ()) for change in one["changes"] if change["outcome"] == "done"]
    counts: Counter[str] = Counter()
    for change in (*document.get("changes", ()), *applied):
        counts.update(_COUNTS_AS.get(change["action"], ()))
    return dump_document({word: counts[word] for word in ("create", "update", "delete")}, pretty=False)

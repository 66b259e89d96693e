"""What got loose in a play: every hit that is not in a place where the canary lies rightly."""

from __future__ import annotations

from tests.canaries.search import Hit, Searcher
from tests.canaries.stage import Stage


def found_loose(stage: Stage) -> tuple[int, int, list[Hit]]:
    """The number of sinks, the bytes in them, and what was found."""
    searcher = Searcher(stage.canary.canaries.values())
    count, size, loose = 0, 0, []
    for sink, content in stage.sinks():
        count, size = count + 1, size + len(content)
        for hit in searcher.search(sink, content):
            canary = stage.canary.canaries.get(hit.canary)
            if canary is None or not sink.startswith(canary.kept or ("\0",)):
                loose.append(hit)
    return count, size, loose


def not_arrived(stage: Stage) -> list[str]:
    """Canaries that the platform should have been told and was not: a secret that is never used proves nothing."""
    return [
        each.name for each in stage.canary.canaries.values() if each.arrives and not stage.leaky.was_told(each.value)
    ]

"""People's words on whose an object is, forgotten once they are heeded. Called by ``once`` after a pass."""

from __future__ import annotations

from agent.model.resource import Desired
from agent.reconcile.target import Target


def settle_words(target: Target, desired: Desired, *, whole: bool) -> None:
    """An adoption is settled when the object is ours; a release when neither git nor the inventory names it."""
    words = target.store.words(target.name)
    if not words:
        return
    rows = target.store.rows(target.name)
    settled = [
        word
        for key, word in words.items()
        if (
            key in rows and max(rows[key].written_at or 0.0, rows[key].seen_at or 0.0) >= word.at and rows[key].in_sync
            if word.verb == "adopt"
            else whole and key not in rows and key not in desired.resources and key not in desired.broken
        )
    ]
    if settled:
        target.store.settle(settled)

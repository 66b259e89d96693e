"""Which scope words the calls of a kind hold. Pure; asked by ``live`` for what one list can serve."""

from __future__ import annotations

from agent.definitions.platform import Kind


def list_words(kind: Kind) -> frozenset[str]:
    """Scope words that the list's request holds, in its line or in a header: the scope that a list is asked for."""
    if kind.list is None:
        return frozenset()
    told = set(kind.list.request.words)
    for template in (*kind.headers.values(), *kind.list.headers.values()):
        told.update(template.words)
    return frozenset(word.word for word in kind.scope if any(name.split(".")[0] == word.word for name in told))

"""``client.workspaces``: which kind a word of a client means."""

from __future__ import annotations

from collections.abc import Iterable

from agent.client.calls import Calls
from agent.client.errors import NoCollectionError
from agent.definitions.platform import Kind
from agent.validate.findings import nearest, one_of


def collection_of(calls: Calls | None, word: str) -> Kind:
    """Raises AttributeError, for a word that could be a collection as :class:`NoCollectionError`."""
    if calls is None or word.startswith("_"):
        raise AttributeError(word)
    kinds = calls.session.kinds
    kind = kinds.collection(word)
    if kind is None:
        fix = nearest(word, kinds.collections) or one_of(kinds.collections)
        raise NoCollectionError(f"{calls.session.platform.api_version} has no `{word}`", fix=fix)
    return kind


def words_for_dir(own: Iterable[str], calls: Calls) -> list[str]:
    """What a shell offers."""
    return sorted({*own, *calls.session.kinds.collections})

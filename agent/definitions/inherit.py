"""``extends`` and ``like``: one definition laid over another, one kind over another, by one rule.

Maps keyed by names that the author chose merge by name; every other word is replaced whole; null removes. Called by
``load.py`` after the files are read and before anything is built. Each word keeps the place where it was written.
"""

from __future__ import annotations

from agent.definitions.places import Faults, Leaf, Words, did_you_mean, get
from agent.definitions.vocabulary import MERGED_BY_NAME

_OWN_WORDS = frozenset({"platform", "version", "format", "extends"})
_NOT_INHERITED_BY_LIKE = frozenset({"abstract", "like"})


def extend(base: Words, over: Words, *, keep_server: bool) -> Words:
    """The definition ``over`` laid over the one that it extends. Its name, version and format are its own."""
    dropped = _OWN_WORDS if keep_server else _OWN_WORDS | {"server"}
    return lay_over({word: leaf for word, leaf in base.items() if word not in dropped}, over)


def lay_over(base: Words, over: Words) -> Words:
    """A map of words laid over another one; the rule of the module's docstring."""
    merged = dict(base)
    for word, leaf in over.items():
        if leaf.value is None:
            merged.pop(word, None)
        elif word in MERGED_BY_NAME and isinstance(leaf.value, dict):
            below = base.get(word)
            names = below.value if below is not None and isinstance(below.value, dict) else {}
            merged[word] = Leaf(_by_name(names, leaf.value, whole=word == "settings"), leaf.place)
        else:
            merged[word] = leaf
    return merged


def _by_name(base: Words, over: Words, *, whole: bool) -> Words:
    merged = dict(base)
    for name, leaf in over.items():
        if leaf.value is None:
            merged.pop(name, None)
        elif not whole and isinstance(leaf.value, dict):
            below = merged.get(name)
            words = below.value if below is not None and isinstance(below.value, dict) else {}
            merged[name] = Leaf(lay_over(words, leaf.value), leaf.place)
        else:
            merged[name] = leaf
    return merged


def resolve_like(kinds: Words, faults: Faults) -> Words:
    """Each kind with the words of the kind that it is like. One step: that kind is like no other."""
    resolved: Words = {}
    for name, leaf in kinds.items():
        if not isinstance(leaf.value, dict):
            continue
        parent_name = get(leaf.value, "like")
        if parent_name is None:
            resolved[name] = leaf
            continue
        place = leaf.value["like"].place
        parent = kinds.get(parent_name)
        if parent is None or not isinstance(parent.value, dict):
            others = [other for other in kinds if other != name]
            faults.add(
                place, f"there is no kind `{parent_name}`", got=parent_name, fix=did_you_mean(parent_name, others)
            )
            continue
        if get(parent.value, "like") is not None or parent_name == name:
            faults.add(place, f"`like` is one step, and `{parent_name}` is like another kind itself", got=parent_name)
            continue
        words = {word: member for word, member in parent.value.items() if word not in _NOT_INHERITED_BY_LIKE}
        resolved[name] = Leaf(lay_over(words, leaf.value), leaf.place)
    return resolved

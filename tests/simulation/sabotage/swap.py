"""One function of the agent replaced for one run, wherever it was imported to.

Most guards are pure functions that no constructor hands in. Replacing them here keeps switches out of what is shipped
(``agent/docs/decisions``). What was replaced counts its calls: a wrong agent whose wrong part never ran proves nothing.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_UNFIT = -(10**9)


@dataclass(frozen=True)
class Swap:
    """``place`` is ``module:function`` or ``module:Class.method`` below ``agent``; ``wrong`` makes the replacement of
    the right one."""

    place: str
    wrong: Callable[[Any], Any]


@contextmanager
def swapped(swaps: Sequence[Swap]) -> Iterator[Counter[str]]:
    """Inside, the agent is wrong. Yields how often each wrong part was called."""
    ran: Counter[str] = Counter({swap.place: 0 for swap in swaps})
    undone: list[Callable[[], None]] = []
    try:
        for swap in swaps:
            undone.append(_replace(swap, ran))
        yield ran
    finally:
        for undo in reversed(undone):
            undo()


def _replace(swap: Swap, ran: Counter[str]) -> Callable[[], None]:
    module_name, _, path = swap.place.partition(":")
    module = importlib.import_module(f"agent.{module_name}")
    owner_name, _, name = path.rpartition(".")
    owner = getattr(module, owner_name) if owner_name else module
    if name not in vars(owner):
        raise LookupError(f"there is no {swap.place} in the agent any more")
    found = vars(owner)[name]
    is_property = isinstance(found, property)
    right = found.fget if is_property else found
    replacement = swap.wrong(right)
    _must_fit(swap.place, right, replacement)

    @functools.wraps(right)
    def counted(*arguments: Any, **words: Any) -> Any:
        ran[swap.place] += 1
        try:
            return replacement(*arguments, **words)
        except TypeError:  # it no longer fits what it replaces, and so it proves nothing
            ran[swap.place] = _UNFIT
            raise

    if owner_name:
        setattr(owner, name, property(counted) if is_property else counted)
        return lambda: setattr(owner, name, found)
    _everywhere(right, counted)
    return lambda: _everywhere(counted, right)


def _must_fit(place: str, right: Any, wrong: Any) -> None:
    """Raise LookupError where a replacement does not take whatever its original does."""
    taken = inspect.signature(right).parameters.values()
    arguments = [each.name for each in taken if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    words = {each.name: None for each in taken if each.kind is each.KEYWORD_ONLY}
    try:
        inspect.signature(wrong).bind(*arguments, **words)
    except TypeError as error:
        raise LookupError(f"{place} takes something else by now: {error}") from None


def _everywhere(before: Any, after: Any) -> None:
    """Each module of the agent that imported a function by name has it replaced, also one imported meanwhile."""
    for name, module in list(sys.modules.items()):
        if name.startswith("agent.") and module is not None:
            for word, value in list(vars(module).items()):
                if value is before:
                    setattr(module, word, after)

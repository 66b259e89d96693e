"""Elements of a list: what names them, and where nothing does, which of git's and live's are the same ones.

Called by ``compare``. Without it an element put in at the front would be told as a change of all that stand behind it.
Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.model.canonical import canonical
from agent.plan.normalize import is_fingerprint

_COMPARED_MAX = 4096  # pairs of elements between what is alike at both ends; beyond it only the ends are paired


def identifying(*lists: list[Any]) -> tuple[str, ...] | None:
    """``name``, ``key`` or ``id``, when each element of each list has its own: how people tell elements apart."""
    for word in ("name", "key", "id"):
        if all(
            all(isinstance(value, Mapping) and isinstance(value.get(word), str) for value in values)
            and len({value[word] for value in values}) == len(values)
            for values in lists
        ) and any(lists):
            return (word,)
    return None


def key_of(value: Any, names: tuple[str, ...]) -> bytes:
    return canonical([value.get(name) for name in names] if isinstance(value, Mapping) else value)


def label_of(value: Any, names: tuple[str, ...]) -> str:
    return ",".join(f"{name}={value.get(name)}" for name in names) if isinstance(value, Mapping) else str(value)


def aligned(left: int, right: int, same: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    """Positions that belong together, of lists of ``left`` and ``right`` elements: a longest common subsequence.

    ``same`` tells whether two elements are alike. Hirschberg, "A linear space algorithm for computing maximal common
    subsequences" (1975), describes the table; lists of manifests are short, so that it is kept whole.
    """
    shorter = min(left, right)
    first = next((at for at in range(shorter) if not same(at, at)), shorter)
    rest = shorter - first
    last = next((at for at in range(rest) if not same(left - 1 - at, right - 1 - at)), rest)
    pairs = [(at, at) for at in range(first)]
    if (left - first - last) * (right - first - last) <= _COMPARED_MAX:
        pairs += _middle(range(first, left - last), range(first, right - last), same)
    return pairs + [(left - at, right - at) for at in range(last, 0, -1)]


def _middle(left: range, right: range, same: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    alike = [[same(row, column) for column in right] for row in left]
    longest = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]  # of what is behind two positions
    for row in reversed(range(len(left))):
        for column in reversed(range(len(right))):
            longest[row][column] = (
                longest[row + 1][column + 1] + 1
                if alike[row][column]
                else max(longest[row + 1][column], longest[row][column + 1])
            )
    pairs, row, column = [], 0, 0
    while row < len(left) and column < len(right):
        if alike[row][column]:
            pairs.append((left[row], right[column]))
            row, column = row + 1, column + 1
        elif longest[row + 1][column] >= longest[row][column + 1]:
            row += 1
        else:
            column += 1
    return pairs


def as_written(live: Any, model: Any) -> Any:
    """What ``live`` says of the members that ``model`` has, in its order; an element that has none of them is whole.

    Platforms add members of their own to elements; beside what git writes they would look like a difference.
    """
    if isinstance(live, dict) and isinstance(model, dict) and not is_fingerprint(live):
        return {name: as_written(live[name], value) for name, value in model.items() if name in live} or live
    if isinstance(live, list) and isinstance(model, list):
        element = merged(model)
        return [as_written(value, element) for value in live]
    return live


def merged(models: Sequence[Any]) -> Any:
    """One value with the members of all: mappings are laid over each other, lists stand one behind the other."""
    mappings = [model for model in models if isinstance(model, dict) and not is_fingerprint(model)]
    if mappings:
        names = dict.fromkeys(name for model in mappings for name in model)
        return {name: merged([model[name] for model in mappings if name in model]) for name in names}
    lists = [model for model in models if isinstance(model, list)]
    return [element for each in lists for element in each] if lists else next(iter(models), None)


def holds_fingerprint(value: Any) -> bool:
    """Whether a secret stands in a value, by a rule or by its name."""
    if isinstance(value, dict):
        return is_fingerprint(value) or any(map(holds_fingerprint, value.values()))
    return isinstance(value, list) and any(map(holds_fingerprint, value))

"""What is special about a leaf of a kind, in phrases for people: who may write it, what it names, how it travels.

Used by ``kind_words`` and ``member_words``. A rule holds for the places that its pointer matches; some of its words
hold for all that is below as well. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.definitions.platform import FieldRule, Kind

_COMPARED = {
    "case": "upper and lower case count alike",
    "space": "blanks at its ends do not count",
    "number": "numbers in text count as numbers",
    "duration": "lengths of time count by what they mean",
    "time": "moments count by what they mean",
    "tail": "only its end is compared",
    "empty": "empty and absent count alike",
}


def special(rule: FieldRule) -> tuple[str, ...]:
    """What a person who writes the leaf must know, without how it travels."""
    said = []
    if rule.read_only:
        said.append("read-only")
    if rule.secret:
        said.append("secret")
    if rule.write_only:
        said.append("never read back")
    if rule.immutable:
        said.append("immutable")
    if rule.ref is not None:
        said.append(f"names {one_of_kind(rule.ref.kind)}")
    if rule.upload is not None:
        said.append("a file to upload: its path in the repository")
    if rule.via is not None:
        said.append("has endpoints of its own")
    return tuple(said)


def travel(kind: Kind, place: tuple[str, ...]) -> tuple[str, ...]:
    """How a leaf gets to the platform and is compared, one phrase each; nothing where it travels as it is written."""
    said = []
    for rule in rules_at(kind, place):
        if rule.encode is not None:
            said.append(f"travels as {rule.encode}")
        if rule.values is not None:
            said.append("travels as " + ", ".join(f"{word} for {value}" for value, word in rule.values.items()))
        if rule.ref is not None and rule.ref.member is not None:
            said.append(f"the {rule.ref.member} of that {rule.ref.kind} travels")
        if rule.upload is not None:
            said.append(f"{rule.upload.method} {rule.upload.request.source} uploads it; its answer travels")
        for value, (method, path) in (rule.via or {}).items():
            said.append(f"{method} {path.source} makes it {value}")
        if rule.list == "set":
            said.append("the order of its elements does not count")
        elif isinstance(rule.list, tuple):
            said.append(f"its elements are told apart by {', '.join(rule.list)}")
        if rule.own == "listed":
            said.append("elements that others add stay")
        if rule.compare in _COMPARED:
            said.append(_COMPARED[rule.compare])
    return tuple(dict.fromkeys(said))


def rules_at(kind: Kind, place: tuple[str, ...]) -> list[FieldRule]:
    """The rules whose pointer matches exactly this place, the most specific first."""
    return [rule for rule, pattern in _by_weight(kind) if len(pattern) == len(place) and _matches(pattern, place)]


def rules_above(kind: Kind, place: tuple[str, ...]) -> list[FieldRule]:
    """Those whose pointer matches the place or something above it, the most specific first."""
    return [rule for rule, pattern in _by_weight(kind) if _matches(pattern, place[: len(pattern)])]


def live_place(kind: Kind, place: tuple[str, ...]) -> tuple[str, ...]:
    """Where the platform shows what is written at a place: the nearest rule with ``read`` moves it."""
    return _moved(place, next(((r.pointer, r.read) for r in rules_above(kind, place) if r.read is not None), None))


def sent_place(kind: Kind, place: tuple[str, ...]) -> tuple[str, ...]:
    """Where in the body it is sent."""
    return _moved(place, next(((r.pointer, r.write) for r in rules_above(kind, place) if r.write is not None), None))


def one_of_kind(name: str) -> str:
    """``a Shelf``, ``an Account``."""
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def steps_of(pointer: str) -> tuple[str, ...]:
    """The words of a pointer, unescaped."""
    return tuple(word.replace("~1", "/").replace("~0", "~") for word in pointer.split("/")[1:])


def _moved(place: tuple[str, ...], move: tuple[str, str] | None) -> tuple[str, ...]:
    if move is None:
        return place
    pattern, target = (steps_of(pointer) for pointer in move)
    bound = iter([word for expected, word in zip(pattern, place, strict=False) if expected == "*"])
    return (*(next(bound, "*") if word == "*" else word for word in target), *place[len(pattern) :])


def _by_weight(kind: Kind) -> Iterator[tuple[FieldRule, tuple[str, ...]]]:
    pairs = [(rule, steps_of(rule.pointer)) for rule in kind.fields]
    yield from sorted(pairs, key=lambda pair: (len(pair[1]) - pair[1].count("*"), len(pair[1])), reverse=True)


def _matches(pattern: tuple[str, ...], place: tuple[str, ...]) -> bool:
    return len(pattern) == len(place) and all(
        expected in ("*", word) for expected, word in zip(pattern, place, strict=True)
    )

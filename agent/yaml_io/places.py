"""Where each value of a document stands: a second, slower parse, made only when something is wrong.

Called by whoever must point at a leaf (schema problems, plans), and by the builder for the two places of a repeated
key. It judges nothing: the text has been read under budgets before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from yaml import YAMLError
from yaml.cyaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from agent.errors import Problem
from agent.yaml_io import faults
from agent.yaml_io.budget import MANIFEST_BUDGET, Budget
from agent.yaml_io.screen import screen

_Place = tuple[int, int]


class _Node:
    """Place of a value, and of what is in it: members by key (with the key's own place) or items by number."""

    __slots__ = ("items", "members", "place")

    def __init__(self, place: _Place) -> None:
        self.place = place
        self.members: dict[str, tuple[_Place, _Node]] | None = None
        self.items: list[_Node] | None = None


class Positions:
    """Places (line, column, from 1) in one document by JSON pointer; of the nearest parent for what is not there."""

    def __init__(self, root: _Node) -> None:
        self._root = root

    def key(self, pointer: str) -> tuple[int, int]:
        """Place of the key that a pointer's last word names; for list items and the root, of the value."""
        return self._find(pointer)[0]

    def value(self, pointer: str) -> tuple[int, int]:
        """Place of the first character of the value."""
        return self._find(pointer)[1]

    def _find(self, pointer: str) -> tuple[_Place, _Place]:
        node = self._root
        key = node.place
        for word in pointer.split("/")[1:]:
            word = word.replace("~1", "/").replace("~0", "~")
            if node.members is not None and word in node.members:
                key, node = node.members[word]
            elif node.items is not None and word.isdecimal() and int(word[:9]) < len(node.items):
                node = node.items[int(word)]
                key = node.place
            else:
                break
        return key, node.place


def positions(source: bytes, document: int, budget: Budget = MANIFEST_BUDGET) -> Positions:
    """The places of a document, by its index in the text. What cannot be read has the place of what holds it."""
    nothing = _Node((1, 1))
    text, problems = screen(source, budget)
    if problems and not text:
        return Positions(nothing)
    index = -1
    events = _events(text)
    for event in events:
        if event.__class__ is DocumentStartEvent:
            index += 1
            if index == document:
                return Positions(_tree(events) or nothing)
    return Positions(nothing)


def _events(text: str) -> Iterator[Any]:
    """All events up to the end of the stream or the first syntax fault."""
    get = CParser(text).get_event
    try:
        while True:
            event = get()
            if event.__class__ is StreamEndEvent:
                return
            yield event
    except YAMLError:
        return


def _place(event: Any) -> _Place:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def _tree(events: Iterator[Any]) -> _Node | None:
    """Fold the events of one document into places. A key that is no scalar is left out with its value."""
    root: _Node | None = None
    stack: list[_Node] = []
    keys: list[tuple[str, _Place] | None] = []  # per open collection: the key that waits for its value
    anchors: dict[str, _Node] = {}
    for event in events:
        kind = event.__class__
        if kind is DocumentEndEvent:
            break
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            stack.pop()
            keys.pop()
            continue
        parent = stack[-1] if stack else None
        if parent is not None and parent.members is not None and keys[-1] is None and kind is ScalarEvent:
            keys[-1] = (event.value, _place(event))
            continue
        node = _Node(_place(event))
        if kind is AliasEvent:
            named = anchors.get(event.anchor, node)
            node.members, node.items = named.members, named.items
        elif event.anchor is not None:
            anchors[event.anchor] = node
        if parent is None:
            root = root or node
        elif parent.items is not None:
            parent.items.append(node)
        elif parent.members is not None:
            pending = keys[-1]
            if pending is None:
                keys[-1] = ("", node.place)  # a complex key: its value has no pointer
            else:
                if pending[0] not in parent.members:
                    parent.members[pending[0]] = (pending[1], node)
                keys[-1] = None
        if kind is MappingStartEvent:
            node.members = {}
        elif kind is SequenceStartEvent:
            node.items = []
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            stack.append(node)
            keys.append(None)
    return root


def duplicates(text: str, limit: int, documents: int) -> Iterator[Problem]:
    """A problem for each repeated key in the first documents of a text, with both places."""
    # Per open collection: None for a list, else the keys seen and whether a key comes next.
    stack: list[tuple[dict[str, Any], list[bool]] | None] = []
    found = 0
    for event in _events(text):
        kind = event.__class__
        if kind is DocumentStartEvent:
            documents -= 1
        if kind is DocumentEndEvent:
            stack.clear()
        if documents < 0 or found >= limit:
            return
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            stack.pop()
            continue
        top = stack[-1] if stack else None
        if top is not None:
            seen, key_next = top
            if key_next[0] and kind is ScalarEvent:
                if event.value in seen:
                    found += 1
                    yield faults.duplicate(seen[event.value], event.start_mark, event.value)
                else:
                    seen[event.value] = event.start_mark
            key_next[0] = not key_next[0]
        if kind is MappingStartEvent:
            stack.append(({}, [True]))
        elif kind is SequenceStartEvent:
            stack.append(None)

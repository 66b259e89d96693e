"""How much YAML is read, and what reading gives. Pure shapes, used by all of ``yaml_io`` and its callers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent.errors import Problem


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one text. ``nodes`` are expanded nodes: an alias costs all that it stands for.

    ``scalar`` counts characters of one scalar, ``number`` the characters of one number.
    """

    bytes: int = 1 << 20
    depth: int = 100
    nodes: int = 200_000
    aliases: int = 1000
    documents: int = 100
    scalar: int = 1 << 20
    number: int = 64


MANIFEST_BUDGET = Budget()
CONFIG_BUDGET = Budget(documents=1)
REPLY_BUDGET = Budget(bytes=16 << 20, nodes=2_000_000, scalar=16 << 20)


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its JSON value and the 1-based place of its first node. ``broken``: it has an error of its own.

    The value of a broken document serves to learn which resource it names, and nothing else. Nodes that an alias
    repeats are one and the same object: values are read, never changed in place.
    """

    value: Any
    index: int
    line: int
    column: int
    empty: bool
    broken: bool


@dataclass(frozen=True, slots=True)
class Loaded:
    """All documents of a text up to the first fault that ends reading, and its problems; ``Where.path`` is empty."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]

"""A revision of a target's folder as it was put together, to be kept for the next process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.model.identity import Key
from agent.model.resource import Resource

Reader = Callable[[int, int], Callable[[], Mapping[str, Any]]]
"""File and document, by number -> what reads the spec."""


@dataclass(frozen=True, slots=True)
class Summary:
    """All files, as path, blob and size in bytes, and all resources of them, without a fault anywhere.

    ``places`` are the number of the file and that of the document in it, for each resource. ``required`` as in
    ``Desired``.
    """

    files: tuple[tuple[str, str, int], ...]
    places: tuple[tuple[int, int], ...]
    resources: tuple[Resource, ...]
    required: frozenset[Key]

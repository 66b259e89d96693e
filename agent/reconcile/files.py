"""The files that manifests name for upload, and what those that were uploaded became. Made by ``once`` for a pass.

What an upload yielded is remembered with the target, by content, for as long as git names that content.
"""

from __future__ import annotations

from typing import Any

from agent.model.resource import Desired
from agent.plan.elsewhere import shown
from agent.source import Source
from agent.store.store import Store

MEMORY = "uploads"


class RevisionFiles:
    """One target's. Satisfies ``apply.wiring.Files``."""

    def __init__(self, source: Source, store: Store, target: str) -> None:
        self._source = source
        self._store = store
        self._target = target

    def read(self, blob: str) -> bytes:
        """Raises SourceError."""
        ((_, content),) = self._source.read([blob])
        return content

    def kept(self, name: str) -> Any:
        return self._store.target_memory(self._target).get(MEMORY, {}).get(name)

    def keep(self, name: str, value: Any) -> None:
        """Durable at once: the platform has the file from now on."""
        memory = self._store.target_memory(self._target)
        self._store.remember_target(self._target, {**memory, MEMORY: {**memory.get(MEMORY, {}), name: value}})


def still_named(store: Store, target: str, desired: Desired, *, whole: bool) -> dict[str, Any]:
    """What is remembered of uploads, less that of contents which git no longer names.

    Not ``whole``: only a part of git was looked at, which says nothing about the rest; nor does an invalid manifest.
    """
    remembered: dict[str, Any] = store.target_memory(target).get(MEMORY, {})
    if not remembered or not whole or not desired.complete:
        return remembered
    named = {shown(path, blob) for each in desired.special.values() for path, blob in each.files.items()}
    return {name: value for name, value in remembered.items() if name.partition(" ")[2] in named}

"""The listing of a commit from that of the one before: git tells which few of a hundred thousand files differ.

Called by ``repository``. Only files that were listed as manifests and have another content now are put in their
places; whatever came, went or changed its kind makes the whole folder be listed anew.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from operator import attrgetter
from typing import NamedTuple

from agent.source.objects import Objects
from agent.source.tree import Edited, Tree, TreeEntry, TreeLimits

_EDITED = re.compile(rb":100\d{3} 100\d{3} [0-9a-f]+ ([0-9a-f]+) M")
_PATH = attrgetter("path")
WORTH_ABOVE = 2000
"""Files from which on two questions about a difference cost git less than one about everything."""
CHANGED_MAX = 1000
"""More files than these are listed as a whole."""


class _Listed(NamedTuple):
    """What a folder held at a commit; ``bytes`` of all its manifest files."""

    commit: str
    tree: Tree
    bytes: int


class Listings:
    """The last listing of each large folder of a repository. May be used from several threads.

    A small one is listed each time. So is a large one that is asked about for the first time, or after too many edits.
    """

    def __init__(self, limits: TreeLimits, worth_above: int = WORTH_ABOVE) -> None:
        self._limits = limits
        self._worth_above = worth_above
        self._kept: dict[str, _Listed] = {}

    def tree(self, objects: Objects, commit: str, folder: str) -> Tree:
        """The manifest files of ``folder`` at ``commit``. Raises SourceError."""
        former = self._kept.get(folder)
        if former is not None and former.commit == commit:
            return former.tree
        found = self._edited(objects, former, commit, folder) if former is not None else None
        if found is None:
            tree = objects.tree(commit, folder, self._limits)
            found = _Listed(commit, tree, sum([entry.size for entry in tree.entries]))
        if len(found.tree.entries) > self._worth_above:
            self._kept[folder] = found
        else:
            self._kept.pop(folder, None)
        return found.tree

    def _edited(self, objects: Objects, former: _Listed, commit: str, folder: str) -> _Listed | None:
        """None where that is not certain to be what a new listing would say."""
        difference = objects.difference(former.commit, commit, folder)
        edits = edits_in(difference) if difference is not None else None
        if edits is None:
            return None
        sizes = objects.sizes(list(edits.values()))
        entries, total, places = list(former.tree.entries), former.bytes, []
        for path, blob in edits.items():
            place, size = bisect_left(entries, path, key=_PATH), sizes.get(blob)
            if size is None or size > self._limits.file_bytes_max or place == len(entries):
                return None
            if entries[place].path != path:
                return None
            total += size - entries[place].size
            places.append(place)
            entries[place] = TreeEntry(path, blob, size)
        if total > self._limits.bytes_max:
            return None
        edited = Edited(former.tree.entries, tuple(places))
        return _Listed(commit, replace(former.tree, entries=tuple(entries), edited=edited), total)


def edits_in(difference: bytes) -> dict[str, str] | None:
    """Path -> blob, from the output of ``diff-tree -r -z``; None where more has changed than the content of files."""
    *records, rest = difference.split(b"\0")
    heads = [_EDITED.fullmatch(head) for head in records[::2]]
    if rest or len(records) % 2 or len(heads) > CHANGED_MAX:
        return None
    edits = {}
    for head, path in zip(heads, records[1::2], strict=True):
        if head is None:
            return None
        edits[path.decode(errors="backslashreplace")] = head[1].decode()
    return edits

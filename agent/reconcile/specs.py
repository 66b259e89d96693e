"""The specs of manifests, read when a change or a comparison asks for one, several files at a time.

Made by ``desired`` and kept with a target's last revision. It holds what was checked in this pass as compact bytes, for
ten thousand trees would be most of the memory, and reads the rest from git again: one parse of one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agent.definitions.platform import Platform
from agent.model.canonical import from_json, packed
from agent.reconcile.rendering import Rendering
from agent.source import Source
from agent.validate.desired import SourceFile
from agent.validate.document import read_spec

# A git process for each file would cost more than all else in a pass that reads everything again.
_AHEAD = 200


class Specs:
    """``expect`` says which contents will be asked for, in order; without it each is read by itself.

    A file is named by its content id, whose meaning ``rendering`` knows.
    """

    def __init__(self, source: Source, platform: Platform, defaults: Mapping[str, str], rendering: Rendering) -> None:
        self._source = source
        self._rendering = rendering
        self._platform = platform
        self._defaults = defaults
        self._checked: dict[tuple[str, int], bytes] = {}
        self._expected: list[str] = []
        self._places: dict[str, int] = {}
        self._contents: dict[str, bytes] = {}

    def keep(self, content: str, document: int, spec: Mapping[str, Any]) -> None:
        """A spec that was just checked; it is kept until :meth:`release`."""
        self._checked[content, document] = packed(spec)

    def expect(self, contents: Iterable[str]) -> None:
        self._expected = list(dict.fromkeys(map(self._rendering.blob_of, contents)))
        self._places = {blob: place for place, blob in enumerate(self._expected)}

    def release(self) -> None:
        """The pass is over: nothing is kept that git can give again."""
        self._checked, self._contents = {}, {}
        self.expect(())

    def read(self, file: SourceFile, document: int) -> Mapping[str, Any]:
        kept = self._checked.get((file.blob, document))
        if kept is not None:
            spec: Mapping[str, Any] = from_json(kept)
            return spec
        source, inputs = self._content(self._rendering.blob_of(file.blob)), self._rendering.inputs_of(file.blob)
        return read_spec(source, self._platform, self._defaults, document, inputs)

    def _content(self, blob: str) -> bytes:
        if blob not in self._contents:
            place = self._places.get(blob)
            some = [blob] if place is None else self._expected[place : place + _AHEAD]
            self._contents = dict(self._source.read(some))
        return self._contents[blob]

"""Leaves made ready to travel: names looked up on the platform, files uploaded. Called by ``writer`` before a write.

A file is uploaded once for each content: what it became is kept, for a create that fails is tried again and its files
need not travel again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from agent.apply.request import WriteStep
from agent.definitions.platform import Kind, Upload
from agent.model.canonical import digest
from agent.model.change import Change
from agent.model.resource import Resource
from agent.plan.elsewhere import files_in, path_of, references_in, referred
from agent.plan.rules import RuleBook


class Files(Protocol):
    """The files of the revision, and what those that were uploaded became."""

    def read(self, blob: str) -> bytes: ...
    def kept(self, name: str) -> Any: ...
    def keep(self, name: str, value: Any) -> None: ...


class Wiring:
    """``kinds`` are the platform's: a name is looked up in the scope that its kind has."""

    def __init__(self, step: WriteStep, kinds: Mapping[str, Kind], files: Files) -> None:
        self._step = step
        self._kinds = kinds
        self._files = files
        self._sending: dict[str, asyncio.Lock] = {}

    async def wires(
        self, change: Change, resource: Resource, book: RuleBook, spec: Mapping[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """What each such leaf of a described spec stands for. Raises LiveError when one cannot be had."""
        wires: dict[str, dict[str, Any]] = {}
        for pointer, ref, name in references_in(book, spec):
            scope = tuple(word.word for word in self._kinds[ref.kind].scope)
            key = referred(resource, ref.kind, scope, name)
            wires.setdefault(pointer, {})[name] = await self._step.relatives.member(key, ref.member or "")
        for pointer, upload, text in files_in(book, spec):
            if text not in wires.setdefault(pointer, {}):
                wires[pointer][text] = await self._uploaded(change, resource, book.kind, pointer, upload, text)
        return wires

    async def _uploaded(
        self, change: Change, resource: Resource, kind: Kind, pointer: str, upload: Upload, text: str
    ) -> Any:
        name = f"{kind.name}{pointer}{_of_whom(upload, change)} {text}"
        async with self._sending.setdefault(name, asyncio.Lock()):  # two manifests may name one file
            value = self._files.kept(name)
            if value is None:
                content = self._files.read(resource.files[path_of(text)])
                value = await self._step.upload(change, kind, upload, text, content)
                self._files.keep(name, value)
        return value


def _of_whom(upload: Upload, change: Change) -> str:
    """What an upload says of the object that it is for, as a short text: another workspace, another file there."""
    words = {*upload.request.words, *(upload.body.words if upload.body is not None else ())}
    told = {**dict(change.key.scope), "name": change.key.name}
    said = {word: text for word, text in sorted(told.items()) if word in words}
    return f"#{digest(said)[:12]}" if said else ""

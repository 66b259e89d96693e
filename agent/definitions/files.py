"""The files of a definition: where definitions lie, which ones there are, and their bytes.

Called by ``load.py``; ``available`` also serves the configuration and ``explain``. Reads local folders only and never
decides what a word means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import agent
from agent.definitions.places import BUDGET, SourceText
from agent.errors import DefinitionError, Where
from agent.model.canonical import digest_bytes

DEFINITION = "platform.yaml"
SCHEMA_SUFFIX = ".schema.json"
_HEAD_BYTES = 8192
_copies: list[Path] = []
_HEAD_WORD = re.compile(rb"^(platform|version):[ \t]*[\"']?([a-z][a-z0-9-]*)[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_KEBAB = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class DefinitionFolder:
    """One folder, read: ``platform.yaml``, the schemas by file name, the sample answers not yet."""

    folder: Path
    definition: SourceText
    schemas: Mapping[str, SourceText]

    @property
    def answers(self) -> Path:
        return self.folder / "examples" / "answers"


def bundled_schemas() -> Path:
    """The definitions that travel with the package: beside the code in a wheel, beside the package in a checkout."""
    package = Path(agent.__file__).parent
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"


def overlay_schema() -> Mapping[str, Any]:
    """The form of an overlay, which is that of no platform."""
    schema: Mapping[str, Any] = json.loads((bundled_schemas() / "overlay.schema.json").read_bytes())
    return schema


def available(extra_folders: Sequence[Path] = ()) -> dict[str, Path]:
    """All definitions by ``platform/version``: of the extra folders in order, then the bundled ones; the first wins.

    An extra folder is a definition itself, or holds some. Only the head of each ``platform.yaml`` is read.
    """
    found: dict[str, Path] = {}
    for root in (*extra_folders, bundled_schemas()):
        for folder in definition_folders(root):
            name = api_version_of(folder)
            if name is not None:
                found.setdefault(name, folder)
    return found


def newest(platform: str, found: Mapping[str, Path]) -> str | None:
    """``acme`` → ``acme/v2``: the highest version of a platform, v10 above v9; None when there is none."""
    versions = [name for name in found if name.partition("/")[0] == platform]
    return max(versions, key=lambda name: [int(n) for n in re.findall(r"[0-9]+", name.partition("/")[2])], default=None)


def read_folder(folder: Path) -> DefinitionFolder:
    """Read a definition's files. Raises :class:`DefinitionError` when the folder has no readable ``platform.yaml``."""
    path = folder / DEFINITION
    schemas = {}
    try:
        definition = SourceText(display(path), _read(path))
        for schema in sorted(folder.glob("*" + SCHEMA_SUFFIX)):
            schemas[schema.name] = SourceText(display(schema), _read(schema))
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise DefinitionError(what, where=Where(display(Path(error.filename or path)))) from None
    return DefinitionFolder(folder, definition, schemas)


def schema_name(kind: str) -> str:
    """``AnnotationStream`` → ``annotation-stream.schema.json``."""
    return _KEBAB.sub("-", kind).lower() + SCHEMA_SUFFIX


def digest_of(folders: Sequence[DefinitionFolder]) -> str:
    """Digest over the names and bytes of all files of a definition and of those that it extends."""
    parts: list[bytes] = []
    for folder in folders:
        files = [(DEFINITION, folder.definition), *folder.schemas.items()]
        for name, file in files:
            parts.append(f"{name}\0{len(file.source)}\0".encode() + file.source)
    return digest_bytes(b"\0".join(parts))


@contextmanager
def shown_below(folder: Path) -> Iterator[None]:
    """Within it, :func:`display` shows what lies in ``folder`` from there: copies of a revision, as it has them."""
    _copies.append(folder)
    try:
        yield
    finally:
        _copies.remove(folder)


def display(path: Path) -> str:
    """A path for messages: bundled ones from ``schemas/``, those below the working folder from there."""
    for folder in _copies:
        if path.is_relative_to(folder):
            return str(path.relative_to(folder))
    try:
        return str("schemas" / path.relative_to(bundled_schemas()))
    except ValueError:
        pass
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):  # it lies elsewhere, or the working folder is gone
        return str(path)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(BUDGET.bytes + 1)


def definition_folders(root: Path) -> list[Path]:
    """The folder itself where it is a definition, else those in it that are."""
    if (root / DEFINITION).is_file():
        return [root]
    try:
        return sorted(folder for folder in root.iterdir() if (folder / DEFINITION).is_file())
    except OSError:
        return []


def api_version_of(folder: Path) -> str | None:
    """``acme/v1``, from the head of the folder's ``platform.yaml``; None where it does not say so plainly."""
    try:
        with (folder / DEFINITION).open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return None
    words = {name.decode(): value.decode() for name, value in reversed(_HEAD_WORD.findall(head))}
    return f"{words['platform']}/{words['version']}" if len(words) == 2 else None

"""A rendering in a folder: written by ``render --out``, compared by ``render --check``.

Used by the verb. Each file of the revision is rendered to ``DIR/TARGET/`` and its own path. Only files that begin with
our own line are ever written over or removed, and no link below the folder is followed: what lies there may come from
anybody who can open a pull request.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.cli.output import write_file
from agent.cli.rendered_text import as_yaml
from agent.cli.rendering import RenderedTarget
from agent.errors import AgentError, UsageError
from agent.report.escape import clean

_MARK = "# Rendered by datakeel from "
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class Comparison:
    """What a folder holds against what it should hold; paths below the folder."""

    missing: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    same: int = 0

    @property
    def differs(self) -> bool:
        return bool(self.missing or self.stale or self.left or self.foreign)


def texts_of(targets: Sequence[RenderedTarget]) -> dict[str, str]:
    """What the folder should hold, by path below it."""
    found: dict[str, str] = {}
    for target in targets:
        for file in target.files:
            head = f"{_MARK}{clean(file.path)} for target {target.config.name}; edits here are lost.\n"
            found[f"{target.config.name}/{file.path}"] = head + "---\n".join(map(as_yaml, file.manifests))
    return found


def compare(folder: Path, wanted: dict[str, str], targets: Sequence[str]) -> Comparison:
    """The folder of each target against ``wanted``. Raises AgentError where it cannot be read."""
    found = Comparison()
    try:
        for path, text in sorted(wanted.items()):
            content = _content(folder, path, len(text.encode()) + 1)
            if content is None:
                found.missing.append(path)
            elif content == text.encode():
                found.same += 1
            else:
                (found.stale if _is_ours(content) else found.foreign).append(path)
        for target in targets:
            found.left += [path for path in _files(folder, target) if path not in wanted and _is_left(folder, path)]
    except OSError as error:
        raise AgentError(f"{clean(str(folder))} cannot be read: {error.strerror}", code="unreadable-file") from error
    return found


def write(folder: Path, wanted: dict[str, str], found: Comparison) -> None:
    """Bring the folder to ``wanted``. Raises UsageError, before anything is written, for files that are not ours."""
    if found.foreign:
        raise UsageError(
            f"{clean(str(folder / found.foreign[0]))} is no rendering of ours, and would be written over",
            fix="move it away, or render into another folder",
        )
    for path in (*found.missing, *found.stale):
        place = folder / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"{clean(str(place.parent))} cannot be made: {error.strerror}"
            raise AgentError(what, code="output-failed") from error
        write_file(place, wanted[path])
    for path in found.left:
        (folder / path).unlink(missing_ok=True)


def _content(folder: Path, path: str, bytes_max: int) -> bytes | None:
    """The beginning of a file; b"" for what is no regular file or lies behind a link, None for what is not there."""
    place = folder
    for part in Path(path).parts[:-1]:
        place = place / part
        if place.is_symlink():
            return b""
    try:
        descriptor = os.open(folder / path, _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        return file.read(bytes_max) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""


def _files(folder: Path, target: str) -> Iterator[str]:
    """Every file below the target's folder, links to folders not followed."""
    for place, folders, names in os.walk(folder / target):
        folders.sort()
        for name in sorted(names):
            yield (Path(place) / name).relative_to(folder).as_posix()


def _is_left(folder: Path, path: str) -> bool:
    content = _content(folder, path, len(_MARK))
    return content is not None and _is_ours(content)


def _is_ours(content: bytes) -> bool:
    return content.startswith(_MARK.encode())

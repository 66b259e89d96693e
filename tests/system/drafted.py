"""How far a drafted and probed platform is from the one that travels with datakeel, in lines that say something."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from agent.definitions.files import UMBRELLA

_COMMENT = re.compile(r"(?:^|\s+)# .*$")


def called(folder: Path, names: Mapping[str, str]) -> int:
    """Give kinds the names that people know them by, in the definition and in their schemas' file names.

    The number of lines that this changes."""
    changed = 0
    for old, new in names.items():
        definition = folder / "platform.yaml"
        text, lines = re.subn(rf"\b{old}\b(?=:)", new, definition.read_text(encoding="utf-8"))
        definition.write_text(text, encoding="utf-8")
        (folder / _schema(old)).rename(folder / _schema(new))
        changed += lines
    return changed


def lines_to_write(drafted: Path, shipped: Path) -> list[str]:
    """The lines that somebody has to write to get from one folder to the other. Comments say nothing."""
    return [
        line
        for file in sorted((*shipped.glob("*.schema.json"), shipped / "platform.yaml"))
        if file.name != UMBRELLA
        for line in difflib.unified_diff(list(_said(drafted / file.name)), list(_said(file)), n=0, lineterm="")
        if line.startswith("+") and not line.startswith("+++")
    ]


def _said(file: Path) -> Iterator[str]:
    for line in file.read_text(encoding="utf-8").splitlines():
        said = _COMMENT.sub("", line) if file.suffix == ".yaml" else line
        if said.strip():
            yield said


def _schema(kind: str) -> str:
    return f"{re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '-', kind).lower()}.schema.json"

"""What a probe leaves in a platform's folder: redacted samples, and with ``--write`` fewer marks and guesses.

Called by the verb ``probe``. A sample that is there is a person's and stays; of ``platform.yaml`` only lines are
touched that stand as they were drafted, and only when the definition still loads afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.cli.output import write_file
from agent.cli.proving_calls import Probed
from agent.definitions.files import DEFINITION
from agent.definitions.load import load_folder
from agent.drafting.edits import Edits
from agent.drafting.seen import Finding
from agent.drafting.text import flow
from agent.errors import DefinitionError

ANSWERS = Path("examples") / "answers"


@dataclass(frozen=True, slots=True)
class Left:
    """Names of samples that were written and of those that were there; lines of ``platform.yaml`` that were changed.

    ``refused`` says why the changed lines were not kept; ``contradicting`` are samples that the definition is wrong of.
    """

    saved: tuple[str, ...]
    kept: tuple[str, ...]
    lines: tuple[int, ...]
    refused: str = ""
    contradicting: tuple[str, ...] = ()


def places(folder: Path, found: Probed) -> dict[tuple[str, ...], int]:
    """The line of each word that something was found of."""
    edits = Edits((folder / DEFINITION).read_text(encoding="utf-8"))
    return {
        finding.path: edits.line_of(_where(edits, finding.path))
        for findings in found.findings.values()
        for finding in findings
    }


def leave(folder: Path, found: Probed, *, write: bool, search: list[Path]) -> Left:
    """Write what was found."""
    lines: tuple[int, ...] = ()
    refused = ""
    if write:
        lines, refused = _edit(folder, found, search)
    names = sorted(found.samples)
    kept = [name for name in names if (folder / ANSWERS / name).exists() or (folder / ANSWERS / name).is_symlink()]
    saved = [name for name in names if name not in kept]
    for name in saved:
        _save(folder / ANSWERS / name, found.samples[name])
    if saved and _fault(folder, search):  # one of them contradicts the definition: that one is told, and not kept
        for name in saved:
            (folder / ANSWERS / name).unlink()
        contradicting = []
        for name in saved:
            _save(folder / ANSWERS / name, found.samples[name])
            if _fault(folder, search):
                (folder / ANSWERS / name).unlink()
                contradicting.append(name)
        saved = [name for name in saved if name not in contradicting]
        return Left(tuple(saved), tuple(kept), lines, refused, tuple(contradicting))
    return Left(tuple(saved), tuple(kept), lines, refused)


def _save(path: Path, body: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, json.dumps(body, indent=2, ensure_ascii=False, default=str) + "\n")


def _fault(folder: Path, search: list[Path]) -> str:
    """Why the definition does not load, empty where it does."""
    try:
        load_folder(folder, bundled=False, search=search)
    except DefinitionError as error:
        return error.what
    return ""


def _edit(folder: Path, found: Probed, search: list[Path]) -> tuple[tuple[int, ...], str]:
    path = folder / DEFINITION
    before = path.read_text(encoding="utf-8")
    edits = Edits(before)
    for proved in found.proved():
        edits.confirm(_where(edits, proved))
        if proved[0] == "kinds" and proved[2:] in (("list", "items"), ("get", "request")):
            edits.lift(proved[:3])
    for findings in found.findings.values():
        for finding in findings:
            if finding.verdict == "wrong" and finding.change is not None:
                _correct(edits, finding)
    if not edits.changed:
        return (), ""
    write_file(path, edits.text)
    if fault := _fault(folder, search):
        write_file(path, before)
        return (), fault
    return tuple(sorted(edits.changed)), ""


def _correct(edits: Edits, finding: Finding) -> None:
    """A value instead of the drafted one; of a map, of its members."""
    path = _where(edits, finding.path)
    if path[-1] == "complete":  # its end is known, so that it is whole
        edits.confirm(path)
        edits.exchange(path, f"complete: {flow(False)}", f"pages: {flow(finding.change)}")
        return
    if path in (("base",), ("auth",)) and edits.value_of(path) is None:
        edits.insert(path[0], finding.change, "format")
        return
    if isinstance(finding.change, Mapping):
        for word, value in finding.change.items():
            old = edits.value_of((*path, word))
            if old is not None:
                edits.replace((*path, word), old, value)
        return
    old = edits.value_of(path)
    if old is not None:
        edits.replace(path, old, finding.change)


def _where(edits: Edits, path: tuple[str, ...]) -> tuple[str, ...]:
    """Where a word is written: what all kinds share stands at the top."""
    if path[0] == "kinds" and path[3:] == ("pages",) and edits.value_of(path) is None:
        return ("pages",)
    return path

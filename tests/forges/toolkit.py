"""Annotations written once more by GitHub's own toolkit, the way an action in JavaScript speaks to the runner.

    python -m tests.forges.toolkit FOLDER

Fetches `@actions/core` through npm into the folder. Each line of ``-o github`` is read by the rules of the runner, as
the unit tests read it, and what was read is handed to the toolkit, which must write the same bytes: so both agree on
what is escaped, and how, for ordinary documents and for those in which somebody else chose every text.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

from agent.report.formats import Settings, render
from tests.unit.report.test_formats import DOCUMENTS, annotations, hostile_documents

TOOLKIT = "@actions/core@3.0.1"
HOSTILE = "50%,a:b::error::\r\n##[error]x,%0A%25\u202e`|<b>"
_SPEAK = """
import { issueCommand } from './package/lib/command.js'
import { readFileSync } from 'node:fs'
for (const [name, properties, message] of JSON.parse(readFileSync(0))) issueCommand(name, properties, message)
"""


def main() -> int:
    folder = Path(sys.argv[1])
    fetch(folder)
    lines = 0
    for document in (*DOCUMENTS.values(), *hostile_documents(HOSTILE)):
        ours = render("github", document, Settings())
        theirs = spoken(folder, ours)
        assert theirs == ours, f"the toolkit writes\n{theirs}\nand we write\n{ours}"
        lines += len(ours.splitlines())
    assert lines > 30, lines
    print(f"{lines} annotations are as {TOOLKIT} writes them")
    return 0


def fetch(folder: Path) -> None:
    """The package, unpacked; its dependencies are for other modules than the one that writes commands."""
    subprocess.run(["npm", "pack", "--silent", TOOLKIT], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.glob("actions-core-*.tgz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (folder / "speak.mjs").write_text(_SPEAK, encoding="utf-8")


def spoken(folder: Path, lines: str) -> str:
    """What the toolkit writes for what these lines say."""
    told = [[level, place, message] for level, place, message in annotations(lines)]
    words = ["node", "speak.mjs"]
    done = subprocess.run(words, cwd=folder, input=json.dumps(told).encode(), capture_output=True, check=True)
    return done.stdout.decode()


if __name__ == "__main__":
    sys.exit(main())

"""What is generated from definitions and verbs, and committed: ``python -m tests.editor.generated`` writes it anew."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from agent.cli.schema_files import umbrella_text
from agent.definitions.files import UMBRELLA
from tests.editor.verb_pages import page
from tests.platforms.folders import folders, loaded

ROOT = Path(__file__).resolve().parents[2]
COMMAND = "python -m tests.editor.generated"


def generated() -> Iterator[tuple[Path, str]]:
    """Each file with the text that it should have."""
    for name, folder in folders():
        yield folder / UMBRELLA, umbrella_text(loaded(name))
    yield ROOT / "agent" / "docs" / "reference" / "verbs.md", page()


def main() -> int:
    for path, text in generated():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())

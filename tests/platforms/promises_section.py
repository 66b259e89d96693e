"""The part of each platform's README that is derived from its definition.

``python -m tests.platforms.promises_section [FOLDER …]`` writes it anew into the README of each folder of ``schemas/``,
or of those named, and adds it at the end of one that has none yet. ``test_platform_folders.py`` fails when one is out
of date.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from agent.definitions.platform import Platform
from agent.definitions.promises import promises_table
from tests.platforms.folders import folders, loaded

BEGIN = "<!-- promises: written by `python -m tests.platforms.promises_section` -->"
END = "<!-- end of promises -->"
_HEADING = "## What each kind promises"


def section(platform: Platform) -> str:
    """The derived part, with its marks."""
    return f"{BEGIN}\n\n{promises_table(platform)}\n{END}"


def written(readme: str) -> str | None:
    """The derived part as a README has it, None where it has none."""
    _, begin, rest = readme.partition(BEGIN)
    inside, end, _ = rest.partition(END)
    return begin + inside + end if begin and end else None


def renewed(readme: str, platform: Platform) -> str:
    """A README with its derived part brought up to date."""
    old = written(readme)
    if old is None:
        return f"{readme.rstrip()}\n\n{_HEADING}\n\n{section(platform)}\n"
    return readme.replace(old, section(platform))


def main(chosen: Sequence[str]) -> None:
    for name, folder in folders():
        if chosen and folder.name not in chosen:
            continue
        readme = folder / "README.md"
        readme.write_text(renewed(readme.read_text(encoding="utf-8"), loaded(name)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

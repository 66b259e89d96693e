"""What is derived from the definitions: a part of each platform's README, and `agent/docs/reference/promises.md`.

``python -m tests.platforms.promises_section [FOLDER …]`` writes the part anew into the README of each folder of
``schemas/``, or of those named, adds it at the end of one that has none yet, and writes the page.
``test_platform_folders.py`` fails when one is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from agent.definitions.platform import Platform
from agent.definitions.promise_words import USUAL, as_markdown
from agent.definitions.promises import promises_table
from tests.platforms.folders import folders, loaded

BEGIN = "<!-- promises: written by `python -m tests.platforms.promises_section` -->"
END = "<!-- end of promises -->"
PAGE = Path(__file__).parents[2] / "agent" / "docs" / "reference" / "promises.md"
_HEADING = "## What each kind promises"
_INTRODUCTION = """\
# What is promised, kind by kind

{begin}

What a kind can promise follows from the calls that its API has. Unless something else is said of it below, of each
managed kind holds:

{usual}

*N* objects of a kind cost so many calls to look at once; *pages* is one call for each page of the list. The times are
what the platform's limits allow when nothing else is looked at; what one credential has is shared by all of its kinds.
`datakeel explain promises PLATFORM` prints this for a platform, [yours](../how-to/your-own-platform.md) too.
"""


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


def page() -> str:
    """The page of all platforms."""
    parts = [_INTRODUCTION.format(begin=BEGIN, usual="".join(f"- {usual};\n" for usual in USUAL).rstrip(";\n") + ".")]
    for name, folder in folders():
        title = (folder / "README.md").read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        parts.append(f"## {title}\n\n`{name}`, described in `schemas/{folder.name}`.\n\n{as_markdown(loaded(name))}")
    return "\n".join(parts)


def main(chosen: Sequence[str]) -> None:
    for name, folder in folders():
        if chosen and folder.name not in chosen:
            continue
        readme = folder / "README.md"
        readme.write_text(renewed(readme.read_text(encoding="utf-8"), loaded(name)), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

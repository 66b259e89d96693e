"""What a page of the documentation shows between fences: files to write, commands to give, and what they print.

In an output, a line `…` stands for any lines, and `…` in a line for anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w./-]+\.(?:yaml|json))`")
_HERE = re.compile(r"<<'?(\w+)'?$")
ANYTHING = "…"


def steps(text: str) -> Iterator[tuple[str, str, str]]:
    """`("file", name, content)` and `("command", line, output)` in the order of the page."""
    names: list[str] = []
    end = 0
    for fence in _FENCE.finditer(text):
        between = text[end : fence.start()].strip()
        end = fence.end()
        if between:
            names = _FILE.findall(between.rpartition("\n\n")[2])
        language, content = fence[2], _dedented(fence[3], len(fence[1]))
        if language in ("yaml", "json") and names:
            yield "file", names.pop(0), content
        elif language in ("sh", "console"):
            yield from (("command", line, ANYTHING) for line in commands(content))
        elif not language:
            for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
                line, _, shown = part.partition("\n")
                yield "command", line, shown.rstrip("\n")


def blocks(text: str) -> list[list[str]]:
    """The commands of each fence that has some, in the order of the page."""
    found = []
    for fence in _FENCE.finditer(text):
        content = _dedented(fence[3], len(fence[1]))
        if fence[2] in ("sh", "console"):
            found.append(list(commands(content)))
        elif not fence[2] and re.search(r"^\$ ", content, re.MULTILINE):
            found.append([line for _, line, _ in steps(f"```\n{content}```\n")])
    return found


def commands(content: str) -> Iterator[str]:
    """Each command of a block, without its comment; one that goes on over several lines is one."""
    lines = iter(content.splitlines())
    for line in lines:
        command = re.sub(r"(?:^|\s+)#\s.*$", "", line)
        while command.endswith("\\"):
            command = f"{command[:-1].rstrip()} {next(lines).strip()}"
        if opened := _HERE.search(command):
            for rest in lines:
                command += f"\n{rest}"
                if rest == opened[1]:
                    break
        if command.strip():
            yield command.removeprefix("$ ")


def fits(printed: str, shown: str) -> bool:
    """Whether the page shows what was printed."""
    if not shown:
        return not printed
    lines = [
        r"(?:.*\n)*?" if line == ANYTHING else re.escape(line).replace("…", ".*") + r"\n" for line in shown.split("\n")
    ]
    return re.fullmatch("".join(lines), f"{printed}\n" if printed else "") is not None


def _dedented(content: str, indent: int) -> str:
    return "".join(line[indent:] if line.strip() else line for line in content.splitlines(keepends=True))

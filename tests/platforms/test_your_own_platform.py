"""The page `agent/docs/how-to/your-own-platform.md`, done as it says: every file, every command, every output.

The API is a real server that knows nothing of datakeel. In an output, a line `…` stands for any lines, and `…` in a
line for anything.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "agent" / "docs" / "how-to" / "your-own-platform.md"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w./-]+\.(?:yaml|json))`")
_PRINTED_PORT = "127.0.0.1:8099"
_SERVE = "python -m tests.platforms.bookshelf 8099"
_CURL = """
import getopt, sys, urllib.request
options, (url,) = getopt.gnu_getopt(sys.argv[1:], "sX:H:d:")
words = dict(options)
header = dict([words["-H"].split(": ")])
body = words["-d"].encode() if "-d" in words else None
request = urllib.request.Request(url, body, header, method=words.get("-X"))
sys.stdout.buffer.write(urllib.request.urlopen(request).read())
"""  # for a machine without it


class Shell:
    """One shell for the whole page, as a reader has it."""

    def __init__(self, folder: Path) -> None:
        programs = folder / "bin"
        programs.mkdir()
        command = programs / "datakeel"
        command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m agent "$@"\n', encoding="utf-8")
        command.chmod(0o755)
        if shutil.which("curl") is None:
            (programs / "curl").write_text(f"#!{sys.executable}\n{_CURL}", encoding="utf-8")
            (programs / "curl").chmod(0o755)
        people = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8", **people}
        self._process = subprocess.Popen(
            ["sh"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str) -> str:
        """What a command prints; it must end with 0."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\nended %s\\n' $?\n")
        self._process.stdin.flush()
        printed = ""
        while not (ended := re.search(r"\n?ended (\d+)\n\Z", printed)):
            line = self._process.stdout.readline()
            assert line, printed
            printed += line
        assert ended[1] == "0", f"$ {command}\n{printed}"
        return printed[: ended.start()].strip("\n")

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=10)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    one = Shell(tmp_path)
    yield one
    one.close()


@pytest.fixture
def address() -> Iterator[str]:
    """Where the bookshelf is, started by the page's own command but for its port."""
    assert _SERVE in PAGE.read_text(encoding="utf-8")
    command = [sys.executable, *_SERVE.replace("8099", "0").split()[1:]]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip().rpartition("http://")[2]
        server.terminate()


def fits(printed: str, shown: str) -> bool:
    """Whether the page shows what was printed."""
    if not shown:
        return not printed
    lines = [r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in shown.split("\n")]
    return re.fullmatch("".join(lines), f"{printed}\n" if printed else "") is not None


def steps(text: str) -> Iterator[tuple[str, str, str]]:
    """`("file", name, content)` and `("command", line, output)` in the order of the page."""
    names: list[str] = []
    end = 0
    for fence in _FENCE.finditer(text):
        between = text[end : fence.start()].strip()
        end = fence.end()
        if between:
            names = _FILE.findall(between.rpartition("\n\n")[2])
        language, content = fence[1], fence[2]
        if language in ("yaml", "json"):
            yield "file", names.pop(0), content
        elif language == "sh":
            for line in content.splitlines():
                yield "command", line, "…"
        else:
            for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
                line, _, shown = part.partition("\n")
                yield "command", line, shown.rstrip("\n")


def test_the_page_does_what_it_says(shell: Shell, address: str) -> None:
    text = PAGE.read_text(encoding="utf-8").replace(_PRINTED_PORT, address)
    done = []
    for what, first, second in steps(text):
        done.append(what)
        if what == "file":
            shell.run(f"cat > {first} <<'END'\n{second}END")
        elif first != _SERVE:
            printed = shell.run(first)
            assert fits(printed, second), f"$ {first}\n{printed}\n--- the page shows\n{second}"
    assert done.count("file") == 6
    assert done.count("command") > 12
    listed = json.loads(shell.run(f'curl -s -H "X-Api-Key: $BOOKSHELF_KEY" http://{address}/api/books'))
    assert [(book["slug"], book["copies"]) for book in listed["books"]] == [("dune", 2)]  # healed, and emma is gone
    assert "nothing is missing" in shell.run("datakeel explain promises bookshelf")

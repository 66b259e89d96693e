"""A person who reads a page and types what it says, into one shell from its first command to its last.

``datakeel`` is this checkout's: each command a fork of a process that has imported everything. What runs until it is
stopped (``sandbox``, ``run``) runs beside. In a pipe it is a program that the shell starts.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.sessions.session import ROOT, Processes

_CURL = """
import base64, getopt, sys, urllib.request
options, (url,) = getopt.gnu_getopt(sys.argv[1:], "sX:H:d:u:", ["data-binary="])
words = dict(options)
headers = dict(value.split(": ") for option, value in options if option == "-H")
if "-u" in words:
    headers["Authorization"] = "Basic " + base64.b64encode(words["-u"].encode()).decode()
body = sys.stdin.buffer.read() if "--data-binary" in words else words["-d"].encode() if "-d" in words else None
request = urllib.request.Request(url, body, headers, method=words.get("-X"))
sys.stdout.buffer.write(urllib.request.urlopen(request).read())
"""  # for a machine without it
_OPERATORS = re.compile(r"[|&;<>`\n]|\$\(")
_UNTIL_STOPPED = {"sandbox": "listening", "run": "pass.finished"}
_PATIENCE_SECONDS = 30.0


class Reader:
    """``environment`` is what the person has set before; ``close`` stops what runs beside."""

    def __init__(self, folder: Path, processes: Processes, environment: dict[str, str] | None = None) -> None:
        self._folder, self._processes = folder, processes
        self._beside: list[int] = []
        programs = folder / "bin"
        programs.mkdir()
        for name, words in (("datakeel", "-m agent "), ("python", "")):
            program = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" {words}"$@"\n'
            (programs / name).write_text(program, encoding="utf-8")
            (programs / name).chmod(0o755)
        if shutil.which("curl") is None:
            (programs / "curl").write_text(f"#!{sys.executable}\n{_CURL}", encoding="utf-8")
            (programs / "curl").chmod(0o755)
        people = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        machine = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8", "TZ": "UTC"}
        self._process = subprocess.Popen(
            ["sh"],
            cwd=folder,
            env={**machine, **people, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str, status: int = 0) -> str:
        """What a command prints, errors too; it must end with ``status``."""
        alone = command.removesuffix(" &")
        if alone.startswith("datakeel ") and not _OPERATORS.search(alone):
            printed, ended = self._forked(shlex.split(alone)[1:])
        else:
            printed, ended = self._typed(command)
        assert ended == status, f"$ {command}\n{printed}\nended with {ended}, not {status}"
        return printed

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for pid in self._beside:
            self._processes.ask("stop", pid=pid)
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=10)

    def _typed(self, command: str) -> tuple[str, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\nended %s\\n' $?\n")
        self._process.stdin.flush()
        printed = ""
        while not (ended := re.search(r"\n?ended (\d+)\n\Z", printed)):
            line = self._process.stdout.readline()
            assert line, printed
            printed += line
        return printed[: ended.start()].strip("\n"), int(ended[1])

    def _forked(self, words: list[str]) -> tuple[str, int]:
        here = Path(self._typed("pwd")[0])
        told = self._typed("env -0 | tr '\\0\\n' '\\n\\0'")[0].splitlines()
        environment = {name: value.replace("\0", "\n") for name, _, value in (line.partition("=") for line in told)}
        if words[0] in _UNTIL_STOPPED and "--once" not in words and "--print-config" not in words:
            return self._started(words, here, environment), 0
        ended = self._processes.run(words, here, environment, self._folder)
        return (ended["out"] + ended["err"]).decode().strip("\n"), ended["status"]

    def _started(self, words: list[str], here: Path, environment: dict[str, str]) -> str:
        out = self._folder / f"beside-{len(self._beside)}"
        streams = {"stdout": str(out), "stderr": f"{out}-err"}
        self._beside.append(
            self._processes.ask("start", words=words, folder=str(here), environment=environment, **streams)
        )
        until = time.monotonic() + _PATIENCE_SECONDS
        while _UNTIL_STOPPED[words[0]] not in (said := _said(out) + _said(Path(streams["stderr"]))):
            assert time.monotonic() < until, said
            time.sleep(0.02)
        return said


def _said(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""

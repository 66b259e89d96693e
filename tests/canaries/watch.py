"""Looks at what lives only for a moment: children of the agents, and temporary files.

Of an agent itself the words and the title count, its environment does not: whoever starts it puts secrets there. Of
what an agent starts everything counts.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType


class Watch:
    """A thread that looks every few milliseconds, from ``with`` to its end; :meth:`look` looks once more at once."""

    def __init__(self, temporary: Path) -> None:
        self._temporary = temporary
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._lock = threading.Lock()
        self.agents: set[int] = set()
        self.seen: dict[str, bytes] = {}
        self.children = 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def look(self) -> None:
        with self._lock:
            for agent in tuple(self.agents):
                words = _of(agent, "cmdline")
                self._keep(f"agent: words of {agent}", words)
                self._keep(f"agent: title of {agent}", _of(agent, "comm"))
                for process in _children(agent):
                    self._note_child(process, words)
            for file in list(self._temporary.rglob("*")):
                content = _read(file)
                if content:
                    self.seen[f"temporary: {file.name} {len(content)}"] = content

    def _note_child(self, process: int, before: bytes) -> None:
        """Until it has become what it is, a child has the memory of its parent: then there is nothing to see yet."""
        words, environment = _of(process, "cmdline"), _of(process, "environ")
        if words and words == _of(process, "cmdline") != before:
            first, _, rest = words.partition(b"\0")
            second = rest.partition(b"\0")[0]
            # A command of the stage is a script, and shows as its shell.
            program = second if first.endswith(b"sh") and second.startswith(b"/") else first
            name = program.rpartition(b"/")[2].decode(errors="replace")
            self.children += 1
            self._keep(f"child: {name} {process}, words", words)
            self._keep(f"child: {name} {process}, environment", environment)

    def _keep(self, name: str, content: bytes) -> None:
        if content:
            self.seen[name] = content

    def _run(self) -> None:
        while not self._stopped.wait(0.01):
            self.look()


def _children(process: int) -> Iterator[int]:
    """All that a process has started, and all that those have started."""
    tasks = Path(f"/proc/{process}/task")
    try:
        names = os.listdir(tasks)
    except OSError:  # it ended just now
        return
    for name in names:
        for word in _read(tasks / name / "children").split():
            yield int(word)
            yield from _children(int(word))


def _of(process: int, what: str) -> bytes:
    return _read(Path(f"/proc/{process}/{what}"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if not path.is_dir() else b""
    except OSError:
        return b""

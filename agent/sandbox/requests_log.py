"""The append-only record of requests: a bounded list in memory, and a file of JSON lines where one is asked for.

Written by the front door once a request is decided, before its answer leaves. Credentials are never recorded.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import overload


@dataclass(frozen=True, slots=True)
class Entry:
    number: int
    time: float
    method: str
    path: str
    """As sent, percent signs kept."""
    query: str
    status: int
    """0: the connection was lost before a status."""
    agent: str
    """User-Agent."""
    body: str
    commits: tuple[int, ...]
    """Numbers of the commits that the request made."""
    fault: str
    """Labels of the faults that were played on it."""


class RequestsLog(Sequence[Entry]):
    """Keeps the newest `keep` entries, or all for None. A file gets every one, in one write each, so that neither a
    kill nor a neighbour tears a line."""

    def __init__(self, path: Path | None = None, *, keep: int | None = 100_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._file: int | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)
        if self._file is not None:
            os.write(self._file, json.dumps(asdict(entry), ensure_ascii=True).encode() + b"\n")

    def clear(self) -> None:
        """Forget what is in memory; the file stays."""
        self._entries.clear()

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @overload
    def __getitem__(self, index: int) -> Entry: ...

    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...

    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        if isinstance(index, slice):
            return list(islice(self._entries, *index.indices(len(self._entries))))
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

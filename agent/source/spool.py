"""Contents that stay readable though their publisher has taken them away: a copy in memory, on disk when it is large.

Used by ``mount``. A pass reads manifests again long after they were listed, and what publishes a folder removes the old
one right after the swap. What was not asked to be kept goes when it is more than what was.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from pathlib import Path
from typing import IO

from agent.errors import SourceError

IN_MEMORY = 8 << 20
"""Bytes that are kept without a file."""
_WASTE_MAX = 1 << 18


class Spool:
    """Blob id -> bytes. ``folder`` is where a file is made once that is needed; it has no name, so it cannot stay."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0
        self._file: IO[bytes] | None = None

    def __contains__(self, blob: str) -> bool:
        return blob in self._places

    def put(self, blob: str, content: bytes) -> None:
        """Raises SourceError when there is no room."""
        if blob in self._places:
            return
        try:
            file = self._opened()
            file.seek(self._end)
            file.write(content)
        except OSError as error:
            what = "the published files cannot be copied to where they stay readable"
            fix = "give datakeel a folder to write to: XDG_CACHE_HOME, or /tmp"
            raise SourceError(what, code="source-failed", why=error.strerror, fix=fix) from None
        self._places[blob] = (self._end, len(content))
        self._end += len(content)

    def get(self, blob: str) -> bytes:
        """KeyError for what was never put, or let go."""
        at, size = self._places[blob]
        file = self._opened()
        file.seek(at)
        return file.read(size)

    def keep(self, blobs: Collection[str]) -> None:
        """Let go of all others, once that is worth a copy."""
        wanted = set(blobs)
        live = sum(size for blob, (_, size) in self._places.items() if blob in wanted)
        if self._end - live <= max(live, _WASTE_MAX):
            return
        kept = Spool(self._folder)
        for blob in self._places:
            if blob in wanted:
                kept.put(blob, self.get(blob))
        self.close()
        self._places, self._end, self._file = kept._places, kept._end, kept._file

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._places, self._end, self._file = {}, 0, None

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = io.BytesIO()
        if self._end > IN_MEMORY and isinstance(self._file, io.BytesIO):
            import tempfile  # it brings a good deal along, and most folders are small

            file = tempfile.TemporaryFile(dir=self._writable())  # noqa: SIM115 - see close
            file.write(self._file.getbuffer())
            self._file = file
        return self._file

    def _writable(self) -> str | None:
        """The folder, made if that is possible; None for the system's own."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            return None
        return str(self._folder)

"""Where seeds come from: the repository's own samples, and a corpus of manifests beside it where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"


def files(*patterns: str, most: int = 4096, count: int = 200) -> Iterator[bytes]:
    """Small files of the repository, in order."""
    found = sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())
    small = [path for path in found if path.stat().st_size <= most]
    yield from (path.read_bytes() for path in small[:: max(1, len(small) // count)])


def real_manifests(most: int = 4096) -> Iterator[bytes]:
    """Manifests as people wrote them, broken ones among them."""
    for path in sorted(CORPORA.rglob("*")) if CORPORA.is_dir() else ():
        if path.suffix in (".yaml", ".yml", ".json") and path.stat().st_size <= most:
            yield path.read_bytes()


def memory_folder() -> str | None:
    """A folder in memory where there is one, for targets that read files."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None

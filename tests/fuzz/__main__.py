"""The long run: ``python -m tests.fuzz [TARGET…] [--seconds N]``, guided by coverage where atheris is installed.

Each target has a child of its own, since a fault in C code ends the process. What breaks is shortened and kept in
``tests/fuzz/regressions/``, which the ordinary suite replays. Exit 1 when something broke.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.drive import REPORT
from tests.fuzz.target import REGRESSIONS
from tests.fuzz.targets import NAMES

ROOT = Path(__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(NAMES)}; all when none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument(
        "--corpus", type=Path, default=ROOT / ".fuzz", help="grown inputs are kept here (default .fuzz)"
    )
    parser.add_argument("--rss", type=int, default=768, help="MiB that a target may use (default 768)")
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(NAMES)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if importlib.util.find_spec("atheris") is None:
        print('atheris is not installed, so nothing guides the mutation: pip install -e ".[fuzz]" for that')
    broken = [name for name in arguments.targets or NAMES if not _fuzzed(name, arguments)]
    print(f"broken: {', '.join(broken)}" if broken else "nothing broke")
    return 1 if broken else 0


def _fuzzed(name: str, arguments: argparse.Namespace) -> bool:
    corpus = arguments.corpus / name
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="datakeel-fuzz-") as folder:
        words = [sys.executable, "-m", "tests.fuzz.drive", name, str(arguments.seconds), str(corpus), folder]
        words.append(str(arguments.rss))
        done = subprocess.run(words, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "0"}, check=False)
        # What ended the child itself: a fault in C code, too much memory, an input that never ends.
        fatal = list(Path(folder).glob("*-*"))
        for path in fatal:
            kept = REGRESSIONS / name / f"{path.name.partition('-')[0]}-{_digest(path.read_bytes())}"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(path.read_bytes())
            print(f"{name}: {path.name.partition('-')[0]}, kept as {kept.relative_to(ROOT)}")
        places = Path(folder) / REPORT
        print(f"{name}: {len(fatal) + (len(places.read_text().splitlines()) if places.exists() else 0)} faults")
        return done.returncode == 0 and not fatal and not places.exists()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


if __name__ == "__main__":
    sys.exit(main())

"""One target's child: runs it under atheris, or mutates by itself where that is not installed.

Started by ``python -m tests.fuzz``. A Python exception is shortened, kept and counted once for each place that it comes
from, and fuzzing goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import random
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from tests.fuzz.mutate import mutated, shrink, signature
from tests.fuzz.target import REGRESSIONS, Target
from tests.fuzz.targets import load

REPORT = "places.txt"


class Keeper:
    """Runs inputs; what breaks is kept once for each place. ``found`` are the signatures."""

    def __init__(self, target: Target, report: Path) -> None:
        self.target = target
        self.report = report
        self.found: list[str] = []
        for seed in target.beginnings():  # the first of them pay for what is loaded late, which is not to be blamed
            with contextlib.suppress(Exception):
                target.run(seed)

    def __call__(self, data: bytes) -> None:
        try:
            self.target.check(data)
        except Exception as error:
            self._keep(error, data)

    def _keep(self, error: Exception, data: bytes) -> None:
        place = signature(error)
        if place in self.found:
            return
        self.found.append(place)
        self.report.write_text("\n".join(self.found))  # libFuzzer ends the process itself, and by its own status
        short = shrink(self.target, data)
        path = REGRESSIONS / self.target.name / hashlib.sha256(short).hexdigest()[:12]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(short)
        print(f"{self.target.name}: {place}: {str(error)[:300]}\n  kept as {path}: {short[:200]!r}", flush=True)
        traceback.print_exception(error, limit=-4)


def main() -> int:
    name, seconds, corpus, artifacts, rss = sys.argv[1:]
    if importlib.util.find_spec("atheris") is None:
        return _unguided(Keeper(load(name), Path(artifacts) / REPORT), float(seconds))
    return _guided(name, seconds, Path(corpus), artifacts, rss)


def _unguided(keeper: Keeper, seconds: float) -> int:
    target = keeper.target
    seeds, chance, count = target.beginnings(), random.Random(time.time_ns()), 0
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        keeper(mutated(chance, chance.choice(seeds), seeds, target.words, target.size))
        count += 1
    print(f"{target.name}: {count} inputs")
    return 0


def _guided(name: str, seconds: str, corpus: Path, artifacts: str, rss: str) -> int:
    import atheris

    # Entered and not left: what the agent loads late is to be seen as well.
    instrumented: Any = atheris.instrument_imports(include=["agent"])
    instrumented.__enter__()
    keeper = Keeper(load(name), Path(artifacts) / REPORT)
    target = keeper.target
    for seed in target.beginnings():
        (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    dictionary = Path(artifacts) / "words.dict"
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words), encoding="ascii")
    options = [f"-max_total_time={seconds}", f"-artifact_prefix={artifacts}/", f"-rss_limit_mb={rss}"]
    options += [f"-max_len={target.size}", f"-dict={dictionary}", f"-timeout={int(target.seconds * 10) + 5}"]
    atheris.Setup([name, *options, "-verbosity=0", "-print_final_stats=1", str(corpus)], keeper)

    atheris.Fuzz()
    return 0


def _escaped(word: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main())

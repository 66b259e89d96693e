"""Name what got worse: ``python -m tests.benchmarks.compare OLD.json NEW.json``. Exit 1 when something did.

Ratios, memory and store size may grow by a tenth before they are named; calls may not grow at all.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.results import lines_of

_TOLERATED = 0.10


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.compare", description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    arguments = parser.parse_args()
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (arguments.old, arguments.new))
    found = regressions(old, new)
    print("\n".join(found) or "nothing got worse")
    return 1 if found else 0


def regressions(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """One sentence for each."""
    before = {(line.name, line.size): line for line in lines_of(old)}
    found = []
    for line in lines_of(new):
        known = before.get((line.name, line.size))
        if known is not None and line.value > known.value * (1 + _TOLERATED):
            size = f" at {line.size:,}" if line.size else ""
            grown = line.value / known.value - 1
            found.append(f"{line.name}{size}: {known.value:.3g} -> {line.value:.3g} {line.unit} (+{grown:.0%})")
    for size, stage in new["sizes"].items():
        for path, taken in stage["paths"].items():
            known_runs = old["sizes"].get(size, {}).get("paths", {}).get(path)
            if known_runs and taken and taken[-1]["calls"] > known_runs[-1]["calls"]:
                found.append(f"{path} at {int(size):,}: {known_runs[-1]['calls']} -> {taken[-1]['calls']} calls")
    return found


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.replicas [CASE …] [--short] [--keep]`: replicas over a real PostgreSQL, hurt in many ways.

Prints one line a case: what was written, and whether two ever wrote at once; what was lost; how long a takeover took.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests import postgresql
from tests.replicas.cases import CASES, why_not
from tests.replicas.judge import HEAD


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.replicas", description=__doc__.split("\n\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"some of {', '.join(CASES)} (default: all)")
    parser.add_argument("--short", action="store_true", help="one round of each")
    parser.add_argument("--keep", action="store_true", help="leave the logs of all agents")
    options = parser.parse_args()
    unknown = set(options.cases) - set(CASES)
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}")
    missing = postgresql.why_not()
    if missing:
        print(f"skipped: {missing}")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="datakeel-replicas-"))
    print(HEAD, flush=True)
    failed = False
    for number, case in enumerate(options.cases or CASES):
        reason = why_not(case)
        if reason:
            print(f"{case:22} skipped: {reason}", flush=True)
            continue
        began, place = time.monotonic(), folder / f"{number}-{case}"
        try:
            verdict = CASES[case](place, options.short)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failed = True
            print(f"{case:22} FAILED: {error}; logs in {place}", flush=True)
            continue
        failed |= not verdict.holds
        print(f"{verdict}{'' if verdict.holds else '  FAILED'}  [{time.monotonic() - began:.0f} s]", flush=True)
    if not failed and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

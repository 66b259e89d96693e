"""`python -m tests.pages [--counts N …] [--pictures FOLDER]`: every page, however looked at; 1 for any finding."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.pages import acts
from tests.pages.browser import LOOKS, fetch_axe, missing, opened
from tests.pages.checks import findings, paths_of
from tests.pages.scenes import served

COUNTS = (0, 1, 1000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pages", description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, metavar="N", help="resources in the store")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="keep pictures of the agent at work there")
    arguments = parser.parse_args()
    fetch_axe()
    lacks = missing()
    if lacks:
        print(lacks)
        return 1
    began, found, loads = time.monotonic(), [], 0
    with opened() as browser, tempfile.TemporaryDirectory(prefix="pages-") as name:
        for count in arguments.counts:
            folder = Path(name) / str(count)
            folder.mkdir()
            with served(folder, count) as address:
                for look in LOOKS:
                    seen = list(findings(browser, address, paths_of(count), look))
                    loads += 2 * len(paths_of(count))
                    found += seen
                    print(
                        f"{time.monotonic() - began:6.1f} s  {count} resources, {look.name}: {len(seen)} findings",
                        flush=True,
                    )
                    for each in seen:
                        print(f"  {each}", flush=True)
                if count > 10:
                    for act in (acts.search, acts.keyboard, acts.without_scripts):
                        act(browser, address)
                        print(f"{time.monotonic() - began:6.1f} s  {act.__name__}", flush=True)
        live = Path(name) / "live"
        live.mkdir()
        seen = acts.commit_goes_through(browser, live, pictures=arguments.pictures)
        found += seen
        print(f"{time.monotonic() - began:6.1f} s  a commit goes through on all platforms: {len(seen)} findings")
        for each in seen:
            print(f"  {each}")
    print(f"{loads} pages opened: {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

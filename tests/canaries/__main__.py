"""`python -m tests.canaries [ACT…]`: every canary through every act, or some acts; exit status 1 when one got loose."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.canaries import abroad, acts
from tests.canaries.loose import found_loose, not_arrived
from tests.canaries.stage import Stage

ACTS = (
    *(acts.walk, acts.look, acts.run_once, acts.rotate, acts.crash, acts.crash_of_the_loop),
    *(acts.run_with_webhooks, acts.run_with_sinks, acts.mistakes, abroad.git_over_http, abroad.five_platforms),
)


def main() -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="canaries-") as name, Stage(Path(name)) as stage:
        for act in ACTS:
            if not sys.argv[1:] or act.__name__ in sys.argv[1:]:
                act(stage)
                print(
                    f"{time.monotonic() - began:6.1f} s  {act.__name__}: {len(stage.statuses)} runs so far", flush=True
                )
        count, size, hits = found_loose(stage)
        for hit in hits:
            print(f"LOOSE  {hit.canary}  in {hit.sink}, {hit.encoding}, at {hit.offset}")
        missing = not_arrived(stage)
        for name in missing:
            print(f"NEVER SENT  {name}")
        print(
            f"{len(stage.canary)} canaries, {len(stage.statuses)} runs, {count} sinks, {size / 1e6:.1f} MB, "
            f"{stage.watch.children} looks at children: {len(hits)} hits"
        )
    return 1 if hits or missing else 0


if __name__ == "__main__":
    sys.exit(main())

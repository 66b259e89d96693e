"""The agent as a sidecar, for a while: ``python -m tests.image.sidecar --minutes 30``.

What `tests.system.soak` plays (two platforms, a share of calls that fail, commits, clicks, webhooks), with the agent in
the image's root: nothing but its volume and /tmp can be written to, uid 65532 without a capability, no git, a git-sync
that swaps a link for each commit. Tells memory, descriptors and threads over time, the health check, and how SIGTERM
ends it. Exit 1 when something grew or is not at rest in the end, 2 when this machine cannot play it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.image.__main__ import FOLDER
from tests.image.root import Missing, build
from tests.image.stage import Contained
from tests.system.soak import add_arguments, soak, summary


class Watched(Contained):
    """Asks for the agent's health before it is ended, as an engine does: from within."""

    def before_the_end(self) -> None:
        for probe in ("livez", "readyz"):
            health = self.containers[-1].run("datakeel", "status", "--probe", probe)
            print(f"{probe}: {health.returncode}, {'; '.join(health.stdout.splitlines())}")
            assert health.returncode == 0, health.stderr


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.image.sidecar", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the root is kept (default .image)")
    asked = parser.parse_args()
    try:
        root = build(asked.folder, "sidecar")
    except Missing as error:
        print(f"not played: {error}")
        return 2
    with tempfile.TemporaryDirectory(prefix="datakeel-sidecar-") as folder:
        Path(folder).chmod(0o755)
        stage = Watched(Path(folder) / "stage", root, with_git=False)
        words = {"minutes": asked.minutes, "faults": asked.faults, "seed": asked.seed}
        wrong, warm = soak(stage, **words, flows=asked.flows, projects=asked.projects)
    return summary(wrong, warm)


if __name__ == "__main__":
    sys.exit(main())

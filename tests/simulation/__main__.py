"""``python -m tests.simulation --seeds 20000 --jobs 2``: the full fault model; see ``tests.simulation.full``."""

from __future__ import annotations

import sys

from tests.simulation.full.__main__ import main

if __name__ == "__main__":
    sys.exit(main())

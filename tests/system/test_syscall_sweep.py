"""A sample of the sweep over system calls; ``python -m tests.system.syscall_sweep`` goes to every one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.injection import Fault, why_not
from tests.system.served_sandbox import ServedSandbox
from tests.system.syscall_sweep import Sweep

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "never")


def test_a_run_that_meets_a_fault_of_its_disk_is_mended_by_the_next(tmp_path: Path) -> None:
    with ServedSandbox() as sandbox:
        sweep = Sweep(tmp_path, sandbox)
        (scene,) = sweep.scenes(("change",))
        assert scene.calls["pwrite64"] > 40 and scene.calls["fdatasync"] > 8
        assert scene.names == {"flow-kept", "flow-edited", "flow-new", "flow-other"}
        assert len(list(sweep.faults(scene))) > 2 * sum(scene.calls.values())
        middle = scene.calls["fdatasync"] // 2
        for fault in (Fault("kill", "fdatasync", middle), Fault("ENOSPC", "pwrite64", 30, lasting=True)):
            sweep.play(scene, fault)
        assert sweep.tally.wrong == []
        assert sweep.tally.left.total() >= 1  # written down and not closed
        assert sweep.tally.points == {"kill": 1, "ENOSPC": 1}

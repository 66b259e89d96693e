from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
started = []
sys.addaudithook(lambda event, words: event == "subprocess.Popen" and started.append(words))
import platform
asked = platform.architecture
from agent import cron
assert cron.is_valid("0 3 * * *") and not cron.is_valid("0 99 * * *")
assert platform.architecture is asked
assert "croniter" in sys.modules
print(started)
"""


def test_a_cron_expression_is_read_without_starting_a_program() -> None:
    """The program would be given every variable of ours. Found by the canaries."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")

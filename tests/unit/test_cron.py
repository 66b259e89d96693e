from __future__ import annotations

import itertools
import subprocess
import sys

from croniter import croniter

from agent import cron

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


def test_the_verdict_on_a_plain_expression_is_that_of_croniter() -> None:
    """Every field with every number and step that may pass for plain, and with what lies just outside."""
    numbers = (*map(str, range(63)), "00", "05", "99", "")
    fields = ("*", *numbers, *(f"*/{number}" for number in numbers), "**", "?", "1-2")
    texts = [" ".join(field if at == place else "*" for at in range(5)) for place in range(5) for field in fields]
    ends = itertools.product(("*/7", "0", "59"), ("*", "23"), ("1", "31"), ("*/2", "12"), ("0", "6"))
    texts += map(" ".join, ends)
    assert {text for text in texts if cron.is_valid(text) != croniter.is_valid(text)} == set()

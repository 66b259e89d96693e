"""Every door through which Python or asyncio tells of a mistake by itself: told, and without a known secret.

Each in a process of its own, since the doors belong to the process.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

CANARY = "crash-canary-5b7e20"
HEAD = f"""
import asyncio, gc, logging, sys, threading
from agent.cli.crashes import Crash, guard_threads_and_tasks
from agent.cli.output import use_redactor
from agent.secrets import Redactor, Secret
redactor = Redactor()
redactor.add(Secret("{CANARY}"))
use_redactor(redactor)

def fails(value):
    local = value  # shown by tracebacks that show locals
    raise RuntimeError("it said " + value)
"""
DOORS = {
    "main": "sys.excepthook = Crash(False, verbose=True)\nfails('CANARY')",
    "a thread": """
async def main():
    guard_threads_and_tasks(asyncio.get_running_loop())
    thread = threading.Thread(target=fails, args=("CANARY",)); thread.start(); thread.join()
asyncio.run(main())""",
    "a task": """
async def task(): fails("CANARY")
async def main():
    guard_threads_and_tasks(asyncio.get_running_loop())
    lost = asyncio.ensure_future(task()); await asyncio.sleep(0.01); del lost; gc.collect()
asyncio.run(main())""",
    "a finalizer": """
class Bad:
    def __del__(self): fails("CANARY")
async def main():
    guard_threads_and_tasks(asyncio.get_running_loop())
    Bad()
asyncio.run(main())""",
    "a log that nobody set up": """
async def main():
    guard_threads_and_tasks(asyncio.get_running_loop())
    try: fails("CANARY")
    except RuntimeError: logging.getLogger("some.library").exception("it broke at %s", "CANARY")
asyncio.run(main())""",
    "a log as JSON": """
from agent.cli.logging import configure
writer = configure(form="json", verbose=True)
import structlog
try: fails("CANARY")
except RuntimeError:
    structlog.get_logger().exception("it.broke", at="CANARY", deep={"a": ["CANARY"]})
    logging.getLogger("some.library").exception("it broke at %s", "CANARY")
writer.close()""",
    "a log for people": """
from agent.cli.logging import configure
writer = configure(form="text", verbose=True)
import structlog
try: fails("CANARY")
except RuntimeError: structlog.get_logger().exception("it.broke", at="CANARY")
writer.close()""",
}


@pytest.mark.parametrize("door", DOORS)
def test_a_mistake_is_told_without_a_secret_and_without_the_values_of_variables(door: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    secret = f"{CANARY[:5]}' + '{CANARY[5:]}"  # a traceback quotes the line, which must not hold it by itself
    source = DOORS[door].replace('"CANARY"', "'CANARY'").replace("CANARY", secret)
    script.write_text(textwrap.dedent(HEAD) + source)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3]
    )
    said = done.stdout + done.stderr
    assert "it said ***" in said, said
    assert CANARY not in said

"""A file over which the process dies without a word, as a fault in C code has it: real deaths, the real store."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.reconcile.checking import QUARANTINED, Attempts

# One process that has imported everything, and a child of it for each life of an agent.
LIVES = """
import json, os, pathlib, signal, sys
from agent.clock import SystemClock
from agent.definitions.load import load_platform
from agent.reconcile import desired
from agent.reconcile.target import LastDesired
from agent.store.store import Store
from tests.simulation.source import MemorySource
from tests.unit.reconcile.test_desired import CONFIG, manifest

real, platform, lives = desired.check_file, load_platform("dataos/v1"), []

def check_file(source, *rest):
    if b"deadly" in source:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(source, *rest)

def live(files, out):
    source, store = MemorySource(), Store.open("sqlite:///" + sys.argv[1], clock=SystemClock())
    source.commit(files)
    found = desired.read_desired(source, source.fetch(), CONFIG, platform, store, LastDesired())
    codes = [f"{each.code} {each.where}" for each in found.errors]
    context = store.begun(desired.context_digest(platform, CONFIG.defaults, CONFIG.scopes))
    out.write_text(json.dumps([sorted(key.name for key in found.resources), codes, found.complete, context]))

desired.check_file = check_file
files = {f"{name}.yaml": manifest(name) for name in ("a", "b", "deadly", "z")}
for changed in (*[None] * 5, "cured"):
    out = pathlib.Path(sys.argv[1] + ".out")
    out.unlink(missing_ok=True)
    if changed:
        files["deadly.yaml"] = manifest("cured")
    child = os.fork()
    if child == 0:
        live(files, out)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    lives.append([os.waitstatus_to_exitcode(status), json.loads(out.read_text()) if out.exists() else None])
print(json.dumps(lives))
"""


@pytest.mark.row("L5")
def test_a_file_that_kills_three_times_is_left_alone_and_the_others_go_on(tmp_path: Path) -> None:
    words = [sys.executable, "-c", LIVES, str(tmp_path / "state.db")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    lives = json.loads(done.stdout)
    assert [status for status, _ in lives] == [-9, -9, -9, 0, 0, 0]
    told = [["a", "b", "z"], ["file-quarantined deadly.yaml:1:1"], False, {}]
    assert lives[3][1] == told
    assert lives[4][1] == told, "and it stays so"
    assert lives[5][1] == [["a", "b", "cured", "z"], [], True, {}], "until the file is another one"


class Journal:
    def __init__(self, **begun: int) -> None:
        self.times = dict(begun)
        self.written: list[str] = []

    def begun(self, context: str) -> dict[str, int]:
        return dict(self.times)

    def begin(self, context: str, what: str, times: int) -> None:
        self.written.append(f"{what} {times}".strip())

    def ended(self, context: str) -> None:
        self.written.append("ended")


def test_without_a_death_one_word_is_written_before_and_one_after() -> None:
    journal = Journal()
    attempts = Attempts(journal, "context", ["b", "a"])
    assert attempts.order == ["a", "b"] and not attempts.alone
    assert all(map(attempts.begin, attempts.order))
    attempts.ended()
    assert journal.written == ["1", "ended"]


def test_nothing_new_writes_nothing() -> None:
    journal = Journal()
    Attempts(journal, "context", []).ended()
    Attempts(None, "context", ["a"]).ended()
    assert journal.written == []


def test_after_a_death_the_suspects_come_last_and_each_is_written_down() -> None:
    journal = Journal(a=2, b=1)
    attempts = Attempts(journal, "context", ["a", "b", "c"])
    assert attempts.order == ["c", "b", "a"] and attempts.alone
    assert [attempts.begin(blob) for blob in attempts.order] == [True, True, False]
    assert journal.written == ["c 1", "b 2"]
    assert QUARANTINED.problems[0].severity == "error"

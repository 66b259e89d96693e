"""A file over which the process dies without a word, as a fault in C code has it: real deaths, the real store."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from agent.reconcile.checking import QUARANTINED, Attempts

# One process that has imported everything, and a child of it for each life of an agent.
LIVES = """
import json, os, pathlib, signal, sys
from agent.clock import SystemClock
from agent.definitions.load import load_platform
from agent.reconcile import desired
from agent.reconcile.last import LastDesired
from agent.store.store import Store
from tests.simulation.source import MemorySource
from tests.unit.reconcile.test_desired import CONFIG, manifest

real, platform, lives, passes = desired.check_file, load_platform("dataos/v1"), [], []
spared = int(sys.argv[2])  # the life that nothing kills

def check_file(source, *rest):
    if b"deadly" in source and len(lives) != spared:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(source, *rest)

def live(files, out):
    source, store = MemorySource(), Store.open("sqlite:///" + sys.argv[1], clock=SystemClock())
    source.commit(files)
    last = LastDesired()
    passes.append(desired.read_desired(source, source.fetch(), CONFIG, platform, store, last))
    out.write_text(told(store, passes[-1]))
    passes.append(desired.read_desired(source, source.fetch(), CONFIG, platform, store, last))
    out.write_text(told(store, passes[-1]))

def told(store, found):
    codes = [f"{each.code} {each.where}" for each in found.errors]
    context = store.begun(desired.context_digest(platform, CONFIG.defaults, CONFIG.scopes))
    return json.dumps([sorted(key.name for key in found.resources), codes, found.complete, list(context.values())])

desired.check_file = check_file
files = {f"{name}.yaml": manifest(name) for name in ("a", "b", "deadly", "z")}
for changed in (*[None] * 7, "cured"):
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


def lives_of(folder: Path, *, spared: int) -> list[Any]:
    words = [sys.executable, "-c", LIVES, str(folder / "state.db"), str(spared)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.row("L5")
def test_a_file_that_kills_three_times_is_left_alone_and_the_others_go_on(tmp_path: Path) -> None:
    lives = lives_of(tmp_path, spared=-1)
    assert [status for status, _ in lives[:3]] == [-9, -9, -9]
    assert [told for _, told in lives[:3]] == [None, None, None], "no pass came to its end"
    alone = [["a", "b", "z"], ["file-quarantined deadly.yaml:1:1"], False]
    assert [status for status, _ in lives[3:5]] == [-9, -9], "tried twice more, after a pass without it"
    assert [told[:3] for _, told in lives[3:7]] == [alone] * 4
    assert [status for status, _ in lives[5:]] == [0, 0, 0], "and then no more"
    assert lives[7][1][:3] == [["a", "b", "cured", "z"], [], True], "until the file is another one"


@pytest.mark.row("L5")
def test_an_innocent_file_is_back_after_one_pass(tmp_path: Path) -> None:
    lives = lives_of(tmp_path, spared=3)
    assert [status for status, _ in lives[:4]] == [-9, -9, -9, 0]
    assert lives[3][1] == [["a", "b", "deadly", "z"], [], True, []], "and nothing is held against it"


class Journal:
    def __init__(self, **begun: int) -> None:
        self.times = begun
        self.written: list[str] = []

    def begun(self, context: str) -> dict[str, int]:
        return dict(self.times)

    def begin(self, context: str, what: str, times: int) -> None:
        self.written.append(f"{what} {times}".strip())

    def ended(self, context: str, but: Collection[str]) -> None:
        self.written.append(" ".join(["ended", *(["but", *sorted(but)] if but else [])]))


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
    journal = Journal(**{"": 1, "a": 2, "b": 1})
    attempts = Attempts(journal, "context", ["a", "b", "c"])
    assert attempts.order == ["c", "b", "a"] and attempts.alone
    assert [attempts.begin(blob) for blob in attempts.order] == [True, True, False]
    assert attempts.ended() == {"a"}
    assert journal.written == ["c 1", "b 2", "ended but a"]
    assert QUARANTINED.problems[0].severity == "error"

"""``status --watch``: a picture that is drawn over itself, on a real terminal."""

from __future__ import annotations

import io
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.cli import main
from agent.cli.watching import frame, watch
from agent.store.store import Store
from tests.system.stage import environment
from tests.unit.store.builders import HandClock, report, url_of


def test_a_frame_overwrites_line_by_line_and_erases_what_was_longer() -> None:
    assert frame("one\ntwo\n", 24) == "\x1b[?2026h\x1b[Hone\x1b[K\r\ntwo\x1b[K\r\n\x1b[J\x1b[?2026l"


def test_what_does_not_fit_is_counted() -> None:
    drawn = frame("".join(f"row {number}\n" for number in range(10)), 5)
    assert "row 2" in drawn and "row 3" not in drawn
    assert "… 7 more lines" in drawn
    assert drawn.count("\r\n") == 4


def test_ctrl_c_gives_the_terminal_back_and_leaves_the_last_picture() -> None:
    screen, pictures = io.StringIO(), iter(["first\n", "second\n"])

    def sleep(seconds: float) -> None:
        if "second" in screen.getvalue():
            raise KeyboardInterrupt

    watch(lambda: next(pictures), screen, sleep=sleep, lines=lambda: 24)
    assert screen.getvalue().endswith("\x1b[?7h\x1b[?25h\x1b[?1049lsecond\n")


def test_it_needs_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "datakeel.yaml"
    config.write_text("apiVersion: datakeel/v1\n")
    assert main.main(["status", "--watch", "--config", str(config)]) == 64
    assert "--watch needs a terminal" in capsys.readouterr().err
    assert main.main(["status", "--watch", "-o", "json", "--config", str(config)]) == 64
    assert "leave out -o" in capsys.readouterr().err


def test_on_a_terminal_it_follows_the_store_and_ends_with_0(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    (tmp_path / "datakeel.yaml").write_text(f"apiVersion: datakeel/v1\nstate: {url_of(state)}\n")
    store = Store.open(url_of(state), clock=HandClock())
    status = {"target": "analytics", "in_sync": 1, "total": 2, "short": "4f2c1ab", "conditions": []}
    store.finish(report("p-1"), {}, status)

    here, there = pty.openpty()
    words = ["status", "--watch", "--config", str(tmp_path / "datakeel.yaml")]
    with subprocess.Popen(
        [sys.executable, "-m", "agent", *words], stdin=there, stdout=there, stderr=there, env=environment()
    ) as child:
        os.close(there)
        screen = _read_until(here, b"1/2")
        store.finish(report("p-2"), {}, status | {"in_sync": 2})
        screen += _read_until(here, b"2/2")
        child.send_signal(signal.SIGINT)
        screen += _read_until(here, b"\x1b[?1049l")
        assert child.wait(timeout=20) == 0
    os.close(here)
    store.close()
    assert screen.startswith(b"\x1b[?1049h")
    assert b"1 of 1 target in sync" in screen


def _read_until(terminal: int, wanted: bytes, seconds: float = 30.0) -> bytes:
    read, deadline = b"", time.monotonic() + seconds
    while wanted not in read:
        assert time.monotonic() < deadline, read
        read += os.read(terminal, 65536)
    return read

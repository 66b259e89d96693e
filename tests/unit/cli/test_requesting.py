"""``datakeel sync`` from the person's side: what is asked, how long is waited, and what is said in the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cli import main
from agent.cli.options import Options
from agent.cli.requesting import TAKEN_UP_SECONDS, Waiting, request
from agent.clock import SystemClock
from agent.config.load import load_config
from agent.config.model import Config
from agent.errors import AgentError
from agent.report.sync_text import answer_line, silent_line
from agent.store.store import Store

ANSWER = {
    "status": 0,
    "revision": "4f2c1ab" + "0" * 33,
    "short": "4f2c1ab",
    "applied": 8,
    "held": 2,
    "failed": 0,
    "unknown": 0,
    "invalid": 0,
    "pass_id": "p",
    "error": "",
}
CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
targets:
  analytics: {platform: acme-no-such, server: "https://acme.example"}
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    text = CONFIG.replace("acme-no-such", "dataos")
    (tmp_path / "datakeel.yaml").write_text(text + text.splitlines()[-1].replace("analytics", "sales") + "\n")
    (tmp_path / ".datakeel").mkdir()
    return load_config(None, {}, tmp_path)


class Beside:
    """An agent beside, as far as the store shows it; ``steps`` are what it does at each wait of the person."""

    def __init__(self, config: Config, *steps: Callable[[Store], None]) -> None:
        self.time = 0.0
        self.steps = list(steps)
        self.config = config

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        if self.steps:
            store = Store.open(self.config.state, clock=SystemClock())
            self.steps.pop(0)(store)
            store.close()

    def asked(self, waiting: Waiting, *targets: str) -> list[dict[str, object] | None]:
        found = request(self.config, Options(targets=targets), waiting, lambda: self.time, self.sleep)
        return [dict(one.answer) if one.answer is not None else None for one in found]


def see(store: Store) -> None:
    store.mark_seen([one.number for one in store.asked()])


def test_without_wait_it_ends_when_an_agent_has_taken_it_up(config: Config) -> None:
    beside = Beside(config, see)
    assert beside.asked(Waiting()) == [None, None]
    assert beside.time < 1.0


def test_without_an_agent_it_says_so_after_a_while_and_leaves_nothing_to_do(config: Config) -> None:
    beside = Beside(config)
    with pytest.raises(AgentError, match="analytics, sales") as refused:
        beside.asked(Waiting(None, 600.0))
    assert refused.value.error_code == "no-agent"
    assert TAKEN_UP_SECONDS <= beside.time < TAKEN_UP_SECONDS + 1
    store = Store.open(config.state, clock=SystemClock())
    assert store.asked() == ()
    store.close()


def test_it_waits_for_every_target_and_no_longer_than_it_was_told(config: Config) -> None:
    def answer_one(store: Store) -> None:
        store.answer(store.asked()[0].number, ANSWER)

    both = Beside(config, see, answer_one, answer_one)
    assert both.asked(Waiting("4f2c1ab", 60.0)) == [ANSWER, ANSWER]
    assert both.time < 2
    one = Beside(config, see, answer_one)
    assert one.asked(Waiting("4f2c1ab", 60.0)) == [ANSWER, None]
    assert 60 <= one.time < 61
    assert Beside(config, see, answer_one).asked(Waiting(None, 60.0), "sales") == [ANSWER]


def test_what_is_said_of_a_target() -> None:
    assert answer_line("analytics", ANSWER, 41.2) == "analytics  4f2c1ab applied after 41 s: 8 applied, 2 held\n"
    failed = ANSWER | {"failed": 1, "invalid": 2, "held": 0}
    assert answer_line("analytics", failed, 3.0) == (
        "analytics  4f2c1ab failed after 3 s: 8 applied, 1 failed, 2 mistakes in manifests · datakeel history p tells "
        "more\n"
    )
    assert silent_line("sales", "4f2c1ab99", 600.0) == (
        "sales  no answer: 4f2c1ab neither applied nor failed within 10 min\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--commit", "HEAD"], "seven hex digits or more"),
        (["--wait", "--timeout", "soon"], "write 90s, 10m or 2h"),
        (["--timeout", "5m"], "add --wait"),
    ],
)
def test_words_that_make_no_sense(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["sync", *words]) == 64
    assert told in capsys.readouterr().err


def test_as_json(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    status = main.main(
        ["sync", "--wait", "--timeout", "1s", "-o", "json", "--config", str(config.path), "--target", "sales"]
    )
    assert status == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "no-agent"

"""The lean reading of ``state`` agrees with the full one, and spellings of a path mean what people expect."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.config import find_state, load_config
from agent.config.state import state_url

REST = "apiVersion: datakeel/v1\nsource: {path: .}\ntargets: {a: {platform: dataos}}\n"


@pytest.mark.parametrize(
    "text",
    [
        REST,
        REST + "state: data/state.db\n",
        REST + "state: sqlite:///var/lib/datakeel/state.db # where the volume is\n",
        REST + "state: 'my state.db'\n",
        REST + 'state: "x.db"\n',
        REST + 'state: "x\\x2edb"\n',
        REST + "'state': x.db\n",
        REST + "state: &a x.db\n",
        REST + "state:\n  x.db\n",
        REST + "state: {url: postgresql://keel@db/keel, password: {env: STATE_PASSWORD}}\n",
        REST + "state:\n  url: x.db\n",
        REST + "state: >-\n  x.db\n",
        REST + "state: postgresql://keel@db:5432/keel?sslmode=require\n",
        "---\n# a comment\nstate: x.db\r\n" + REST,
        "{apiVersion: datakeel/v1, source: {path: .}, targets: {a: {platform: dataos}}, state: x.db}\n",
        REST.replace("{platform: dataos}", "{platform: dataos, settings: {state: nested}}"),
        REST.replace("{a: {platform: dataos}}", "\n  a:\n    platform: dataos\n    settings:\n      state: nested"),
    ],
)
def test_both_readings_agree(tmp_path: Path, text: str) -> None:
    (tmp_path / "datakeel.yaml").write_bytes(text.encode())
    whole = load_config(None, {}, tmp_path).state
    assert find_state(None, {}, tmp_path) == whole


@pytest.mark.parametrize(
    ("written", "url"),
    [
        (None, "sqlite:////repo/.datakeel/state.db"),
        ("x.db", "sqlite:////repo/x.db"),
        ("../x.db", "sqlite:////x.db"),
        ("/var/x.db", "sqlite:////var/x.db"),
        ("sqlite:x.db", "sqlite:////repo/x.db"),
        ("sqlite:///var/x.db", "sqlite:////var/x.db"),
        ("sqlite:////var/x.db", "sqlite:////var/x.db"),
        ("postgresql://db/keel", "postgresql://db/keel"),
    ],
)
def test_a_path_is_relative_to_the_file_and_slashes_make_it_absolute(written: str | None, url: str) -> None:
    assert state_url(written, Path("/repo")) == url


def test_the_variable_wins(tmp_path: Path) -> None:
    (tmp_path / "datakeel.yaml").write_text(REST + "state: x.db\n")
    assert find_state(None, {"DATAKEEL_STATE": "y.db"}, tmp_path) == f"sqlite:///{tmp_path}/y.db"


def test_finding_the_state_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "datakeel.yaml").write_text(REST + "state: x.db\n")
    code = (
        "import sys, pathlib; from agent.config import find_state; find_state(None, {}, pathlib.Path.cwd());"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'yaml', 'jsonschema', 'orjson', 'jmespath'}))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"

"""Every Python example of agent/docs/how-to/python.md runs, in the order of the page, against the emulator."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import agent
from agent.client import errors
from tests.platforms.sandbox_process import ROOT, sandbox_process

PAGE = ROOT / "agent" / "docs" / "how-to" / "python.md"
TEXT = PAGE.read_text(encoding="utf-8")
TOKEN = "canary-token-11be"
FLOW: dict[str, Any] = {
    "version": "v1",
    "type": "workflow",
    "workflow": {
        "schedule": {"cron": "0 2 * * *"},
        "dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}],
    },
}
WEEKLY = "name: weekly\nversion: v1\ntype: workflow\nworkflow: {dag: [{name: a, spec: {stack: 'flare:7.0'}}]}\n"
CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
targets:
  analytics:
    platform: dataos
    server: ADDRESS
    credentials: {token: {env: DATAOS_TOKEN}}
    defaults: {workspace: analytics}
"""


def test_the_examples_run_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weekly.yaml").write_text(WEEKLY)
    blocks = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 8
    names: dict[str, Any] = {}
    with sandbox_process("dataos", limits=False, ready_after=0.0, token=TOKEN) as sandbox:
        monkeypatch.setenv("DATAOS_SERVER", sandbox.address)
        monkeypatch.setenv("DATAOS_TOKEN", TOKEN)
        (tmp_path / "datakeel.yaml").write_text(CONFIG.replace("ADDRESS", sandbox.address))
        sandbox.person_creates(name="daily-etl", workspace="analytics", **FLOW)
        for number, block in enumerate(blocks):
            exec(compile(block, f"python.md, example {number + 1}", "exec"), names)
        assert names["client"].workflows.get("daily-etl").spec["workflow"]["schedule"] == {"cron": "0 3 * * *"}
        names["client"].close()
    said = capsys.readouterr().out
    assert "daily-etl: active" in said and "Workflow/analytics/daily-etl" in said and "['active']" in said
    assert "Not found: Workflow/analytics/missing: Workflow 'missing' not found (404 RESOURCE_NOT_FOUND)" in said
    assert TOKEN not in said


def test_the_page_tells_every_error_and_every_argument() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| `([a-z-]+)` \|$", TEXT, re.MULTILINE))
    kinds = {name: getattr(errors, name) for name in errors.__all__}
    typed = {
        name: kind.code for name, kind in kinds.items() if issubclass(kind, errors.ApiError) and name != "ApiError"
    }
    assert rows == typed
    assert all(f"`{name}`" in TEXT for name in kinds)
    arguments = set(agent.connect.__annotations__) - {"platform", "return", "words"}
    assert sorted(name for name in arguments if f"``{name}``" not in agent.connect.__doc__) == [
        "config",
        "server",
        "target",
    ]
    assert all(f"{name}=" in TEXT for name in ("config", "server", "target", "secrets", "state", "budget", "reserve"))

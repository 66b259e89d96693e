"""The check that verbs which only look send only reads: it sees what a sandbox was asked, and it can fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from agent import __version__
from agent.sandbox import create_app
from agent.sandbox.command_log import VARIABLE
from tests.reading_verbs import judge
from tests.unit.sandbox.support import WORKFLOW, SandboxTransport

# What a run of the tests would do that lets a diff write.
WRITING = f"""
import httpx
from agent.sandbox import create_app
from tests.unit.sandbox.support import WORKFLOW, SandboxTransport
async def test_a_diff_that_writes():
    headers = {{"Authorization": "Bearer t", "User-Agent": "datakeel/{__version__} (VERB)"}}
    async with httpx.AsyncClient(transport=SandboxTransport(create_app(token="t")), base_url="http://x") as client:
        assert (await client.post("/v1/resources", json=WORKFLOW, headers=headers)).status_code == 201
"""


def written(folder: Path, **entry: object) -> Path:
    line = {"verb": "diff", "platform": "dataos", "method": "GET", "path": "/v1/resources", "status": 200, "commits": 0}
    (folder / "1.jsonl").write_text(json.dumps(line | entry) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"method": "HEAD"},
        {"platform": "datalinx", "method": "POST", "path": "/api/auth/login"},
        {"platform": "datalinx", "method": "POST", "path": "/datalinx/api/auth/login"},
    ],
)
def test_reads_and_declared_logins_are_reads(tmp_path: Path, entry: dict[str, object]) -> None:
    seen = judge(written(tmp_path, **entry))
    assert (seen.requests["diff"], seen.wrong) == (1, [])


@pytest.mark.parametrize(
    "entry",
    [
        {"method": "POST"},
        {"method": "PUT"},
        {"method": "DELETE"},
        {"commits": 1},
        {"verb": "get", "method": "PATCH"},
        {"platform": "datalinx", "method": "POST", "path": "/api/auth/logout"},
        {"platform": "dataos", "method": "POST", "path": "/api/auth/login"},
    ],
)
def test_anything_else_is_told(tmp_path: Path, entry: dict[str, object]) -> None:
    assert len(judge(written(tmp_path, **entry)).wrong) == 1


def test_what_writes_by_its_nature_is_not_judged(tmp_path: Path) -> None:
    seen = judge(written(tmp_path, verb="apply", method="POST", commits=1))
    assert (seen.requests.total(), seen.wrong) == (0, [])


async def test_a_sandbox_tells_what_a_named_command_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    app = create_app(token="t", platform=["dataos", "datalinx"])
    async with httpx.AsyncClient(transport=SandboxTransport(app), base_url="http://x") as client:
        for number, agent in enumerate(("datakeel/1.2.3 (diff)", "datakeel/1.2.3", "a person (diff)")):
            headers = {"Authorization": "Bearer t", "User-Agent": agent}
            await client.post("/dataos/v1/resources", json=WORKFLOW | {"name": f"etl-{number}"}, headers=headers)
    assert judge(tmp_path).wrong == ["diff: POST /dataos/v1/resources of dataos, 1 changes"]


@pytest.mark.parametrize(("verb", "status"), [("diff", 1), ("apply", 0)])
def test_a_run_in_which_a_diff_writes_fails(tmp_path: Path, verb: str, status: int) -> None:
    (tmp_path / "test_writing.py").write_text(WRITING.replace("VERB", verb), encoding="utf-8")
    words = ["-p", "tests.reading_verbs", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), "-c", os.devnull, *words],
        env={name: value for name, value in os.environ.items() if name != VARIABLE and not name.startswith("PYTEST_")},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert ("diff: POST /v1/resources of dataos, 1 changes" in done.stdout) == bool(status)

"""`logs`, `metrics`, `query` and `act` as a person types them, against all emulators in a process of their own."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platforms.sandbox_process import ROOT, TOKEN, SandboxProcess, sandbox_process
from tests.platforms.test_dataloop_page import AGENT
from tests.sessions.session import Processes

pytestmark = pytest.mark.slow

CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
targets:
  os:
    platform: dataos
    server: ADDRESS/dataos
    credentials: {token: {env: TOKEN}}
    defaults: {workspace: analytics}
  studio:
    platform: datachain-studio
    server: ADDRESS/datachain-studio
    credentials: {token: {env: TOKEN}}
    settings: {team: shop}
  loop:
    platform: dataloop
    server: ADDRESS/dataloop
    credentials: {apiKey: {env: TOKEN}}
    settings: {org: acme}
    defaults: {account: default}
  lab:
    platform: dataops-live
    server: ADDRESS/dataops-live
    credentials: {token: {env: TOKEN}, triggerToken: {env: TRIGGER}}
    defaults: {namespace: shop}
  linx:
    platform: datalinx
    server: ADDRESS/datalinx
    credentials: {apiKey: {env: TOKEN}}
    defaults: {workspace: production}
    confirmed: [Pipeline.run]
"""
PLATFORMS = ["dataos", "datachain-studio", "dataloop", "dataops-live", "datalinx"]


class Desk:
    """A folder with a configuration, and a shell in it."""

    def __init__(self, folder: Path, sandbox: SandboxProcess, processes: Processes) -> None:
        self.folder, self.sandbox, self.processes = folder, sandbox, processes
        self.environ = {**os.environ, "TOKEN": TOKEN, "TRIGGER": "a-trigger", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        self.streams = folder.with_name(f"{folder.name}-streams")
        self.streams.mkdir()
        folder.mkdir(exist_ok=True)
        (folder / "datakeel.yaml").write_text(CONFIG.replace("ADDRESS", sandbox.address))
        git = ("git", "-C", str(folder), "-c", "user.name=A Person", "-c", "user.email=person@example.com")
        for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "first")):
            subprocess.run([*git, *words], check=True)

    def datakeel(self, *words: str, code: int = 0) -> str:
        done = self.processes.run(words, self.folder, self.environ, self.streams)
        told = (done["out"] + done["err"]).decode()
        assert done["status"] == code, (words, told)
        return told

    def on_a_terminal(self, *words: str) -> str:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "agent", *words]
        process = subprocess.Popen(command, cwd=self.folder, env=self.environ, stdout=theirs, stderr=theirs)
        os.close(theirs)
        told = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end of a terminal that is closed
                break
            if not piece:
                break
            told += piece
        os.close(ours)
        assert process.wait(60) == 0, told
        return told.decode()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, processes: Processes) -> Iterator[Desk]:
    with sandbox_process(PLATFORMS, limits=False, ready_after=1.0) as sandbox:
        section = {"dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}]}
        workflow = {"name": "daily-etl", "version": "v1", "type": "workflow", "workflow": section}
        sandbox.person_creates("dataos", **workflow, workspace="analytics")
        job = {"kind": "job", "workspace": "shop", "query": "print(1)", "query_type": "PYTHON", "query_name": "once.py"}
        sandbox.person_creates("datachain-studio", **job)
        file = {"name": "s3://b/x/a.jpg", "size": 3, "last_modified": "2024-01-01T12:00:00Z"}
        sandbox.person_creates("datachain-studio", kind="file", workspace="shop", **file)
        sandbox.person_creates("dataloop", kind="agent", **AGENT)
        sandbox.person_creates("dataloop", kind="annotation", stream="releases", name="v1")
        sandbox.person_creates("dataops-live", type="group", name="shop", path="shop")
        sandbox.person_creates("dataops-live", name="orders", workspace="shop")
        trigger = {"type": "trigger", "description": "ci", "token": "a-trigger"}
        sandbox.person_creates("dataops-live", **trigger, workspace="shop/orders")
        sandbox.person_creates("datalinx", type="workspace", name="production")
        sandbox.person_creates("datalinx", type="pipeline", name="nightly", workspace="production")
        yield Desk(tmp_path_factory.mktemp("desk"), sandbox, processes)


def test_a_polled_log(desk: Desk) -> None:
    asked = ("logs", "Workflow/daily-etl", "--target", "os")
    assert "Workflow started" in desk.datakeel(*asked, "--since", "1h", "--tail", "5")
    line = json.loads(desk.datakeel(*asked, "--tail", "1", "-o", "jsonl").splitlines()[0])
    assert set(line) == {"time", "level", "source", "text"}
    sent = [each["query"] for each in desk.sandbox.requests() if each["path"].endswith("/logs")]
    assert "since=1h" in sent[0] and "tail=5" in sent[0]
    before = len(desk.sandbox.requests())
    assert "--since soon: not a duration" in desk.datakeel(*asked, "--since", "soon", code=64)
    assert len(desk.sandbox.requests()) == before


def test_a_log_over_a_websocket(desk: Desk) -> None:
    asked = ("logs", "Job/once.py", "--target", "studio")
    followed = desk.datakeel(*asked, "--follow")
    assert followed.index("Starting data processing job") < followed.index("Job is complete")
    assert re.findall(r"STATUS +(\w+)", followed)[-1] == "COMPLETE" and "the platform ended the log" in followed
    last = desk.datakeel(*asked, "--tail", "2").splitlines()
    assert len(last) == 2 and last[-1].endswith("Job is complete")
    both = desk.datakeel(*asked, "--follow", "--tail", "2")
    assert "Starting data processing job" not in both and "COMPLETE" in both
    assert "cannot be asked for from a moment on" in desk.datakeel(*asked, "--since", "1h", code=64)


def test_a_series_as_rows_and_as_a_plot(desk: Desk) -> None:
    asked = ("metrics", "Agent/dataloop", "base.cpu", "--target", "loop", "--period", "10m", "--resolution", "60")
    rows = desk.datakeel(*asked).splitlines()
    assert rows[0].split() == ["TIME", "VALUE", "UNIT", "SERIES"] and len(rows) == 11
    document = json.loads(desk.datakeel(*asked, "-o", "json"))
    assert len(document["series"][0]["points"]) == 10
    plot = desk.on_a_terminal(*asked)
    assert re.search(r"[▁▂▃▄▅▆▇█]{10}  min \d+%  max \d+%", plot)
    assert re.search(r"[▁▂▃▄▅▆▇█]{60}", desk.on_a_terminal("metrics", "Tag/all", "base.cpu", "--target", "loop"))
    sent = [each["query"] for each in desk.sandbox.requests() if each["path"].endswith("/series")]
    assert "resolution=60" in sent[0] and "duration%5D=600" in sent[0]


def test_a_query(desk: Desk) -> None:
    told = desk.datakeel("query", "ls", "--arg", "source=s3://b/x", "--target", "studio")
    assert "name: a.jpg" in told and 'last_modified: "2024-01-01T12:00:00+00:00"' in told
    wrong = desk.datakeel("query", "ls", "--arg", "source=s3://none/", "--target", "studio", code=1)
    assert "No such bucket" in wrong


def test_actions(desk: Desk) -> None:
    assert "status: created" in desk.datakeel(
        "act", "Project/orders", "trigger", "--arg", "ref=main", "--target", "lab"
    )
    assert "id: run_" in desk.datakeel("act", "Pipeline/nightly", "run", "--target", "linx")
    refused = desk.datakeel("act", "AnnotationStream/releases", "clear", "--target", "loop", code=64)
    assert "add --yes" in refused
    desk.datakeel("act", "AnnotationStream/releases", "clear", "--target", "loop", "--yes")
    done = json.loads(desk.datakeel("act", "Agent/dataloop", "deregister", "--target", "loop", "--yes", "-o", "json"))
    assert (done["action"], done["outcome"], done["status"]) == ("deregister", "done", 204)
    assert "not among" in desk.datakeel("act", "Agent/dataloop", "deregister", "--target", "loop", "--yes", code=1)


def test_a_run_is_cancelled_by_hand(tmp_path: Path, processes: Processes) -> None:
    with sandbox_process(["datachain-studio"], limits=False, ready_after=600) as sandbox:
        job = {"kind": "job", "workspace": "shop", "query": "1", "query_type": "PYTHON", "query_name": "long.py"}
        sandbox.person_creates("datachain-studio", **job)
        asked = ("act", "Job/long.py", "cancel", "--target", "studio")
        assert "Successfully canceled" in Desk(tmp_path / "desk", sandbox, processes).datakeel(*asked)
        assert sandbox.requests()[-1]["path"].endswith("/cancel")


def test_a_trigger_without_its_credential_is_not_sent(desk: Desk) -> None:
    config = desk.folder / "datakeel.yaml"
    config.write_text(config.read_text().replace(", triggerToken: {env: TRIGGER}", ""))
    before = len(desk.sandbox.requests())
    told = desk.datakeel("act", "Project/orders", "trigger", "--arg", "ref=main", "--target", "lab", code=1)
    assert "needs the credential `triggerToken`" in told
    assert [each for each in desk.sandbox.requests()[before:] if each["method"] == "POST"] == []
